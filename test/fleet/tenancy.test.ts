import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FleetError, type Device as KnownDevice, type DeviceProfile, type Rpc } from '../../src/fleet/index.ts';
import { useStore } from '../store/database.ts';
import { ADMIN, fleetWorld, OTHER, otherTenant, type Device, type FleetWorld } from './fleet-world.ts';

const store = useStore();
let world: FleetWorld;
let device: Device;
let known: KnownDevice;
let profile: DeviceProfile;
let rpc: Rpc;
let run = 0;

beforeEach(async () => {
  world = await fleetWorld(store());
  await otherTenant(store());
  const endpoint = `guarded-${run++}`;
  profile = await world.fleet.profiles.create(ADMIN, {
    name: endpoint,
    mappings: [{ path: '/3303/0/5700', metric: 'temperature' }],
  });
  known = await world.fleet.devices.provision(ADMIN, { endpoint, profileId: profile.id, tags: ['lab'] });
  device = world.device();
  await device.register(endpoint);
  await world.advance(100);
  rpc = await world.during(world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, { idempotencyKey: endpoint }));
});
afterEach(() => world.stop());

const nobody = { edges: [], hasNextPage: false, hasPreviousPage: false };

describe('another tenant', () => {
  it('sees nothing of a device', async () => {
    const { devices } = world.fleet;
    expect(await devices.get(OTHER, { id: known.id })).toBeNull();
    expect(await devices.get(OTHER, { endpoint: known.endpoint })).toBeNull();
    expect(await devices.many(OTHER, [known.id])).toEqual([null]);
    expect(await devices.page(OTHER, { first: 10 })).toEqual(nobody);
    expect(await devices.page(OTHER, { first: 10 }, { ids: [known.id], tags: ['lab'], objectId: 3303 })).toEqual(
      nobody,
    );
    expect(await devices.count(OTHER)).toBe(0);
    expect(await devices.matches(OTHER, known.id, {})).toBe(false);
    expect(await devices.registrations(OTHER, [known.id])).toEqual(new Map());
    expect((await devices.resources(OTHER, [known.id], [])).get(known.id)).toEqual([]);
    expect(await devices.observations(OTHER, [known.id])).toEqual(new Map());
  });

  it('changes nothing of a device', async () => {
    const { devices, watching } = world.fleet;
    const missing = { code: 'NOT_FOUND' };
    await expect(devices.update(OTHER, known.id, { name: 'mine' })).rejects.toMatchObject(missing);
    await expect(devices.delete(OTHER, known.id)).rejects.toMatchObject(missing);
    await expect(watching.watch(OTHER, known.id, ['/3/0/9'])).rejects.toMatchObject(missing);
    expect(await devices.get(ADMIN, { id: known.id })).toMatchObject({ name: null });
  });

  it('neither sees nor makes its calls', async () => {
    const { rpcs } = world.fleet;
    const asked = device.asked.length;
    expect(await rpcs.many(OTHER, [rpc.id])).toEqual([null]);
    expect(await rpcs.page(OTHER, known.id, { first: 10 })).toEqual(nobody);
    expect((await rpcs.transitions(OTHER, [rpc.id])).get(rpc.id)).toEqual([]);
    await expect(rpcs.cancel(OTHER, rpc.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(rpcs.call(OTHER, known.id, 'reboot', {})).rejects.toMatchObject({ code: 'NOT_FOUND' });
    const read = { kind: 'read', paths: ['/3/0/9'] } as const;
    await expect(rpcs.perform(OTHER, known.id, read)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await world.advance(100);
    expect(device.asked).toHaveLength(asked);
  });

  it('neither sees nor uses its profiles', async () => {
    const { devices, profiles } = world.fleet;
    expect(await profiles.many(OTHER, [profile.id])).toEqual([null]);
    expect(await profiles.page(OTHER, { first: 10 })).toEqual(nobody);
    await expect(profiles.update(OTHER, profile.id, { name: 'mine' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(profiles.delete(OTHER, profile.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(devices.provision(OTHER, { endpoint: 'x', profileId: profile.id })).rejects.toMatchObject({
      code: 'VALIDATION',
      field: ['profileId'],
    });
  });

  it('may use the same endpoint names and idempotency keys', async () => {
    const { devices, rpcs } = world.fleet;
    const theirs =
      (await devices.get(OTHER, { endpoint: known.endpoint })) ??
      (await devices.provision(OTHER, { endpoint: known.endpoint }));
    expect(theirs.id).not.toBe(known.id);
    const call = rpcs.call(OTHER, theirs.id, 'reboot', {}, { idempotencyKey: known.endpoint });
    expect((await world.during(call)).id).not.toBe(rpc.id);
    await devices.delete(OTHER, theirs.id);
  });
});

describe('a viewer and an operator', () => {
  it.each([
    ['viewer', 'provision'],
    ['operator', 'provision'],
    ['viewer', 'call'],
  ] as const)('%s may not %s', async (role, what) => {
    const actor = { ...ADMIN, role };
    const done =
      what === 'call'
        ? world.fleet.rpcs.call(actor, known.id, 'reboot', {})
        : world.fleet.devices.provision(actor, { endpoint: 'new' });
    const error: unknown = await done.catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(FleetError);
    expect(error).toMatchObject({ code: 'FORBIDDEN' });
  });
});
