import { afterEach, describe, expect, it } from 'vitest';
import type { Device as KnownDevice, FleetEvents, JsonValue } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type Device, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

async function registered(endpoint: string): Promise<{ device: Device; known: KnownDevice }> {
  world = await fleetWorld(store());
  const profile = await world.fleet.profiles.create(ADMIN, { name: `of ${endpoint}` });
  const known = await world.fleet.devices.provision(ADMIN, { endpoint, profileId: profile.id });
  const device = world.device();
  await device.register(endpoint, [], '</1/0>,</3/0>,</4/0>,</3303/0>,</3303/1>');
  return { device, known };
}

/** A Send of SenML JSON. */
const send = (device: Device, records: unknown): Promise<string> =>
  device.send('POST', '/dp', { format: 110, text: JSON.stringify(records) });

async function tree(known: KnownDevice, ...selectors: (number | null)[][]): Promise<Record<string, unknown>> {
  const found = await world.fleet.devices.resources(
    ADMIN,
    [known.id],
    selectors.map((ids) => ({ ids })),
  );
  return Object.fromEntries((found.get(known.id) ?? []).map(({ path, value }) => [path, value]));
}

function changes(): FleetEvents['resourceChanged'][] {
  const seen: FleetEvents['resourceChanged'][] = [];
  const subscription = world.bus.subscribe('resourceChanged', null);
  void (async () => {
    for await (const event of subscription) if (event.kind === 'event') seen.push(event.value);
  })();
  return seen;
}

describe('the resource tree', () => {
  it('holds every type as JSON spells it, and folds multiple resources', async () => {
    const { device, known } = await registered('typed');
    const records = [
      { bn: '/3/0/', n: '0', vs: 'nul \0 and 🌲' },
      { n: '9', v: 80 },
      { n: '13', v: 1_780_065_000 },
      { n: '6/0', v: 1 },
      { n: '6/1', v: 5 },
      { bn: '/3303/0/', n: '5700', v: 22.5 },
    ];
    expect(await send(device, records)).toBe('2.04');
    expect(await tree(known)).toEqual({
      '/3/0/0': 'nul \0 and 🌲',
      '/3/0/6': { 0: 1, 1: 5 },
      '/3/0/9': 80,
      '/3/0/13': '2026-05-29T14:30:00Z',
      '/3303/0/5700': 22.5,
    });
  });

  it('is read by selectors, with stars, of several devices in one statement', async () => {
    const { device, known } = await registered('selected');
    await send(device, [
      { n: '/3/0/9', v: 1 },
      { n: '/3303/0/5700', v: 2 },
      { n: '/3303/1/5700', v: 3 },
      { n: '/3303/1/5601', v: 4 },
    ]);
    expect(await tree(known, [3303, null, 5700])).toEqual({ '/3303/0/5700': 2, '/3303/1/5700': 3 });
    expect(await tree(known, [3], [3303, 1])).toEqual({ '/3/0/9': 1, '/3303/1/5601': 4, '/3303/1/5700': 3 });
    expect(await tree(known, [5])).toEqual({});
    const other = await world.fleet.devices.provision(ADMIN, { endpoint: 'empty' });
    const both = await world.fleet.devices.resources(ADMIN, [known.id, other.id], []);
    expect([both.get(known.id)?.length, both.get(other.id)]).toEqual([4, []]);
  });

  it('lets a history that comes late leave a newer value as it is', async () => {
    const { device, known } = await registered('late');
    const seen = changes();
    const now = Math.floor(world.network.clock.now() / 1000);
    await send(device, [{ n: '/3303/0/5700', v: 20, t: now - 10 }]);
    await send(device, [
      { n: '/3303/0/5700', v: 18, t: now - 30 },
      { n: '/3303/1/5700', v: 8, t: now - 30 },
      { n: '/3303/1/5700', v: 9, t: now - 20 },
    ]);
    expect(await tree(known)).toEqual({ '/3303/0/5700': 20, '/3303/1/5700': 9 });
    const told = seen.flatMap(({ resources }) => resources.map(({ path, value }): [string, unknown] => [path, value]));
    expect(told).toEqual([
      ['/3303/0/5700', 20],
      ['/3303/1/5700', 9],
    ]);
  });

  it('is not held up by a clock that runs ahead', async () => {
    const { device, known } = await registered('ahead');
    const tomorrow = Math.floor(world.network.clock.now() / 1000) + 86_400;
    await send(device, [{ n: '/3303/0/5700', v: 20, t: tomorrow }]);
    await send(device, [{ n: '/3303/0/5700', v: 21 }]);
    expect(await tree(known)).toEqual({ '/3303/0/5700': 21 });
  });

  it('loses what a read of a whole no longer holds', async () => {
    const { device, known } = await registered('shrinking');
    await send(device, [
      { n: '/3/0/9', v: 80 },
      { n: '/3/0/6/0', v: 1 },
      { n: '/3/0/6/1', v: 5 },
      { n: '/3303/0/5700', v: 22 },
    ]);
    // Object 3 now, in TLV: battery level 100 and one power source (facts of TLV: C1 09 64, 86 06 41 00 01…).
    const payload = Uint8Array.of(0xc1, 0x09, 0x64, 0x83, 0x06, 0x41, 0x00, 0x01);
    device.answers.set('GET /3/0', { code: 69, contentFormat: 11542, payload });
    await world.during(world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'read', paths: ['/3/0'] }));
    expect(await tree(known)).toEqual({ '/3/0/6': { 0: 1 }, '/3/0/9': 100, '/3303/0/5700': 22 });
    await world.during(world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'delete', path: '/3303/0' }));
    expect(await tree(known)).toEqual({ '/3/0/6': { 0: 1 }, '/3/0/9': 100 });
  });

  it('tells subscribers a multiple resource whole, when one of its instances came', async () => {
    const { device } = await registered('partial');
    await send(device, [
      { n: '/3/0/7/0', v: 3300 },
      { n: '/3/0/7/1', v: 5000 },
    ]);
    const seen = changes();
    await send(device, [{ n: '/3/0/7/1', v: 4900 }]);
    const value: Record<string, JsonValue> = { 0: 3300, 1: 4900 };
    expect(seen).toMatchObject([{ resources: [{ path: '/3/0/7', value, source: 'SEND' }] }]);
  });

  it('never holds what Security and OSCORE hold', async () => {
    const { device, known } = await registered('secret');
    await send(device, [{ n: '/0/0/5', vd: 'c2VjcmV0' }]);
    expect(await tree(known)).toEqual({});
  });

  it('keeps a payload that can’t be read, with the reason and the bytes', async () => {
    const { device, known } = await registered('garbled');
    expect(await device.send('POST', '/dp', { format: 110, text: '[{"n":"/3/0/9","v":tru' })).toBe('4.00');
    expect(world.sink.letters).toMatchObject([{ deviceId: known.id, contentFormat: 110, origin: 'SEND' }]);
    expect(Buffer.from(world.sink.letters[0]?.bytes ?? []).toString()).toContain('tru');
  });
});
