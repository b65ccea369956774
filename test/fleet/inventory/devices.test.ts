import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DeviceFilter, DeviceOrder } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;

const NAMES: Record<string, string | null> = { alpha: 'Zebra', beta: null, gamma: 'Ant 100%', delta: 'ant_hill' };

beforeAll(async () => {
  world = await fleetWorld(store());
  for (const [endpoint, name] of Object.entries(NAMES)) {
    await world.fleet.devices.provision(ADMIN, { endpoint, name, tags: name ? ['named', 'lab', 'lab'] : ['lab'] });
    await world.advance(1_000);
  }
  await world.device().register('alpha');
});
afterAll(() => world.stop());

async function walk(order: DeviceOrder | undefined, way: 'first' | 'last', filter?: DeviceFilter): Promise<string[]> {
  const pages: string[][] = [];
  let cursor: string | null = null;
  for (;;) {
    const request = way === 'first' ? { first: 2, after: cursor } : { last: 2, before: cursor };
    const page = await world.fleet.devices.page(ADMIN, request, filter, order);
    const endpoints = page.edges.map(({ node }) => node.endpoint);
    if (way === 'first') pages.push(endpoints);
    else pages.unshift(endpoints);
    const more = way === 'first' ? page.hasNextPage : page.hasPreviousPage;
    cursor = (way === 'first' ? page.edges.at(-1) : page.edges[0])?.cursor ?? null;
    if (!more) return pages.flat();
  }
}

describe('the pages of devices', () => {
  it.each<[DeviceOrder | undefined, string[]]>([
    [undefined, ['alpha', 'beta', 'delta', 'gamma']],
    [{ field: 'ENDPOINT', direction: 'DESC' }, ['gamma', 'delta', 'beta', 'alpha']],
    [{ field: 'CREATED_AT', direction: 'ASC' }, ['alpha', 'beta', 'gamma', 'delta']],
    [{ field: 'CREATED_AT', direction: 'DESC' }, ['delta', 'gamma', 'beta', 'alpha']],
  ])('hold every device once, ordered by %j, forward and backward', async (order, endpoints) => {
    expect(await walk(order, 'first')).toEqual(endpoints);
    expect(await walk(order, 'last')).toEqual(endpoints);
  });

  it.each<DeviceOrder>([
    { field: 'NAME', direction: 'ASC' },
    { field: 'NAME', direction: 'DESC' },
    { field: 'LAST_SEEN', direction: 'ASC' },
    { field: 'LAST_SEEN', direction: 'DESC' },
  ])('hold devices without a key too, ordered by %j', async (order) => {
    const forward = await walk(order, 'first');
    expect(forward.toSorted()).toEqual(['alpha', 'beta', 'delta', 'gamma']);
    expect(await walk(order, 'last')).toEqual(forward);
    const keyed = order.field === 'NAME' ? 'beta' : 'alpha';
    const atFront = (order.direction === 'ASC') === (order.field === 'NAME');
    expect(forward.at(atFront ? 0 : -1)).toBe(keyed);
  });

  it.each<[DeviceFilter, string[]]>([
    [{ status: ['ONLINE'] }, ['alpha']],
    [{ status: ['NEVER_SEEN', 'OFFLINE'] }, ['beta', 'delta', 'gamma']],
    [{ status: [] }, []],
    [{ tags: ['named'] }, ['alpha', 'delta', 'gamma']],
    [{ tags: ['named', 'lab'] }, ['alpha', 'delta', 'gamma']],
    [{ tags: ['nowhere'] }, []],
    [{ search: 'ANT' }, ['delta', 'gamma']],
    [{ search: '0%' }, ['gamma']],
    [{ search: 't_h' }, ['delta']],
    [{ search: 'lph' }, ['alpha']],
    [{ objectId: 3303 }, ['alpha']],
    [{ objectId: 3304 }, []],
    [{ ids: ['not-an-id'] }, []],
    [{ profileId: 'not-an-id' }, []],
    [{ lastSeenAfter: new Date(0) }, ['alpha']],
    [{ lastSeenBefore: new Date(0) }, []],
    [{}, ['alpha', 'beta', 'delta', 'gamma']],
  ])('hold what the filter %j takes', async (filter, endpoints) => {
    expect(await walk(undefined, 'first', filter)).toEqual(endpoints);
    expect(await world.fleet.devices.count(ADMIN, filter)).toBe(endpoints.length);
    const alpha = await world.fleet.devices.get(ADMIN, { endpoint: 'alpha' });
    if (!alpha) throw new Error('alpha is unknown');
    expect(await world.fleet.devices.matches(ADMIN, alpha.id, filter)).toBe(endpoints.includes('alpha'));
  });
});

