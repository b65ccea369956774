import { isDeepStrictEqual } from 'node:util';
import type { FormattedExecutionResult } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Path } from '../../../src/lwm2m/index.ts';
import type { SimulatedDevice } from '../../../src/simulator/index.ts';
import { apiWorld, dataOf, next, type ApiWorld } from '../../server/api-world.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;
let device: SimulatedDevice;
let id: string;

beforeAll(async () => {
  world = await apiWorld(store());
  device = await world.device('urn:imei:123');
  const found = await world.data<{ device: { id: string } }>('{ device(endpoint: "urn:imei:123") { id } }');
  id = found.device.id;
});
afterAll(() => world.stop());

const SENSOR = Path.of(3303, 0, 5700);
const LEAST = Path.of(3303, 0, 5601);
const set = (path: Path, value: number): void => device.tree.set(path, { type: 'Float', value });

const CHANGES = `subscription ($id: ID!, $paths: [ResourcePath!]) {
  resourceChanged(deviceId: $id, paths: $paths) {
    initial device { endpoint } resources { path value source definition { name } }
  }
}`;

async function reasons(path: string): Promise<string[] | undefined> {
  const { device: observed } = await world.data<{ device: { observations: { paths: string[]; reasons: string[] }[] } }>(
    'query ($id: ID!) { device(id: $id) { observations { paths reasons } } }',
    { id },
    world.tokens.viewer,
  );
  return observed.observations.find(({ paths }) => paths.includes(path))?.reasons;
}

interface Change {
  readonly resourceChanged: { readonly resources: readonly { readonly path: string; readonly value: unknown }[] };
}

function valuesOf(result: FormattedExecutionResult): unknown[] {
  return dataOf<Change>(result).resourceChanged.resources.map(({ value }) => value);
}

/** The events of the watched resource. */
function changeEvent(value: number, initial: boolean): object {
  const source = expect.stringMatching(/READ|NOTIFICATION/);
  const resource = { path: '/3303/0/5601', value, source, definition: { name: 'Min Measured Value' } };
  return { data: { resourceChanged: { initial, device: { endpoint: 'urn:imei:123' }, resources: [resource] } } };
}

async function refused(variables: object): Promise<unknown> {
  return (await next(world.overSse(CHANGES, variables))).errors?.[0]?.extensions;
}

/** Repeats the query until the condition is true; each query takes a round trip. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition()));
}

describe.each(['overWebSocket', 'overSse'] as const)('resourceChanged %s', (transport) => {
  it('delivers the stored value, then each new value, and observes until the last subscriber leaves', async () => {
    set(LEAST, 10);
    await world.ask(
      'mutation ($id: ID!) { readResources(input: { deviceId: $id, paths: ["/3303/0/5601"] }) { __typename } }',
      { id },
    );
    const results = world[transport](CHANGES, { id, paths: ['/3303/0/5601'] }, world.tokens.viewer);
    expect(await next(results)).toEqual(changeEvent(10, true));
    await until(async () => (await reasons('/3303/0/5601'))?.includes('WATCHED') === true);
    // The response to the Observe has the value again; the notifications follow it.
    set(LEAST, 11.5);
    let event = await next(results);
    while (isDeepStrictEqual(valuesOf(event), [10])) event = await next(results);
    expect(event).toEqual(changeEvent(11.5, false));
    await results.return?.();
    await until(async () => (await reasons('/3303/0/5601')) === undefined);
  });
});

describe('resourceChanged', () => {
  it('without paths delivers every value that arrives, and does not observe', async () => {
    const results = world.overSse(CHANGES, { id });
    expect(await next(results)).toMatchObject({ data: { resourceChanged: { initial: true } } });
    await until(async () => (await reasons('/3303/0/5700')) !== undefined);
    set(SENSOR, 30.25);
    const seen = async (): Promise<boolean> => {
      const { resources } = dataOf<Change>(await next(results)).resourceChanged;
      return resources.some(({ path, value }) => path === '/3303/0/5700' && value === 30.25);
    };
    await until(seen);
    expect(await reasons('/3303/0/5700')).toEqual(['PROFILE']);
    await results.return?.();
  });

  it('is refused for a path with * and for an unknown device', async () => {
    expect(await refused({ id, paths: ['/3303/*/5700'] })).toEqual({ code: 'VALIDATION', field: ['paths', '0'] });
    expect(await refused({ id: '00000000-0000-4000-8000-000000000000' })).toEqual({ code: 'NOT_FOUND' });
  });
});

