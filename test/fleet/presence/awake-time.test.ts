import { afterEach, describe, expect, it } from 'vitest';
import type { Device as KnownDevice, ProfileInput } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, type Device, fleetWorld, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const SECOND = 1_000;
const DAY = 86_400 * SECOND;
const MONTH = 30 * 86_400;

interface Sleeper {
  readonly device: Device;
  readonly known: () => Promise<KnownDevice>;
}

async function sleeper(endpoint: string, profile: Partial<ProfileInput> = {}): Promise<Sleeper> {
  const { id: profileId } = await world.fleet.profiles.create(ADMIN, { name: `of ${endpoint}`, ...profile });
  await world.fleet.devices.provision(ADMIN, { endpoint, profileId });
  const device = world.device();
  expect(await device.register(endpoint, ['Q', `lt=${MONTH}`])).toBe('2.01');
  return { device, known: () => find(endpoint) };
}

async function find(endpoint: string): Promise<KnownDevice> {
  const device = await world.fleet.devices.get(ADMIN, { endpoint });
  if (!device) throw new Error(`${endpoint} is unknown`);
  return device;
}

/** While the device sleeps, nothing reaches it. */
function lose(loss: 0 | 1): void {
  world.network.conditions = { ...world.network.conditions, loss };
}

async function update({ device }: Sleeper): Promise<void> {
  await device.send('POST', device.scripted.location);
}

/** Calls the device, after so many seconds of silence that begin with an Update; resolves with how the call ended. */
async function callAfter(one: Sleeper, seconds: number, reached: boolean, timeoutMs = 20_000): Promise<string> {
  await update(one);
  await world.advance(seconds * SECOND);
  if (!reached) lose(1);
  const { id } = await one.known();
  const call = world.fleet.rpcs.perform(ADMIN, id, { kind: 'read', paths: ['/3/0/9'] }, { timeoutMs });
  await world.advance(reached ? 200 : timeoutMs + SECOND);
  lose(0);
  return (await call).status;
}

