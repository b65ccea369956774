import { afterEach, describe, expect, it } from 'vitest';
import { useStore } from '../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from './fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

describe('a device that registers', () => {
  it('is provisioned, online and observed by its profile, and its readings are in the tree and published', async () => {
    world = await fleetWorld(store());
    const device = world.device();
    expect(await device.register('urn:imei:123')).toBe('2.01');
    const known = await world.fleet.devices.get(ADMIN, { endpoint: 'urn:imei:123' });
    expect(known).toMatchObject({ status: 'ONLINE', endpoint: 'urn:imei:123' });
    if (!known) return;
    await world.advance(100);
    expect([...device.observing.keys()]).toEqual(['/3303/0/5700', '/3/0/9']);
    expect(await device.notify('/3303/0/5700', '23.25')).toBe('ACK');
    const tree = await world.fleet.devices.resources(ADMIN, [known.id], [{ ids: [3303] }]);
    expect(tree.get(known.id)).toMatchObject([{ path: '/3303/0/5700', value: 23.25, type: 'Float' }]);
    expect(world.sink.batches.at(-1)?.readings).toMatchObject([{ type: 'Float', value: 23.25 }]);
    expect(world.sink.events).toMatchObject([{ status: 'online', previous: null, reason: 'registered' }]);

    const rpc = await world.during(world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}));
    expect(rpc).toMatchObject({ status: 'SUCCESSFUL', result: { code: '2.04' } });
    expect(device.asked.at(-1)).toBe('POST /3/0/4');
    const transitions = await world.fleet.rpcs.transitions(ADMIN, [rpc.id]);
    expect(transitions.get(rpc.id)?.map(({ to }) => to)).toEqual(['QUEUED', 'SENT', 'DELIVERED', 'SUCCESSFUL']);

    expect(await device.send('DELETE', device.scripted.location)).toBe('2.02');
    expect(await world.fleet.devices.get(ADMIN, { id: known.id })).toMatchObject({ status: 'OFFLINE' });
    expect(world.sink.events.at(-1)).toMatchObject({ status: 'offline', previous: 'online', reason: 'deregistered' });
    expect(world.warnings).toEqual([]);
  });
});