describe('telemetry', () => {
  it('has one point for a value that the profile and a watcher observe', async () => {
    const watched = world.overSse(CHANGES, { id, paths: ['/3303/0'] });
    await next(watched);
    await until(async () => (await reasons('/3303/0'))?.includes('WATCHED') === true);
    const points = world.bus.subscribe('telemetry', null)[Symbol.asyncIterator]();
    const changed = world.bus.subscribe('resourceChanged', null)[Symbol.asyncIterator]();
    set(SENSOR, 41.5);
    // Both notifications have arrived: the observation of the watcher has also the resources that the profile lacks.
    const scopes: unknown[] = [];
    while (scopes.length < 2) {
      const { value } = await changed.next();
      if (value?.kind === 'event')
        scopes.push(...value.value.resources.filter(({ path }: { path: string }) => path === '/3303/0/5700'));
    }
    set(SENSOR, 42.5);
    const values: unknown[] = [];
    while (values.at(-1) !== 42.5) {
      const { value } = await points.next();
      if (value?.kind === 'event') values.push(value.value.numericValues['temperature']);
    }
    expect(values).toEqual([41.5, 42.5]);
    await watched.return?.();
    await until(async () => (await reasons('/3303/0')) === undefined);
  });

  it('delivers the points of notifications, which are also stored', async () => {
    await until(async () => (await reasons('/3303/0/5700')) !== undefined);
    const results = world.overSse(
      'subscription ($id: ID!) { telemetry(deviceId: $id, metrics: ["temperature"]) { eventId deviceId timestamp numericValues stringValues } }',
      { id },
    );
    const first = next(results);
    while (world.server.snapshot().sessions < 1) await new Promise((resolve) => setImmediate(resolve));
    set(SENSOR, 31.5);
    const { telemetry } = dataOf<{ telemetry: { eventId: string } }>(await first);
    expect(telemetry).toMatchObject({ numericValues: { temperature: 31.5 }, stringValues: {} });
    const kept = await world.data(
      'query ($id: ID!) { device(id: $id) { telemetry(metrics: ["temperature"], first: 1) { edges { node { eventId numericValues } } } } }',
      { id },
    );
    const { eventId } = telemetry;
    expect(kept).toMatchObject({
      device: { telemetry: { edges: [{ node: { eventId, numericValues: { temperature: 31.5 } } }] } },
    });
    await results.return?.();
  });
});

describe('rpcChanged', () => {
  it('delivers each status of a device’s RPCs; for one RPC, first the current status', async () => {
    const query =
      'subscription ($id: ID, $deviceId: ID) { rpcChanged(id: $id, deviceId: $deviceId) { id status method } }';
    const results = world.overWebSocket(query, { deviceId: id });
    const first = next(results);
    while (world.server.snapshot().sessions < 2) await new Promise((resolve) => setImmediate(resolve));
    const { executeResource } = await world.data<{ executeResource: { rpc: { id: string } } }>(
      'mutation ($id: ID!) { executeResource(input: { deviceId: $id, path: "/3303/0/5605" }) { ... on ExecuteResourcePayload { rpc { id } } } }',
      { id },
    );
    const { rpc } = executeResource;
    const statuses = [await first, await next(results), await next(results), await next(results)];
    expect(statuses.map(({ data }) => data?.['rpcChanged'])).toEqual(
      ['QUEUED', 'SENT', 'DELIVERED', 'SUCCESSFUL'].map((status) => ({ id: rpc.id, status, method: 'execute' })),
    );
    await results.return?.();
    const one = world.overSse(query, { id: rpc.id });
    expect(await next(one)).toEqual({ data: { rpcChanged: { id: rpc.id, status: 'SUCCESSFUL', method: 'execute' } } });
    await one.return?.();
  });
});

describe('deviceStatusChanged', () => {
  it('delivers the status changes of devices that match the filter', async () => {
    const query = `subscription ($filter: DeviceFilter) { deviceStatusChanged(filter: $filter) { endpoint status previous reason device { status } } }`;
    const results = world.overSse(query, { filter: { search: 'guest' } });
    const first = next(results);
    while (world.server.snapshot().sessions < 1) await new Promise((resolve) => setImmediate(resolve));
    await world.device('urn:another');
    const guest = await world.device('urn:guest');
    const come = [await first, await next(results)].map(({ data }) => data?.['deviceStatusChanged']);
    expect(come).toMatchObject([
      { endpoint: 'urn:guest', status: 'NEVER_SEEN', reason: 'PROVISIONED' },
      { endpoint: 'urn:guest', status: 'ONLINE', previous: 'NEVER_SEEN', reason: 'REGISTERED' },
    ]);
    await guest.stop();
    expect((await next(results)).data?.['deviceStatusChanged']).toEqual({
      endpoint: 'urn:guest',
      status: 'OFFLINE',
      previous: 'ONLINE',
      reason: 'DEREGISTERED',
      device: { status: 'OFFLINE' },
    });
    await results.return?.();
  });
});
