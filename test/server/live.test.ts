import { once } from 'node:events';
import { createClient } from 'graphql-ws';
import type { FormattedExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { DEFAULT_TENANT, type DeviceId, type DeviceStatusChange } from '../../src/fleet/index.ts';
import { rawDevice } from './raw-device.ts';
import { useStore } from '../store/database.ts';
import { adminOf, apiWorld, GLOBEX, next, type ApiWorld } from './api-world.ts';

const store = useStore();
let world: ApiWorld;
beforeAll(async () => {
  world = await apiWorld(store());
});
afterAll(() => world.stop());

const STATUS = 'subscription { deviceStatusChanged { endpoint status previous } }';

/** A change as the fleet publishes it. */
function change(endpoint: string, tenantId = DEFAULT_TENANT): DeviceStatusChange {
  const deviceId = '00000000-0000-4000-8000-000000000001' as DeviceId; // any device
  const at = new Date();
  return {
    tenantId,
    deviceId,
    endpoint,
    status: 'ONLINE',
    previous: 'OFFLINE',
    reason: 'registered',
    lastSeen: at,
    at,
  };
}

function publish(endpoint: string, tenantId = DEFAULT_TENANT): void {
  world.bus.publish('deviceStatusChanged', tenantId, change(endpoint, tenantId));
}

/** Resolves when the server has this many sessions: each subscription and each WebSocket is one. */
async function sessions(count: number, of = world): Promise<void> {
  while (of.server.snapshot().sessions !== count) await new Promise((resolve) => setImmediate(resolve));
}

function gate(): { open: () => void; opened: Promise<void> } {
  const gates: (() => void)[] = [];
  const opened = new Promise<void>((resolve) => gates.push(resolve));
  return { open: () => gates.forEach((open) => open()), opened };
}

async function socketClosed(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

function socket(options: { origin?: string; path?: string; protocol?: string; headers?: Record<string, string> } = {}) {
  const url = new URL(world.url.replace('http', 'ws'));
  url.pathname = options.path ?? url.pathname;
  return new WebSocket(url, options.protocol ?? 'graphql-transport-ws', {
    ...(options.origin === undefined ? {} : { origin: options.origin }),
    ...(options.headers === undefined ? {} : { headers: options.headers }),
  });
}

describe.each([
  ['overWebSocket', 2],
  ['overSse', 1],
] as const)('a subscription %s', (transport, opened) => {
  it('gets only the events of its tenant', async () => {
    await sessions(0);
    const results = world[transport](STATUS);
    const first = next(results);
    await sessions(opened);
    publish('urn:theirs', GLOBEX);
    publish('urn:ours');
    expect(await first).toEqual({
      data: { deviceStatusChanged: { endpoint: 'urn:ours', status: 'ONLINE', previous: 'OFFLINE' } },
    });
    await results.return?.();
    await sessions(0);
  });

  it('gets the number of missed events with the next event', async () => {
    await sessions(0);
    const results = world[transport](STATUS);
    const first = next(results);
    await sessions(opened);
    // Published without a read in between: one event is awaited, and the others exceed the buffer of 1,024.
    for (let sent = 0; sent < 2_000; sent++) publish(`urn:${sent}`);
    expect(await first).toMatchObject({ data: { deviceStatusChanged: { endpoint: 'urn:0' } } });
    const second = await next(results);
    expect(second.extensions).toEqual({ missedEvents: 975 });
    expect(second.data).toMatchObject({ deviceStatusChanged: { endpoint: 'urn:976' } });
    expect((await next(results)).extensions).toBeUndefined();
    await results.return?.();
  });

  it('is refused with the name of the invalid argument', async () => {
    const results = world[transport]('subscription { telemetry(deviceId: "nonsense") { timestamp } }');
    const refusal = await next(results).catch((error: unknown) => ({ errors: error }));
    expect(JSON.stringify(refusal)).toContain('neither a global id of type Device nor a UUID');
  });

  it('ends when its key is revoked', async () => {
    const { id, token } = await world.fleet.access.createKey(adminOf(DEFAULT_TENANT), {
      name: 'short-lived',
      role: 'viewer',
    });
    await sessions(0);
    const results = world[transport](STATUS, {}, token);
    const first = next(results);
    first.catch(() => {});
    await sessions(opened);
    const { body } = await world.ask(
      'mutation ($id: ID!) { revokeApiKey(input: { id: $id }) { __typename ... on UserError { message } } }',
      { id },
    );
    expect(body.data).toEqual({ revokeApiKey: { __typename: 'RevokeApiKeyPayload' } });
    if (transport === 'overSse') {
      expect(await first).toMatchObject({ errors: [{ extensions: { code: 'KEY_REVOKED' } }] });
      expect(await results.next()).toMatchObject({ done: true });
    } else {
      await expect(first).rejects.toMatchObject({ code: 4403, reason: 'Forbidden: The API key was revoked.' });
    }
    expect((await world.ask('{ viewer { role } }', {}, token)).status).toBe(401);
    await sessions(0);
  });
});

describe('a WebSocket', () => {
  it.each([
    ['no token', {}, /^Unauthorized: A token is required/],
    ['an unknown token', { token: 'an-unknown-token' }, /^Unauthorized: The token is unknown/],
    ['a token that is not a string', { token: 7 }, /^Unauthorized: A token is required/],
  ])('is closed with 4401 and the reason for %s', async (_case, payload, reason) => {
    const opened = socket();
    await once(opened, 'open');
    opened.send(JSON.stringify({ type: 'connection_init', payload }));
    expect(await socketClosed(opened)).toEqual({ code: 4401, reason: expect.stringMatching(reason) });
  });

  it.each([
    ['connectionParams.token', {}, (token: string) => ({ token })],
    ['connectionParams.authorization', {}, (token: string) => ({ authorization: `Bearer ${token}` })],
    ['connectionParams.Authorization', {}, (token: string) => ({ Authorization: `Bearer ${token}` })],
  ])('takes the token in %s', async (_case, _headers, parameters) => {
    const client = createClient({
      url: world.url.replace('http', 'ws'),
      webSocketImpl: WebSocket,
      connectionParams: parameters(world.tokens.viewer),
      retryAttempts: 0,
    });
    const results: AsyncIterableIterator<FormattedExecutionResult> = client.iterate({ query: '{ viewer { role } }' });
    expect(await next(results)).toMatchObject({
      data: { viewer: { role: 'VIEWER' } },
      extensions: { cost: { complexity: 2 } },
    });
    await client.dispose();
  });

  it('runs mutations', async () => {
    const results = world.overWebSocket(
      'mutation { provisionDevice(input: { endpoint: "urn:over:websocket" }) { ... on ProvisionDevicePayload { device { endpoint } } } }',
    );
    expect(await next(results)).toMatchObject({
      data: { provisionDevice: { device: { endpoint: 'urn:over:websocket' } } },
    });
  });

  it('accepts the token in the header of the upgrade request', async () => {
    const opened = socket({ headers: { Authorization: `Bearer ${world.tokens.viewer}` } });
    await once(opened, 'open');
    opened.send(JSON.stringify({ type: 'connection_init' }));
    const [message] = (await once(opened, 'message')) as [Buffer];
    expect(JSON.parse(message.toString())).toEqual({ type: 'connection_ack' });
    opened.terminate();
  });

  it('is refused to other origins and on other paths', async () => {
    for (const [options, status] of [
      [{ origin: 'https://evil.example' }, 403],
      [{ path: '/elsewhere' }, 404],
    ] as const) {
      const refused = socket(options);
      const [, response] = (await once(refused, 'unexpected-response')) as [unknown, { statusCode: number }];
      expect(response.statusCode).toBe(status);
      refused.on('error', () => {});
      refused.terminate();
    }
  });

  it('is closed for a message of more than 1 MiB, and other WebSockets stay open', async () => {
    const opened = socket();
    await once(opened, 'open');
    opened.send('x'.repeat(1024 * 1024 + 1));
    expect((await socketClosed(opened)).code).toBe(1009);
    expect((await world.ask('{ viewer { role } }')).status).toBe(200);
  });

  it('runs 200 concurrent operations and refuses the next one', async () => {
    const opened = socket();
    await once(opened, 'open');
    const received: { id?: string; type: string; payload?: { message: string }[] }[] = [];
    opened.on('message', (data) => received.push(JSON.parse(String(data))));
    opened.send(JSON.stringify({ type: 'connection_init', payload: { token: world.tokens.viewer } }));
    await once(opened, 'message');
    for (let id = 0; id <= 200; id++) {
      opened.send(JSON.stringify({ type: 'subscribe', id: String(id), payload: { query: STATUS } }));
    }
    while (!received.some(({ type }) => type === 'error')) await once(opened, 'message');
    expect(received.filter(({ type }) => type === 'error')).toMatchObject([
      {
        id: '200',
        payload: [
          {
            message:
              'This connection already runs 200 operations, the limit. End one first or open another connection.',
          },
        ],
      },
    ]);
    opened.terminate();
  });

  it('answers invalid syntax and unknown fields with errors', async () => {
    for (const [query, message] of [
      ['{', /Syntax Error/],
      ['{ nothing }', /Cannot query field "nothing"/],
    ] as const) {
      const results = world.overWebSocket(query);
      await expect(next(results)).rejects.toMatchObject([{ message: expect.stringMatching(message) }]);
    }
  });
});

describe('subscribers of the same query', () => {
  it('share the execution of each event, but not with another tenant', async () => {
    let asked = 0;
    const counting = await apiWorld(store(), {}, (fleet) => ({
      ...fleet,
      devices: {
        ...fleet.devices,
        many(actor, ids) {
          asked++;
          return fleet.devices.many(actor, ids);
        },
      },
    }));
    try {
      const query = 'subscription { deviceStatusChanged { endpoint device { id } } }';
      const ours = Array.from({ length: 20 }, () => counting.overSse(query));
      const theirs = counting.overSse(query, {}, counting.tokens.other);
      const firsts = [...ours, theirs].map(next);
      await sessions(21, counting);
      counting.bus.publish('deviceStatusChanged', DEFAULT_TENANT, change('urn:shared'));
      counting.bus.publish('deviceStatusChanged', GLOBEX, change('urn:theirs', GLOBEX));
      const received = await Promise.all(firsts);
      expect(received.slice(0, 20)).toEqual(
        Array.from({ length: 20 }, () => ({ data: { deviceStatusChanged: { endpoint: 'urn:shared', device: null } } })),
      );
      expect(received[20]).toMatchObject({ data: { deviceStatusChanged: { endpoint: 'urn:theirs' } } });
      expect(asked).toBe(2);
    } finally {
      await counting.stop();
    }
  });
});

describe('a server that closes', () => {
  it('cuts subscriptions, finishes running requests and accepts no new ones', async () => {
    const started = gate();
    const running = gate();
    const closing = await apiWorld(store(), {}, (fleet) => ({
      ...fleet,
      devices: {
        ...fleet.devices,
        async count(actor, filter) {
          started.open();
          await running.opened;
          return fleet.devices.count(actor, filter);
        },
      },
    }));
    const sse = closing.overSse(STATUS);
    const overSse = next(sse);
    const overWebSocket = next(closing.overWebSocket(STATUS));
    overWebSocket.catch(() => {});
    overSse.catch(() => {});
    await sessions(3, closing);
    const answer = closing.ask('{ devices { totalCount } }');
    await started.opened;
    const closed = closing.server.close();
    await expect(overSse).rejects.toThrow();
    await expect(overWebSocket).rejects.toMatchObject({ code: 1001, reason: 'The server is closing.' });
    running.open();
    expect((await answer).status).toBe(200);
    await closed;
    await expect(fetch(closing.url)).rejects.toThrow();
    await closing.stop();
  });

  it('answers a call to a device that is silent with its id and state', async () => {
    const closing = await apiWorld(store(), { limits: { drainMs: 3_000 } });
    const executed = gate();
    // It refuses the observations of its profile, and never answers the Execute.
    const silent = await rawDevice(closing.coapPort, ({ method }) => {
      if (method !== 'POST') return { code: 0x84 };
      executed.open();
      return new Promise(() => {}) as never;
    });
    await silent.register(['ep=urn:silent', 'lt=300', 'lwm2m=1.1', 'b=U'], '</3/0>');
    const { device } = await closing.data<{ device: { id: string } }>('{ device(endpoint: "urn:silent") { id } }');
    const answer = closing.ask(
      'mutation ($id: ID!) { callRpc(input: { deviceId: $id, method: "reboot" }) { ... on CallRpcPayload { rpc { rpcId status } } } }',
      { id: device.id },
    );
    await executed.opened;
    const closed = closing.server.close();
    const { status, body } = await answer;
    expect([status, body.errors]).toEqual([200, undefined]);
    expect(body.data).toEqual({
      callRpc: { rpc: { rpcId: expect.any(String), status: expect.stringMatching(/^(SENT|DELIVERED)$/) } },
    });
    await closed;
    await silent.close();
    await closing.stop();
  });

  it('terminates connections that do not end within the drain time', async () => {
    const started = gate();
    const closing = await apiWorld(store(), { limits: { drainMs: 50 } }, (fleet) => ({
      ...fleet,
      devices: {
        ...fleet.devices,
        count() {
          started.open();
          return new Promise<number>(() => {});
        },
      },
    }));
    const answer = closing.ask('{ devices { totalCount } }');
    answer.catch(() => {});
    await started.opened;
    await closing.server.close();
    await expect(answer).rejects.toThrow();
    await closing.stop();
  });
});
