import { afterEach, describe, expect, it } from 'vitest';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type Device, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const LINGER_MS = 30_000;
/** The requests for watchers that one device gets at once, and then in each minute. */
const BURST = 30;
const PER_MINUTE = 60;

interface Watched {
  readonly device: Device;
  readonly profileId: string;
  /** Subscribes to the paths and leaves again, a third of a second later. */
  readonly visit: (paths: readonly string[]) => Promise<void>;
}

async function watched(endpoint: string, links: string): Promise<Watched> {
  world = await fleetWorld(store(), { requestBurst: BURST });
  const profile = await world.fleet.profiles.create(ADMIN, { name: `of ${endpoint}` });
  const known = await world.fleet.devices.provision(ADMIN, { endpoint, profileId: profile.id });
  const device = world.device();
  for (const instance of Array.from({ length: 60 }).keys()) device.values.set(`/3303/${instance}/5700`, '21.5');
  await device.register(endpoint, [], links);
  await world.advance(100);
  return {
    device,
    profileId: profile.id,
    async visit(paths) {
      const lease = await world.during(world.fleet.watching.watch(ADMIN, known.id, paths));
      await world.advance(300);
      lease.release();
    },
  };
}

function sensors(from: number, to: number): number[] {
  return [...Array(to - from).keys()].map((offset) => from + offset);
}

const temperature = (instance: number): string => `/3303/${instance}/5700`;

describe('subscribers that come and go', () => {
  it('cost the device one request for each path', async () => {
    const ids = sensors(0, 20);
    const { device, visit } = await watched('visited', ids.map((id) => `</3303/${id}>`).join());
    for (let round = 0; round < 10; round++) await visit(ids.map(temperature));
    await world.advance(1_000);
    expect(device.asked).toHaveLength(20);
    expect(device.observing.size).toBe(20);
    expect(world.snapshot().observing).toMatchObject({ watched: 1, lingering: 20 });
  });

  it('are followed by the end of the observation after 30 seconds without one', async () => {
    const { device, visit } = await watched('left', '</3303/0>');
    await visit([temperature(0)]);
    await world.advance(LINGER_MS - 1_000);
    expect(device.observing.size).toBe(1);
    await visit([temperature(0)]);
    await world.advance(LINGER_MS - 1_000);
    expect(device.observing.size).toBe(1);
    await world.advance(1_100);
    expect(device.observing.size).toBe(0);
    expect(world.snapshot().observing).toMatchObject({ watched: 0, lingering: 0 });
  });

  it('with other paths each time cost the device a burst of requests, then one a second', async () => {
    const links = sensors(0, 60)
      .map((id) => `</3303/${id}>`)
      .join();
    const { device, visit } = await watched('toured', links);
    const began = world.network.clock.now();
    for (const start of [0, 20, 40, 0, 20, 40]) await visit(sensors(start, start + 20).map(temperature));
    const minutes = (world.network.clock.now() - began) / 60_000;
    expect(device.asked.length).toBeGreaterThanOrEqual(BURST);
    expect(device.asked.length).toBeLessThanOrEqual(BURST + Math.ceil(minutes * PER_MINUTE));
    expect(world.snapshot().observing.postponed).toBeGreaterThan(0);
    await world.advance(60_000);
    const before = device.asked.length;
    await world.advance(60_000);
    expect(device.asked.length - before).toBeLessThanOrEqual(PER_MINUTE + 1);
  });

  it('do not delay what the profile observes', async () => {
    const links = sensors(0, 60)
      .map((id) => `</3303/${id}>`)
      .join();
    const { device, profileId, visit } = await watched('busy', links);
    for (const start of [0, 20, 40]) await visit(sensors(start, start + 20).map(temperature));
    const lowest = sensors(0, 10).map((instance) => `/3303/${instance}/5601`);
    for (const path of lowest) device.values.set(path, '7');
    const mappings = lowest.map((path, index) => ({ path, metric: `lowest_${index}` }));
    await world.during(world.fleet.profiles.update(ADMIN, profileId, { mappings }));
    // Less than the time between two requests for watchers.
    await world.advance(100);
    expect([...device.observing.keys()]).toEqual(expect.arrayContaining(lowest));
  });
});
