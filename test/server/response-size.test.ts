import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWebSocketClient } from 'graphql-ws';
import { getIntrospectionQuery, type FormattedExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { useStore } from '../store/database.ts';
import { apiWorld, type ApiWorld } from './api-world.ts';
import { useBareServers, until } from './bare-server.ts';

const start = useBareServers();

const FIELDS = 'name description args { name description type { name } } type { name description }';
/** 5 KB; the response would have more than 100 MB. */
const NESTED = `{ ${Array.from({ length: 200 }, (_, index) => `a${index}: __schema { ...S }`).join(' ')} }
  fragment S on __Schema { types { fields { a: type { fields { ${FIELDS} } ofType { fields { ${FIELDS} } } } } } }`;
const TOO_LARGE = { message: expect.stringContaining('TREELINE_GRAPHQL_MAX_RESPONSE_BYTES'), path: expect.anything() };

describe('the size of a response', () => {
  it('is limited while it is built: introspection with aliases', async () => {
    const { post } = await start({ limits: { complexity: 1_000_000_000, tokens: 10_000 } });
    const response = await post({ query: NESTED });
    const text = await response.text();
    expect(text.length).toBeLessThan(1_000);
    expect(JSON.parse(text)).toMatchObject({
      errors: [{ ...TOO_LARGE, extensions: { code: 'RESPONSE_TOO_LARGE', limit: 16 * 1024 * 1024 } }],
    });
  });

  it('counts names, aliases, values, lists and __typename', async () => {
    for (const query of [
      '{ viewer { role } }',
      `{ ${'a'.repeat(50)}: __typename }`,
      '{ __schema { directives { locations } } }',
      '{ __type(name: "Device") { description } }',
      '{ viewer { limits { __typename } } }',
    ]) {
      const whole = await (await start()).post({ query });
      const size = JSON.stringify((await whole.json()).data).length;
      const { post } = await start({ limits: { responseBytes: Math.floor(size / 2) } });
      expect(await (await post({ query })).json()).toMatchObject({
        errors: [{ extensions: { code: 'RESPONSE_TOO_LARGE' } }],
      });
      const roomy = await start({ limits: { responseBytes: size * 2 } });
      expect(await (await roomy.post({ query })).json()).not.toHaveProperty('errors');
    }
  });

  it('is limited over WebSocket and SSE', async () => {
    const { url } = await start({ limits: { responseBytes: 20 } });
    const webSocket = createWebSocketClient({
      url: url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: { token: 'viewer' },
      retryAttempts: 0,
    });
    const sse = createSseClient({ url, headers: { Authorization: 'Bearer viewer' }, retryAttempts: 0 });
    for (const results of [
      webSocket.iterate({ query: '{ viewer { role tenant { slug } } }' }),
      sse.iterate({ query: '{ viewer { role tenant { slug } } }' }),
    ]) {
      const first = await results.next();
      expect(first.value as FormattedExecutionResult).toMatchObject({
        errors: [{ extensions: { code: 'RESPONSE_TOO_LARGE' } }],
      });
    }
    sse.dispose();
    await webSocket.dispose();
  });

  it('lets the introspection of clients pass', async () => {
    const { post } = await start({});
    const query = getIntrospectionQuery({
      specifiedByUrl: true,
      directiveIsRepeatable: true,
      inputValueDeprecation: true,
    });
    const body = await (await post({ query })).json();
    expect(body).not.toHaveProperty('errors');
    expect(body.data.__schema.types.length).toBeGreaterThan(100);
  });
});

describe('the size of the response of an API with devices', () => {
  const store = useStore();
  let world: ApiWorld;
  beforeAll(async () => {
    world = await apiWorld(store());
  });
  afterAll(() => world.stop());

  it('is limited while it is built: 1,500 aliases of a value of 255 KiB, the largest that is kept', async () => {
    const device = await world.device('urn:test:large', { objects: [3303] });
    const { devices } = await world.data<{ devices: { nodes: { id: string }[] } }>('{ devices { nodes { id } } }');
    const id = devices.nodes[0]?.id;
    const write = `mutation ($id: ID!, $value: ResourceValue!) {
      writeResources(input: { deviceId: $id, values: [{ path: "/3/0/14", value: $value }] }) {
        ... on WriteResourcesPayload { rpc { status } }
        ... on UserError { message }
      } }`;
    const written = await world.data(write, { id, value: 'x'.repeat(255 * 1024) });
    expect(written).toEqual({ writeResources: { rpc: { status: 'SUCCESSFUL' } } });
    const aliases = Array.from({ length: 1_500 }, (_, index) => `a${index}: value`).join(' ');
    const { body } = await world.ask(
      `query ($id: ID!) { device(id: $id) { resource(path: "/3/0/14") { ${aliases} } } }`,
      { id },
    );
    expect(body).toMatchObject({ errors: [{ extensions: { code: 'RESPONSE_TOO_LARGE' } }] });
    expect(body).not.toHaveProperty('data');
    await device.vanish();
  });

  it('is limited for each event of a subscription', async () => {
    const small = await apiWorld(store(), { limits: { responseBytes: 100 } });
    const refused = small.overWebSocket(`subscription { deviceStatusChanged { ${'a'.repeat(100)}: endpoint } }`);
    const delivered = small.overSse('subscription { deviceStatusChanged { endpoint } }');
    const results = [refused.next(), delivered.next()];
    await until(() => small.server.snapshot().sessions >= 3);
    await small.device('urn:test:event');
    const [first, second] = await Promise.all(results);
    expect(first?.value).toMatchObject({ errors: [{ extensions: { code: 'RESPONSE_TOO_LARGE' } }] });
    expect(second?.value).toMatchObject({ data: { deviceStatusChanged: { endpoint: 'urn:test:event' } } });
    await small.stop();
  });
});

describe('the cost of introspection', () => {
  it('has a part in the cost of the operation, each alias too', async () => {
    const { post } = await start();
    const costOf = async (query: string): Promise<number> =>
      (await (await post({ query })).json()).extensions.cost.complexity;
    const one = await costOf('{ __schema { types { name } } }');
    expect(one).toBeGreaterThan(200);
    expect(await costOf('{ a: __schema { types { name } } b: __schema { types { name } } }')).toBe(2 * one);
    expect(await costOf('{ ...F } fragment F on Query { __schema { types { ... { name } } } }')).toBe(one);
  });

  it('refuses nested lists with aliases before they are executed', async () => {
    const { post } = await start();
    expect(await (await post({ query: NESTED })).json()).toMatchObject({
      errors: [{ extensions: { code: 'COST_LIMIT_EXCEEDED' } }],
    });
  });
});
