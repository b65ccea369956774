import { afterEach, describe, expect, it } from 'vitest';
import { useStore } from '../../store/database.ts';
import { fleetWorld, type FleetWorld } from '../fleet-world.ts';
import { perform, registered } from './rpc-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

describe('timeoutMs', () => {
  it('counts its time from the call: one behind a request without a response is not sent and times out', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'slow-ahead');
    device.answers.set('GET /3/0/9', null);
    const ahead = perform(world, known, { kind: 'read', paths: ['/3/0/9'] }, { timeoutMs: 90_000 });
    await world.advance(100);
    const behind = perform(world, known, { kind: 'read', paths: ['/3303/0/5700'] }, { timeoutMs: 3_000 });
    await world.advance(3_100);
    expect(await world.during(behind)).toMatchObject({
      status: 'TIMEOUT',
      attempts: 0,
      error: { code: 'TIMEOUT', message: 'nothing could be sent to the device in time' },
    });
    await world.advance(100_000);
    expect(await ahead).toMatchObject({ status: 'TIMEOUT', attempts: 1 });
    expect(device.asked).not.toContain('GET /3303/0/5700');
  });
});