describe('a device', () => {
  it('is found by its id and its endpoint, and several are returned in the order asked for', async () => {
    const { devices } = world.fleet;
    const [alpha, beta] = await Promise.all(['alpha', 'beta'].map((endpoint) => devices.get(ADMIN, { endpoint })));
    if (!alpha || !beta) throw new Error('unknown');
    expect(alpha.tags).toEqual(['named', 'lab']);
    const many = await devices.many(ADMIN, [beta.id, 'no-id', crypto.randomUUID(), alpha.id.toUpperCase()]);
    expect(many.map((device) => device?.endpoint ?? null)).toEqual(['beta', null, null, 'alpha']);
    expect(await devices.get(ADMIN, { id: 'no-id' })).toBeNull();
  });

  it('shows its registration', async () => {
    const alpha = await world.fleet.devices.get(ADMIN, { endpoint: 'alpha' });
    if (!alpha) throw new Error('unknown');
    const registration = (await world.fleet.devices.registrations(ADMIN, [alpha.id])).get(alpha.id);
    expect(registration).toMatchObject({
      lwm2mVersion: '1.1',
      lifetime: 300,
      transport: 'udp',
      security: null,
      address: expect.stringMatching(/^192\.0\.2\.\d+:5683$/),
      location: expect.stringMatching(/^rd\/[\w-]{16}$/),
    });
    expect(registration?.objects.map(({ objectId }) => objectId)).toEqual([1, 3, 3303]);
  });

  it('changes its name, tags and profile, and refuses invalid values', async () => {
    const { devices } = world.fleet;
    const made = await devices.provision(ADMIN, { endpoint: 'changing' });
    expect(await devices.update(ADMIN, made.id, { name: 'Door', tags: ['a'] })).toMatchObject({
      name: 'Door',
      tags: ['a'],
      profileId: made.profileId,
    });
    expect(await devices.update(ADMIN, made.id, { name: null })).toMatchObject({ name: null, tags: ['a'] });
    const refused = [
      [{ profileId: 'no-id' }, 'VALIDATION', ['profileId']],
      [{ name: 'x'.repeat(201) }, 'VALIDATION', ['name']],
      [{ tags: [''] }, 'VALIDATION', ['tags', '0']],
      [{ awakeTime: 0 }, 'VALIDATION', ['awakeTime']],
    ] as const;
    for (const [changes, code, field] of refused) {
      await expect(devices.update(ADMIN, made.id, changes)).rejects.toMatchObject({ code, field });
    }
    await expect(devices.provision(ADMIN, { endpoint: 'changing' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await expect(devices.provision(ADMIN, { endpoint: '' })).rejects.toMatchObject({ code: 'VALIDATION' });
    await devices.delete(ADMIN, made.id);
    expect(await devices.get(ADMIN, { id: made.id })).toBeNull();
  });
});

describe('definitions', () => {
  it('are found by id and version and by a part of their name, and listed in pages', async () => {
    const { definitions } = world.fleet;
    expect(await definitions.get(ADMIN, 3, '1.0')).toMatchObject({ id: 3, version: '1.0', name: 'Device' });
    expect(await definitions.get(ADMIN, 65_000)).toBeNull();
    const [device, none] = await definitions.many(ADMIN, [
      { objectId: 3, version: null },
      { objectId: 65_000, version: '1.0' },
    ]);
    expect([device?.name, none]).toEqual(['Device', null]);
    const found = await definitions.page(ADMIN, { first: 5 }, 'temperature');
    expect(found.edges.map(({ node }) => node.name)).toContain('Temperature');
    const seen = new Set<string>();
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<typeof definitions.page>> = await definitions.page(ADMIN, { first: 200, after });
      for (const { node } of page.edges) seen.add(`${node.id}/${node.version}`);
      after = page.hasNextPage ? (page.edges.at(-1)?.cursor ?? null) : null;
    } while (after !== null);
    expect(seen.size).toBeGreaterThan(400);
  });
});
