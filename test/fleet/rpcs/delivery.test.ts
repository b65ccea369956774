import { afterEach, describe, expect, it } from 'vitest';
import type { Rpc } from '../../../src/fleet/index.ts';
import { SimulatedNetwork } from '../../coap/network.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type Device, type FleetWorld } from '../fleet-world.ts';
import { perform, registered } from './rpc-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const now = async (rpc: Rpc): Promise<Rpc | null> => (await world.fleet.rpcs.many(ADMIN, [rpc.id]))[0] ?? null;

function acknowledge(device: Device, line: string): void {
  const asked = device.scripted.asked.findLast((request) => request.line === line);
  device.scripted.acknowledge(asked?.message.messageId ?? -1);
}

describe('an operation that is not safe to repeat', () => {
  it('is sent once, and ends as UNKNOWN when the response is lost', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'lossy');
    device.answers.set('POST /3/0/12', null);
    const rpc = await world.during(
      perform(world, known, { kind: 'execute', path: '/3/0/12' }, { mode: 'PERSISTENT', timeoutMs: 10_000 }),
    );
    await world.advance(11_000);
    device.answers.clear();
    await world.advance(120_000);
    expect(await now(rpc)).toMatchObject({ status: 'UNKNOWN', attempts: 1, error: { code: 'UNKNOWN' } });
    const ids = device.scripted.asked.map(({ message }) => message.messageId);
    expect(new Set(ids).size).toBe(1);
  });

  it('is not sent again after a restart of the server', async () => {
    const network = new SimulatedNetwork();
    world = await fleetWorld(store(), { network });
    const { device, known } = await registered(world, 'restart of the server');
    device.answers.set('POST /3/0/12', null);
    const rpc = await world.during(perform(world, known, { kind: 'execute', path: '/3/0/12' }, { mode: 'PERSISTENT' }));
    await world.advance(100);
    await world.stop();
    world = await fleetWorld(store(), { network });
    await world.advance(1_000);
    expect(await now(rpc)).toMatchObject({ status: 'UNKNOWN', attempts: 1 });
  });
});

describe('a reboot', () => {
  it.each(['replaces its registration', 'de-registers first'])(
    'is SUCCESSFUL when the device acknowledged it and registers again: %s',
    async (how) => {
      world = await fleetWorld(store());
      const endpoint = `reboots ${how}`;
      const { device, known } = await registered(world, endpoint);
      device.answers.set('POST /3/0/4', null);
      const pending = world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {});
      await world.advance(100);
      acknowledge(device, 'POST /3/0/4');
      await world.advance(100);
      if (how === 'de-registers first') await device.send('DELETE', device.scripted.location);
      await world.advance(2_000);
      await device.register(endpoint);
      const rpc = await world.during(pending);
      expect(rpc).toMatchObject({ status: 'SUCCESSFUL', attempts: 1, error: null });
      const changes = await world.fleet.rpcs.transitions(ADMIN, [rpc.id]);
      expect(changes.get(rpc.id)?.at(-1)).toMatchObject({ to: 'SUCCESSFUL', detail: 'the device registered again' });
      await world.advance(60_000);
      expect(device.asked.filter((line) => line === 'POST /3/0/4')).toHaveLength(1);
    },
  );

  it('ends as UNKNOWN when the device acknowledged it and does not come back in time', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'stays away');
    device.answers.set('POST /3/0/4', null);
    const pending = world.fleet.rpcs.call(ADMIN, known.id, 'reboot', {}, { timeoutMs: 10_000 });
    await world.advance(100);
    acknowledge(device, 'POST /3/0/4');
    await world.advance(11_000);
    expect(await pending).toMatchObject({ status: 'UNKNOWN', error: { code: 'UNKNOWN' } });
  });
});
