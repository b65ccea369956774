import { afterEach, describe, expect, it } from 'vitest';
import type { Device as KnownDevice, DeviceStatusChange } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { SimulatedNetwork } from '../../coap/network.ts';
import { ADMIN, type Device, fleetWorld, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

async function known(endpoint: string): Promise<KnownDevice> {
  const device = await world.fleet.devices.get(ADMIN, { endpoint });
  if (!device) throw new Error(`${endpoint} is unknown`);
  return device;
}

function statusChanges(): DeviceStatusChange[] {
  const seen: DeviceStatusChange[] = [];
  const subscription = world.bus.subscribe('deviceStatusChanged', ADMIN.tenantId);
  void (async () => {
    for await (const event of subscription) if (event.kind === 'event') seen.push(event.value);
  })();
  return seen;
}

describe('the presence of a device', () => {
  it('is told by every Register, and an Update changes nothing of it', async () => {
    world = await fleetWorld(store());
    const changes = statusChanges();
    const device = world.device();
    await device.register('again');
    await device.send('POST', device.scripted.location);
    await device.register('again');
    expect(changes.map(({ status, previous, reason }) => `${previous} ${status} ${reason}`)).toEqual([
      'NEVER_SEEN NEVER_SEEN provisioned',
      'NEVER_SEEN ONLINE registered',
    ]);
    expect(world.sink.events.map(({ status, previous, reason }) => `${previous} ${status} ${reason}`)).toEqual([
      'null online registered',
      'online online registered',
    ]);
  });

  it('ends when the lifetime and its grace have passed', async () => {
    world = await fleetWorld(store());
    const device = world.device();
    await device.register('mortal');
    await world.advance(300_000 + 200_000);
    expect(await known('mortal')).toMatchObject({ status: 'OFFLINE' });
    expect(world.sink.events.at(-1)).toMatchObject({ status: 'offline', reason: 'expired' });
    const { id } = await known('mortal');
    expect(await world.fleet.devices.registrations(ADMIN, [id])).toEqual(new Map());
    expect(await world.fleet.devices.observations(ADMIN, [id])).toEqual(new Map());
  });

  it('is silent after the profile’s threshold, and back with the next message', async () => {
    world = await fleetWorld(store());
    const profile = await world.fleet.profiles.create(ADMIN, { name: `Watchful ${Math.random()}`, offlineAfter: 60 });
    await world.fleet.devices.provision(ADMIN, { endpoint: 'quiet', profileId: profile.id });
    const device = world.device();
    await device.register('quiet');
    await world.advance(50_000);
    expect(await known('quiet')).toMatchObject({ status: 'ONLINE' });
    await world.advance(20_000);
    expect(await known('quiet')).toMatchObject({ status: 'OFFLINE' });
    expect(world.sink.events.at(-1)).toMatchObject({ status: 'offline', reason: 'silent' });
    await device.send('POST', device.scripted.location);
    expect(await known('quiet')).toMatchObject({ status: 'ONLINE' });
    expect(world.sink.events.at(-1)).toMatchObject({ status: 'online', previous: 'offline', reason: 'updated' });
  });

  it.each([
    ['the interval of its profile', 600, 3_600, 600],
    ['its lifetime where that is shorter', 86_400, 300, 300],
    ['its lifetime where the profile expects none', null, 300, 300],
  ])('is silent while it sleeps, from the end of %s on', async (_what, expectedInterval, lifetime, expected) => {
    const network = new SimulatedNetwork();
    world = await fleetWorld(store(), { network });
    const name = `Sleepers ${Math.random()}`;
    const profile = await world.fleet.profiles.create(ADMIN, { name, offlineAfter: 60, expectedInterval });
    const endpoint = `asleep-${Math.random()}`;
    await world.fleet.devices.provision(ADMIN, { endpoint, profileId: profile.id });
    const device = world.device();
    await device.register(endpoint, ['b=U', 'Q', `lt=${lifetime}`]);
    await world.advance((expected + 50) * 1_000);
    expect(await known(endpoint)).toMatchObject({ status: 'SLEEPING' });
    await world.advance(20_000);
    expect(await known(endpoint)).toMatchObject({ status: 'OFFLINE' });
    expect(world.sink.events.at(-1)).toMatchObject({ status: 'offline', reason: 'silent' });
    await world.stop();
    world = await fleetWorld(store(), { network });
    await world.advance(6_000);
    expect(await known(endpoint)).toMatchObject({ status: 'OFFLINE' });
    expect(world.sink.events).toEqual([]);
    await device.send('POST', device.scripted.location);
    expect(await known(endpoint)).toMatchObject({ status: 'ONLINE' });
  });

  it('is SLEEPING after a queue-mode device’s awake time, which is online to consumers', async () => {
    world = await fleetWorld(store());
    const device = world.device();
    await device.register('sleepy', ['b=U', 'Q']);
    expect(await known('sleepy')).toMatchObject({ status: 'ONLINE' });
    const events = world.sink.events.length;
    await world.advance(100_000);
    expect(await known('sleepy')).toMatchObject({ status: 'SLEEPING' });
    expect(await world.fleet.devices.count(ADMIN, { status: ['SLEEPING'] })).toBe(1);
    await device.send('POST', device.scripted.location);
    expect(await known('sleepy')).toMatchObject({ status: 'ONLINE' });
    expect(world.sink.events).toHaveLength(events);
  });

  it('sleeps as soon as its profile says, or the device itself', async () => {
    world = await fleetWorld(store());
    const profile = await world.fleet.profiles.create(ADMIN, { name: `Short ${Math.random()}`, awakeTime: 30 });
    const devices: Device[] = [];
    for (const [endpoint, awakeTime] of [
      ['short', null],
      ['shorter', 10],
    ] as const) {
      await world.fleet.devices.provision(ADMIN, { endpoint, profileId: profile.id, awakeTime });
      const device = world.device();
      await device.register(endpoint, ['b=U', 'Q'], '</1/0>,</3/0>');
      devices.push(device);
    }
    const statuses = async () => [(await known('short')).status, (await known('shorter')).status];
    await world.advance(15_000);
    expect(await statuses()).toEqual(['ONLINE', 'SLEEPING']);
    await world.advance(20_000);
    expect(await statuses()).toEqual(['SLEEPING', 'SLEEPING']);

    // What is changed counts from the next message on.
    await world.fleet.devices.update(ADMIN, (await known('shorter')).id, { awakeTime: 60 });
    await world.fleet.profiles.update(ADMIN, profile.id, { awakeTime: 20 });
    await world.advance(0);
    for (const device of devices) await device.send('POST', device.scripted.location);
    await world.advance(25_000);
    expect(await statuses()).toEqual(['SLEEPING', 'ONLINE']);
    await world.advance(40_000);
    expect(await statuses()).toEqual(['SLEEPING', 'SLEEPING']);
  });

  it('keeps when a device was last heard, over a restart', async () => {
    const network = new SimulatedNetwork();
    world = await fleetWorld(store(), { network });
    const device = world.device();
    await device.register('heard');
    await world.advance(60_000);
    await device.send('POST', device.scripted.location);
    const { lastSeen } = await known('heard');
    expect(lastSeen?.getTime()).toBeGreaterThan(network.clock.now() - 1_000);
    await world.stop();
    world = await fleetWorld(store(), { network });
    expect((await known('heard')).lastSeen).toEqual(lastSeen);
  });

  it('survives a restart: the registration holds, its observations run, and its Update is known', async () => {
    const network = new SimulatedNetwork();
    world = await fleetWorld(store(), { network });
    const device = world.device();
    await device.register('steady');
    await world.advance(100);
    const { id } = await known('steady');
    const before = (await world.fleet.devices.observations(ADMIN, [id])).get(id);
    expect(before?.map(({ paths, reasons }) => [paths, reasons])).toEqual([
      [['/3303/0/5700'], ['PROFILE']],
      [['/3/0/9'], ['PROFILE']],
    ]);
    await world.stop();
    const asked = device.asked.length;

    world = await fleetWorld(store(), { network });
    await world.advance(100);
    expect(await known('steady')).toMatchObject({ status: 'ONLINE' });
    expect((await world.fleet.devices.observations(ADMIN, [id])).get(id)).toEqual(before);
    expect(device.asked).toHaveLength(asked);
    expect(await device.notify('/3303/0/5700', '19.5')).toBe('ACK');
    expect(await device.send('POST', device.scripted.location)).toBe('2.04');
  });
});

describe('admission', () => {
  it('refuses unknown endpoints when devices are not provisioned by themselves', async () => {
    world = await fleetWorld(store(), { autoProvision: false });
    expect(await world.device().register('stranger')).toBe('4.03');
    await world.fleet.devices.provision(ADMIN, { endpoint: 'stranger' });
    expect(await world.device().register('stranger')).toBe('2.01');
  });

  it('refuses names that are no UTF-8 text or too long', async () => {
    world = await fleetWorld(store());
    expect(await world.device().register('a\u0007b')).toBe('4.00');
    expect(await world.device().register('x'.repeat(251))).toBe('2.01');
  });

  it('keeps an endpoint with credentials from coming without them', async () => {
    world = await fleetWorld(store(), {
      credentials: { holders: async () => new Map(), secured: async (_tx, ids) => new Set(ids) },
    });
    expect(await world.device().register('secured')).toBe('4.03');
  });
});
