import { afterEach, describe, expect, it } from 'vitest';
import { Path } from '../../../src/lwm2m/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

describe('readings of a device that is not registered', () => {
  it('are counted with the reason, and the log names the device', async () => {
    world = await fleetWorld(store());
    const device = world.device();
    await device.register('gone');
    const registration = world.server.registration(await keyOf('gone'));
    if (!registration) throw new Error('the device is not registered');
    await device.send('DELETE', device.scripted.location);
    const stored = world.sink.batches.length;

    const path = Path.parse('/3303/0/5700');
    const reading = { path, type: 'Float', value: 21.5, time: null, guessed: false } as const;
    await world.handlers.readings({
      registration,
      origin: 'NOTIFICATION',
      scope: [path],
      decoded: { readings: [reading], empty: [] },
      receivedAt: world.network.clock.now(),
      olderThan: null,
      message: null,
    });

    expect(world.snapshot().readings.dropped).toEqual({ not_registered: 1 });
    expect(world.warnings).toContain('readings dropped: the device is not registered');
    expect(world.sink.batches).toHaveLength(stored);
  });
});

async function keyOf(endpoint: string): Promise<string> {
  const device = await world.fleet.devices.get(ADMIN, { endpoint });
  return `${device?.tenantId}/${device?.id}`;
}
