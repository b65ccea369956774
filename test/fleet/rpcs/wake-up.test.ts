import { afterEach, describe, expect, it } from 'vitest';
import { methodCode } from '../../../src/coap/code.ts';
import type { Rpc } from '../../../src/fleet/index.ts';
import { decoded } from '../../coap/network.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';
import { perform, registered } from './rpc-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

/** While the device sleeps, nothing reaches it. */
function asleep(isAsleep: boolean): void {
  world.network.conditions = { ...world.network.conditions, loss: isAsleep ? 1 : 0 };
}

/** The ids of the messages that the server sent with the code of a Read, copies included. */
function reads(): number[] {
  const messages = world.network.datagrams.map(({ bytes }) => decoded(bytes));
  return messages.filter(({ code }) => code === methodCode('GET')).map(({ messageId }) => messageId);
}

const now = async (rpc: Rpc): Promise<Rpc | null> => (await world.fleet.rpcs.many(ADMIN, [rpc.id]))[0] ?? null;
const read = { kind: 'read', paths: ['/3/0/9'] } as const;

describe('a message of the device', () => {
  it.each(['an Update', 'a Send', 'an Update from a new address'])(
    'makes the server send a request again that it retransmits: %s',
    async (message) => {
      world = await fleetWorld(store());
      const { device, known } = await registered(world, `awake for two seconds: ${message}`, ['b=U', 'Q']);
      // The device sleeps without the server's knowledge.
      asleep(true);
      const pending = perform(world, known, read, { timeoutMs: 90_000 });
      // The copies go out 2, 6, 14 and 30 seconds after the first, or up to half as much later.
      await world.advance(24_000);
      const before = reads().length;
      asleep(false);
      if (message === 'an Update from a new address') device.scripted.move('198.51.100.7');
      if (message === 'a Send') await device.send('POST', '/dp', { format: 110, text: '[{"n":"/3303/0/5700","v":7}]' });
      else await device.send('POST', device.scripted.location);
      await world.advance(500);
      expect(reads()).toHaveLength(before + 1);
      expect(await world.during(pending)).toMatchObject({ status: 'SUCCESSFUL', attempts: 1 });
      expect(new Set(reads()).size).toBe(1);
    },
  );

  it('does not make it send a copy each time', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'chatty');
    device.answers.set('GET /3/0/9', null);
    const pending = perform(world, known, read, { timeoutMs: 20_000 });
    for (let count = 0; count < 50; count++) {
      await device.send('POST', '/dp', { format: 110, text: '[{"n":"/3303/0/5700","v":7}]' });
      await world.advance(100);
    }
    // In these 7 seconds: the first copy, two retransmissions, and one more for each ACK_TIMEOUT.
    expect(reads().length).toBeLessThanOrEqual(7);
    await world.advance(20_000);
    expect(await pending).toMatchObject({ status: 'TIMEOUT' });
  });

  it('ends the wait before the next attempt of a PERSISTENT call', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'back early');
    asleep(true);
    const rpc = await world.during(perform(world, known, read, { mode: 'PERSISTENT', timeoutMs: 10_000 }));
    // The first attempt ends after 10 seconds; the next one comes 5 seconds later.
    await world.advance(12_000);
    expect(await now(rpc)).toMatchObject({ status: 'QUEUED', attempts: 1 });
    asleep(false);
    await device.send('POST', '/dp', { format: 110, text: '[{"n":"/3303/0/5700","v":7}]' });
    await world.advance(100);
    expect(await now(rpc)).toMatchObject({ status: 'SUCCESSFUL', attempts: 2 });
  });

  it('is not missed while the end of the last attempt is being recorded', async () => {
    world = await fleetWorld(store());
    const { known } = await registered(world, 'slow database');
    asleep(true);
    const rpc = await world.during(perform(world, known, read, { mode: 'PERSISTENT', timeoutMs: 10_000 }));
    // In a leap of 9 seconds, the wait of 5 seconds ends before the database has recorded the end of the attempt.
    await world.advance(90_000);
    expect((await now(rpc))?.attempts).toBeGreaterThan(1);
  });
});

describe('a PERSISTENT call is sent to a device that is back', () => {
  const DAY = 86_400;

  // The attempt ends after 10 seconds; the Register comes before, at and after that time.
  it.each([2_000, 9_998, 9_999, 10_000, 10_001, 10_002, 12_000])(
    'with a Register, %i ms after the attempt began',
    async (ms) => {
      world = await fleetWorld(store());
      const endpoint = `back after ${ms} ms`;
      const { device, known } = await registered(world, endpoint, [`lt=${DAY}`]);
      asleep(true);
      const options = { mode: 'PERSISTENT', timeoutMs: 10_000 } as const;
      const rpc = await world.during(perform(world, known, read, options));
      await world.advance(ms);
      asleep(false);
      await device.register(endpoint, [`lt=${DAY}`]);
      await world.advance(1_000);
      expect(await now(rpc)).toMatchObject({ status: 'SUCCESSFUL' });
    },
  );

  it('when the database failed while it should be sent', async () => {
    const opened = store();
    const database = { fails: false };
    world = await fleetWorld({
      ...opened,
      asTenant: (tenantId, work) =>
        database.fails ? Promise.reject(new Error('the database is away')) : opened.asTenant(tenantId, work),
    });
    const { device, known } = await registered(world, 'database away', [`lt=${DAY}`]);
    asleep(true);
    const rpc = await world.during(perform(world, known, read, { mode: 'PERSISTENT', timeoutMs: 10_000 }));
    await world.advance(12_000);
    expect(await now(rpc)).toMatchObject({ status: 'QUEUED', attempts: 1 });
    asleep(false);
    database.fails = true;
    await world.advance(8_000);
    database.fails = false;
    await world.advance(30_000);
    expect(device.asked).toContain('GET /3/0/9');
    expect(await now(rpc)).toMatchObject({ status: 'SUCCESSFUL' });
  });
});
