import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import type { Device as KnownDevice, DeviceProfile, ProfileInput } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type Device, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const TEMPERATURE = { path: '/3303/0/5700', metric: 'temperature' };
const BATTERY = { path: '/3/0/9', metric: 'battery_level' };

async function registered(
  endpoint: string,
  input: Partial<ProfileInput>,
  prepare: (device: Device) => void = () => {},
): Promise<{ device: Device; known: KnownDevice; profile: DeviceProfile }> {
  world = await fleetWorld(store());
  const profile = await world.fleet.profiles.create(ADMIN, { name: `of ${endpoint}`, ...input });
  const known = await world.fleet.devices.provision(ADMIN, { endpoint, profileId: profile.id });
  const device = world.device();
  prepare(device);
  await device.register(endpoint);
  await world.advance(100);
  return { device, known, profile };
}

async function running(known: KnownDevice): Promise<unknown[]> {
  const observations = (await world.fleet.devices.observations(ADMIN, [known.id])).get(known.id) ?? [];
  return observations.map(({ paths, reasons }) => [...paths, ...reasons]);
}

describe('the observations of a device', () => {
  it('follow a changed profile at once, attributes and all', async () => {
    const { device, known, profile } = await registered('followed', { mappings: [TEMPERATURE] });
    expect(await running(known)).toEqual([['/3303/0/5700', 'PROFILE']]);
    const mappings = [{ ...BATTERY, attributes: { pmin: 10, pmax: 60 } }];
    await world.during(world.fleet.profiles.update(ADMIN, profile.id, { mappings }));
    await world.advance(100);
    expect(await running(known)).toEqual([['/3/0/9', 'PROFILE']]);
    expect([...device.observing.keys()]).toEqual(['/3/0/9']);
    expect(device.asked).toContain('PUT /3/0/9?pmin=10&pmax=60');
    expect(device.asked.indexOf('PUT /3/0/9?pmin=10&pmax=60')).toBeLessThan(device.asked.lastIndexOf('GET /3/0/9'));

    await world.during(world.fleet.profiles.update(ADMIN, profile.id, { mappings: [BATTERY] }));
    await world.advance(100);
    expect(device.asked.at(-1)).toBe('PUT /3/0/9?pmin&pmax');
  });

  it('follow a changed profile also when the database failed meanwhile', async () => {
    const opened = store();
    const database = { failsAfterNext: false, fails: false };
    world = await fleetWorld({
      ...opened,
      async asTenant(tenantId, work) {
        if (database.fails) throw new Error('the database is away');
        const result = await opened.asTenant(tenantId, work);
        if (database.failsAfterNext) database.fails = true;
        return result;
      },
    });
    const profile = await world.fleet.profiles.create(ADMIN, { name: 'interrupted', mappings: [TEMPERATURE] });
    await world.fleet.devices.provision(ADMIN, { endpoint: 'interrupted', profileId: profile.id });
    const device = world.device();
    await device.register('interrupted', ['lt=86400']);
    await world.advance(100);
    expect([...device.observing.keys()]).toEqual([TEMPERATURE.path]);
    database.failsAfterNext = true;
    await world.during(world.fleet.profiles.update(ADMIN, profile.id, { mappings: [BATTERY] }));
    await world.advance(100);
    expect(database.fails).toBe(true);
    expect([...device.observing.keys()]).toEqual([TEMPERATURE.path]);
    Object.assign(database, { failsAfterNext: false, fails: false });
    await world.advance(120_000);
    expect([...device.observing.keys()]).toEqual([BATTERY.path]);
  });

  it('follow a device that is given another profile', async () => {
    const { device, known } = await registered('moved', { mappings: [TEMPERATURE] });
    const other = await world.fleet.profiles.create(ADMIN, { name: 'another', mappings: [BATTERY] });
    await world.during(world.fleet.devices.update(ADMIN, known.id, { profileId: other.id }));
    await world.advance(100);
    expect([...device.observing.keys()]).toEqual(['/3/0/9']);
  });

  it('start one after the other after a Register, and anew after the next', async () => {
    const { device } = await registered('one-by-one', { mappings: [TEMPERATURE, BATTERY] });
    expect(device.asked).toEqual(['GET /3303/0/5700', 'GET /3/0/9']);
    await device.register('one-by-one');
    await world.advance(100);
    expect(device.asked).toHaveLength(4);
  });

  it('are shared by subscriptions, and end with the last of them', async () => {
    const { device, known } = await registered('watched', { mappings: [BATTERY] });
    const paths = ['/3303/0/5700', '/3/0/9'];
    const first = await world.during(world.fleet.watching.watch(ADMIN, known.id, paths));
    const second = await world.during(world.fleet.watching.watch(ADMIN, known.id, paths));
    await world.advance(100);
    expect(device.asked).toEqual(['GET /3/0/9', 'GET /3303/0/5700']);
    expect(await running(known)).toEqual([
      ['/3/0/9', 'PROFILE', 'WATCHED'],
      ['/3303/0/5700', 'WATCHED'],
    ]);
    first.release();
    first.release();
    await world.advance(100);
    expect([...device.observing.keys()]).toEqual(['/3/0/9', '/3303/0/5700']);
    second.release();
    await world.advance(30_100);
    expect([...device.observing.keys()]).toEqual(['/3/0/9']);
    expect(await running(known)).toEqual([['/3/0/9', 'PROFILE']]);
    expect(world.snapshot().observing.watched).toBe(0);
  });

  it('start when a watched device comes', async () => {
    world = await fleetWorld(store());
    const profile = await world.fleet.profiles.create(ADMIN, { name: 'of coming' });
    const known = await world.fleet.devices.provision(ADMIN, { endpoint: 'coming', profileId: profile.id });
    await world.during(world.fleet.watching.watch(ADMIN, known.id, ['/3303/0/5700']));
    const device = world.device();
    await device.register('coming');
    await world.advance(100);
    expect([...device.observing.keys()]).toEqual(['/3303/0/5700']);
  });

  it('stay when somebody asked for them, over the next Register, until they are cancelled', async () => {
    const { device, known } = await registered('asked', {});
    const paths = ['/3303/0/5700'];
    const begun = await world.during(world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'observe', paths }));
    expect(begun).toMatchObject({ status: 'SUCCESSFUL', result: { values: [{ path: '/3303/0/5700', value: 22.5 }] } });
    expect(await running(known)).toEqual([['/3303/0/5700', 'REQUESTED']]);
    await device.register('asked');
    await world.advance(100);
    expect(await running(known)).toEqual([['/3303/0/5700', 'REQUESTED']]);
    await world.during(world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'cancel-observation', paths }));
    await world.advance(100);
    expect(await running(known)).toEqual([]);
    await device.register('asked');
    await world.advance(100);
    expect(await running(known)).toEqual([]);
  });

  it('end when they are cancelled by hand, even the profile’s, until the device registers anew', async () => {
    const { device, known } = await registered('by-hand', { mappings: [TEMPERATURE] });
    const cancel = { kind: 'cancel-observation', paths: ['/3303/0/5700'] } as const;
    await world.during(world.fleet.rpcs.perform(ADMIN, known.id, cancel));
    await world.advance(1_000);
    expect(await running(known)).toEqual([]);
    await device.register('by-hand');
    await world.advance(100);
    expect(await running(known)).toEqual([['/3303/0/5700', 'PROFILE']]);
  });

  it('are not asked again of a device that refused, until it registers anew', async () => {
    const { device, known } = await registered('refusing', { mappings: [TEMPERATURE, BATTERY] }, (fresh) =>
      fresh.answers.set('GET /3303/0/5700', { code: codes.notFound }),
    );
    expect(await running(known)).toEqual([['/3/0/9', 'PROFILE']]);
    await device.send('POST', device.scripted.location);
    await world.advance(60_000);
    expect(device.asked.filter((line) => line === 'GET /3303/0/5700')).toHaveLength(1);
    device.answers.clear();
    await device.register('refusing');
    await world.advance(100);
    expect(await running(known)).toHaveLength(2);
  });

  it.each([
    ['5.03', codes.serviceUnavailable],
    ['5.00', codes.internalServerError],
    ['4.29', codes.tooManyRequests],
  ])('are asked again after a %s, later each time, and the others run meanwhile', async (name, code) => {
    const { device, known } = await registered(`busy-${name}`, { mappings: [TEMPERATURE, BATTERY] }, (fresh) =>
      fresh.answers.set('GET /3303/0/5700', { code, maxAge: 20 }),
    );
    const asked = (): number => device.asked.filter((line) => line === 'GET /3303/0/5700').length;
    expect(await running(known)).toEqual([['/3/0/9', 'PROFILE']]);
    expect(asked()).toBe(1);
    await world.advance(240_000);
    expect(asked()).toBeGreaterThan(2);
    expect(asked()).toBeLessThan(9);
    device.answers.clear();
    await device.send('POST', device.scripted.location);
    await world.advance(280_000);
    expect(await running(known)).toHaveLength(2);
  });

  it('wait for the Max-Age of a 5.03', async () => {
    const { device, known } = await registered('patient', { mappings: [TEMPERATURE] }, (fresh) =>
      fresh.answers.set('GET /3303/0/5700', { code: codes.serviceUnavailable, maxAge: 120 }),
    );
    device.answers.clear();
    await world.advance(119_000);
    expect(device.asked).toHaveLength(1);
    await world.advance(62_000);
    expect(await running(known)).toEqual([['/3303/0/5700', 'PROFILE']]);
  });

  it('are asked again after a 4.04 when an Update registers other objects', async () => {
    const { device, known } = await registered('growing', { mappings: [TEMPERATURE] }, (fresh) =>
      fresh.answers.set('GET /3303/0/5700', { code: codes.notFound }),
    );
    device.answers.clear();
    await world.advance(200_000);
    expect(await running(known)).toEqual([]);
    await device.send('POST', device.scripted.location, { format: 40, text: '</1/0>,</3/0>,</3303/0>,</3303/1>' });
    await world.advance(100);
    expect(await running(known)).toContainEqual(['/3303/0/5700', 'PROFILE']);
  });

  it('start again when the device ended one, though it refused another path', async () => {
    const { device, known } = await registered('ending', { mappings: [BATTERY, TEMPERATURE] }, (fresh) =>
      fresh.answers.set('GET /3/0/9', { code: codes.notFound }),
    );
    const asked = device.observing.get('/3303/0/5700');
    if (!asked) throw new Error('/3303/0/5700 is not observed');
    device.scripted.notify(asked, 2, { code: codes.serviceUnavailable });
    await world.advance(100);
    expect(await running(known)).toEqual([]);
    await world.advance(30_000);
    await device.send('POST', device.scripted.location);
    await world.advance(100);
    expect(await running(known)).toEqual([['/3303/0/5700', 'PROFILE']]);
  });

  it('are listed with the reason and the next try while they do not run', async () => {
    const mappings = [TEMPERATURE, BATTERY];
    const { known } = await registered('explained', { mappings }, (fresh) => {
      fresh.answers.set('GET /3303/0/5700', { code: codes.serviceUnavailable, maxAge: 120 });
      fresh.answers.set('GET /3/0/9', { code: codes.notFound });
    });
    const wanted = (await world.fleet.devices.wantedObservations(ADMIN, [known.id])).get(known.id) ?? [];
    expect(wanted).toMatchObject([
      { paths: ['/3303/0/5700'], reasons: ['PROFILE'], state: 'RETRYING', code: '5.03' },
      { paths: ['/3/0/9'], reasons: ['PROFILE'], state: 'REFUSED', code: '4.04', nextTry: null },
    ]);
    expect((wanted[0]?.nextTry?.getTime() ?? 0) - world.network.clock.now()).toBeGreaterThan(115_000);
    expect(world.snapshot().observing).toMatchObject({ refusals: { transient: 1, lasting: 1 } });
  });

  it('end with a cancellation that the device answers with an error', async () => {
    const { device, known } = await registered('stubborn', {});
    const paths = ['/3303/0/5700'];
    await world.during(world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'observe', paths }));
    device.answers.set('GET /3303/0/5700', { code: codes.badOption });
    const rpc = await world.during(world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'cancel-observation', paths }));
    expect(rpc).toMatchObject({ status: 'SUCCESSFUL', result: { code: '4.02' } });
    device.answers.clear();
    await world.advance(10_000);
    expect(await running(known)).toEqual([]);
  });

  it('run without attributes on a device that refuses those', async () => {
    const mappings = [{ ...BATTERY, attributes: { pmin: 10 } }, TEMPERATURE];
    const { known } = await registered('plain', { mappings }, (fresh) =>
      fresh.answers.set('PUT /3/0/9', { code: codes.badRequest }),
    );
    expect(await running(known)).toEqual([
      ['/3/0/9', 'PROFILE'],
      ['/3303/0/5700', 'PROFILE'],
    ]);
  });

  it('are tried later, and later again, of a device that does not answer', async () => {
    const { device, known } = await registered('deaf', { mappings: [TEMPERATURE, BATTERY] }, (fresh) => {
      fresh.answers.set('GET /3303/0/5700', null);
    });
    await world.advance(280_000);
    const asked = device.asked.length;
    expect(new Set(device.asked)).toEqual(new Set(['GET /3303/0/5700']));
    expect(asked).toBeLessThan(8);
    device.answers.clear();
    await device.register('deaf');
    await world.advance(100);
    expect(await running(known)).toHaveLength(2);
  });

  it('wait for a device that sleeps', async () => {
    world = await fleetWorld(store());
    const profile = await world.fleet.profiles.create(ADMIN, { name: 'of dozing' });
    const known = await world.fleet.devices.provision(ADMIN, { endpoint: 'dozing', profileId: profile.id });
    const device = world.device();
    await device.register('dozing', ['b=U', 'Q']);
    await world.advance(120_000);
    await world.during(world.fleet.watching.watch(ADMIN, known.id, ['/3303/0/5700']));
    await world.advance(1_000);
    expect(device.asked).toEqual([]);
    await device.send('POST', device.scripted.location);
    await world.advance(100);
    expect([...device.observing.keys()]).toEqual(['/3303/0/5700']);
  });
});