describe('the measured awake time of a device', () => {
  it('is the silence after which it twice did not answer, and decides when it is asleep', async () => {
    world = await fleetWorld(store());
    const one = await sleeper('measured');
    expect(await callAfter(one, 40, false)).toBe('TIMEOUT');
    expect(await callAfter(one, 30, false)).toBe('TIMEOUT');
    expect(await one.known()).toMatchObject({ measuredAwakeTime: null });
    await update(one);
    expect(await one.known()).toMatchObject({
      awakeTime: null,
      measuredAwakeTime: 40,
      awakeMeasuredAt: expect.any(Date),
    });
    await update(one);
    await world.advance(38 * SECOND);
    expect(await one.known()).toMatchObject({ status: 'ONLINE' });
    await world.advance(3 * SECOND);
    expect(await one.known()).toMatchObject({ status: 'SLEEPING' });
    // A shorter silence without an answer makes it shorter.
    await callAfter(one, 20, false);
    await update(one);
    expect(await one.known()).toMatchObject({ measuredAwakeTime: 30 });
  });

  it('is kept over a restart and a new Register', async () => {
    world = await fleetWorld(store());
    const { network } = world;
    const one = await sleeper('kept');
    for (const seconds of [25, 25]) await callAfter(one, seconds, false);
    await update(one);
    await world.stop();
    world = await fleetWorld(store(), { network });
    expect(await one.known()).toMatchObject({ measuredAwakeTime: 25 });
    await update(one);
    await world.advance(26 * SECOND);
    expect(await one.known()).toMatchObject({ status: 'SLEEPING' });
    await one.device.register('kept', ['Q', `lt=${MONTH}`]);
    await world.advance(26 * SECOND);
    expect(await one.known()).toMatchObject({ status: 'SLEEPING' });
  });

  it('gives way to the time that a person set for the device', async () => {
    world = await fleetWorld(store());
    const one = await sleeper('set');
    for (const seconds of [25, 25]) await callAfter(one, seconds, false);
    await update(one);
    const { id } = await one.known();
    await world.fleet.devices.update(ADMIN, id, { awakeTime: 60 });
    await update(one);
    await world.advance(55 * SECOND);
    expect(await one.known()).toMatchObject({ status: 'ONLINE', awakeTime: 60, measuredAwakeTime: 25 });
    await world.fleet.devices.update(ADMIN, id, { awakeTime: null });
    await update(one);
    await world.advance(26 * SECOND);
    expect(await one.known()).toMatchObject({ status: 'SLEEPING', awakeTime: null });
  });

  it('does not make the time of the profile longer, and outlives a change of the profile', async () => {
    world = await fleetWorld(store());
    const one = await sleeper('profiled', { awakeTime: 80 });
    for (const seconds of [50, 50]) await callAfter(one, seconds, false);
    await update(one);
    const { profileId } = await one.known();
    for (const [awakeTime, awake] of [
      [20, 20],
      [70, 50],
    ] as const) {
      await world.fleet.profiles.update(ADMIN, profileId, { name: 'of profiled', awakeTime });
      await update(one);
      await world.advance((awake - 2) * SECOND);
      expect(await one.known()).toMatchObject({ status: 'ONLINE' });
      await world.advance(3 * SECOND);
      expect(await one.known()).toMatchObject({ status: 'SLEEPING' });
    }
  });

  it('ends with an answer after as long a silence', async () => {
    world = await fleetWorld(store());
    const one = await sleeper('longer');
    for (const seconds of [25, 25]) await callAfter(one, seconds, false);
    await update(one);
    await world.fleet.devices.update(ADMIN, (await one.known()).id, { awakeTime: 60 });
    expect(await callAfter(one, 24, true)).toBe('SUCCESSFUL');
    expect(await one.known()).toMatchObject({ measuredAwakeTime: 25 });
    expect(await callAfter(one, 30, true)).toBe('SUCCESSFUL');
    expect(await one.known()).toMatchObject({ measuredAwakeTime: null, awakeMeasuredAt: null });
  });

  it('ends after a week', async () => {
    world = await fleetWorld(store());
    const one = await sleeper('weekly');
    for (const seconds of [25, 25]) await callAfter(one, seconds, false);
    await update(one);
    await world.advance(7 * DAY);
    await update(one);
    await update(one);
    await world.advance(80 * SECOND);
    expect(await one.known()).toMatchObject({ status: 'ONLINE', measuredAwakeTime: null });
  });
});

describe('an unanswered call measures nothing', () => {
  it('when the device answered another one after as long a silence', async () => {
    world = await fleetWorld(store());
    const one = await sleeper('lossy');
    await callAfter(one, 25, false);
    expect(await callAfter(one, 30, true)).toBe('SUCCESSFUL');
    await callAfter(one, 25, false);
    await update(one);
    expect(await one.known()).toMatchObject({ measuredAwakeTime: null });
  });

  it('when it waited less than 10 seconds', async () => {
    world = await fleetWorld(store());
    const one = await sleeper('hurried');
    for (const seconds of [25, 25]) {
      await callAfter(one, seconds, false, 5_000);
      await world.advance(20 * SECOND);
    }
    await update(one);
    expect(await one.known()).toMatchObject({ measuredAwakeTime: null });
  });

  it('when the device registers anew instead', async () => {
    world = await fleetWorld(store());
    const one = await sleeper('restarted');
    for (let round = 0; round < 3; round++) {
      await callAfter(one, 25, false);
      await one.device.register('restarted', ['Q', `lt=${MONTH}`]);
    }
    expect(await one.known()).toMatchObject({ measuredAwakeTime: null });
  });

  it('when the device is not in queue mode', async () => {
    world = await fleetWorld(store());
    const one = await sleeper('wakeful');
    await one.device.register('wakeful', [`lt=${MONTH}`]);
    for (const seconds of [25, 25]) await callAfter(one, seconds, false);
    await update(one);
    expect(await one.known()).toMatchObject({ measuredAwakeTime: null });
  });
});
