import { afterEach, describe, expect, it } from 'vitest';
import { SimulatedNetwork } from '../../coap/network.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const MAPPING = { path: '/3303/0/5700', metric: 'temperature' };
const ENDPOINT = 'urn:dev:os:written';

describe('the attributes that a device accepted', () => {
  it('are not written again after a restart, only their changes, and all of them after a new Register', async () => {
    const network = new SimulatedNetwork();
    world = await fleetWorld(store(), { network });
    const profile = await world.fleet.profiles.create(ADMIN, {
      name: 'written',
      mappings: [{ ...MAPPING, attributes: { pmin: 10, pmax: 60 } }],
    });
    await world.fleet.devices.provision(ADMIN, { endpoint: ENDPOINT, profileId: profile.id });
    const device = world.device();
    const writes = (): string[] => device.asked.filter((line) => line.startsWith('PUT'));
    await device.register(ENDPOINT, ['lt=3600']);
    await world.advance(100);
    expect(writes()).toEqual(['PUT /3303/0/5700?pmin=10&pmax=60']);
    expect(await device.send('POST', device.scripted.location)).toBe('2.04');
    await world.advance(100);

    await world.stop();
    world = await fleetWorld(store(), { network });
    await world.advance(100);
    expect(await device.send('POST', device.scripted.location)).toBe('2.04');
    await world.advance(100);
    expect(writes()).toHaveLength(1);

    const mappings = [{ ...MAPPING, attributes: { pmax: 90 } }];
    await world.during(world.fleet.profiles.update(ADMIN, profile.id, { mappings }));
    await world.advance(100);
    expect(writes().slice(1)).toEqual(['PUT /3303/0/5700?pmin&pmax=90']);

    await world.stop();
    world = await fleetWorld(store(), { network });
    await world.advance(100);
    expect(writes()).toHaveLength(2);

    await device.register(ENDPOINT, ['lt=3600']);
    await world.advance(100);
    expect(writes().slice(2)).toEqual(['PUT /3303/0/5700?pmax=90']);
    await world.stop();
    world = await fleetWorld(store(), { network });
    await world.advance(100);
    expect(writes()).toHaveLength(3);
  });
});
