import { afterEach, describe, expect, it } from 'vitest';
import type { Rpc } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';
import { perform, registered } from './rpc-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const now = async (rpc: Rpc): Promise<Rpc | null> => (await world.fleet.rpcs.many(ADMIN, [rpc.id]))[0] ?? null;
const statuses = async (rpc: Rpc): Promise<string[]> =>
  ((await world.fleet.rpcs.transitions(ADMIN, [rpc.id])).get(rpc.id) ?? []).map(({ to }) => to);
const read = { kind: 'read', paths: ['/3/0/9'] } as const;

describe.each(['dtls', 'tcp'] as const)('after the session of a device ended: %s', (transport) => {
  it('a Read waits, and is sent in the new session', async () => {
    world = await fleetWorld(store(), { transport });
    const { device, known } = await registered(world, `back ${transport}`);
    world.disconnect(device);
    const pending = perform(world, known, read, { timeoutMs: 60_000 });
    const late = perform(world, known, read, { timeoutMs: 5_000 });
    const persistent = await world.during(perform(world, known, read, { mode: 'PERSISTENT' }));
    await world.advance(10_000);
    expect(device.asked).toEqual([]);
    expect(await late).toMatchObject({ status: 'TIMEOUT', attempts: 0, sentAt: null });
    expect(await now(persistent)).toMatchObject({ status: 'QUEUED', attempts: 0 });
    device.scripted.move(`198.51.100.${transport === 'tcp' ? 1 : 2}`);
    await device.send('POST', device.scripted.location);
    const rpc = await world.during(pending);
    expect(rpc).toMatchObject({ status: 'SUCCESSFUL', attempts: 1 });
    expect(await statuses(rpc)).toEqual(['QUEUED', 'SENT', 'DELIVERED', 'SUCCESSFUL']);
    await world.advance(100);
    expect(await now(persistent)).toMatchObject({ status: 'SUCCESSFUL', attempts: 1 });
  });

  it('a Read that was sent ends at once and says why', async () => {
    world = await fleetWorld(store(), { transport });
    const { device, known } = await registered(world, `cut ${transport}`);
    device.answers.set('GET /3/0/9', null);
    const pending = perform(world, known, read, { timeoutMs: 60_000 });
    await world.advance(100);
    world.disconnect(device);
    expect(await world.during(pending)).toMatchObject({
      status: 'TIMEOUT',
      attempts: 1,
      error: { code: 'TIMEOUT', message: 'the connection of the device ended before it answered' },
    });
  });
});
