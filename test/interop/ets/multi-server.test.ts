import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AskedDevice } from './asked-device.ts';
import { enter, nameOf, type Player, REGISTERED, ROLES, stage } from './stage.ts';

const TEMPERATURE = '/3303/0/5700';
/** Stands still. */
const SERIAL_NUMBER = '/3/0/2';
/** Of the first server, and of the second. */
const LIFETIMES = ['/1/0/1', '/1/1/1'] as const;
const SHORT_SERVER_IDS = { '/1/0/0': 123, '/1/1/0': 124 };
const DISABLE = '/1/0/4';
const DISABLE_TIMEOUT = '/1/0/5';
const LOOKING = { timeout: 20_000 };

/** Leshan's client has one LwM2M server at most. */
const PLAYERS = ROLES.filter(({ client }) => client === 'simulated device');

describe('the multi-server cases of the interoperability list', () => {
  const first = stage();
  const second = stage();

  describe.each(PLAYERS)('$client of LwM2M $lwm2m over $transport', (role) => {
    let player: Player;
    /** The device as its first server knows it, and as the second does. */
    let device: AskedDevice;
    let other: AskedDevice;

    beforeAll(async () => {
      player = await enter(first(), role, { others: [second()], simulated: ['--object', '3303'] });
      device = player.device;
      other = await AskedDevice.online(second(), player.endpoint);
    });

    afterAll(() => player?.peer.stop());

    it(nameOf(950, role), async () => {
      for (const each of [device, other]) {
        expect(await each.registration()).toMatchObject({
          lwm2mVersion: role.lwm2m,
          transport: role.transport,
          lifetime: 300,
          objects: expect.arrayContaining([{ objectId: 1, instanceIds: [0, 1] }]),
        });
        const { code, values } = await each.read(['/1']);
        expect(code).toBe('2.05');
        expect(values).toMatchObject(SHORT_SERVER_IDS);
      }

      // Each account has a lifetime of its own, which only its server is told.
      expect(await device.write({ [LIFETIMES[0]]: 600 })).toMatchObject({ code: '2.04' });
      expect(await other.write({ [LIFETIMES[1]]: 900 })).toMatchObject({ code: '2.04' });
      await expect.poll(() => device.registration(), LOOKING).toMatchObject({ lifetime: 600 });
      await expect.poll(() => other.registration(), LOOKING).toMatchObject({ lifetime: 900 });

      // And it leaves one of them without the other.
      expect(await device.write({ [DISABLE_TIMEOUT]: 2 })).toMatchObject({ code: '2.04' });
      const since = player.peer.mark();
      expect(await device.execute(DISABLE)).toMatchObject({ code: '2.04' });
      await device.reaches('OFFLINE');
      expect(await other.read([SERIAL_NUMBER])).toMatchObject({ code: '2.05' });
      await player.peer.waitFor(REGISTERED, { since });
      await device.reaches('ONLINE');
    });

    it(nameOf(951, role), async () => {
      expect(await device.writeAttributes(TEMPERATURE, { pmin: 5, pmax: 15 })).toMatchObject({ code: '2.04' });
      expect(await other.writeAttributes(TEMPERATURE, { gt: 30, lt: 10 })).toMatchObject({ code: '2.04' });
      expect((await device.discover(TEMPERATURE)).links[TEMPERATURE]).toEqual({ pmin: '5', pmax: '15' });
      const { gt, lt, ...rest } = (await other.discover(TEMPERATURE)).links[TEMPERATURE] ?? {};
      expect([Number(gt), Number(lt), rest]).toEqual([30, 10, {}]);

      // Both observe; the one is told again within its pmax, the other has asked for none.
      expect(await device.writeAttributes(SERIAL_NUMBER, { pmin: 1, pmax: 2 })).toMatchObject({ code: '2.04' });
      for (const each of [device, other]) expect(await each.observe([SERIAL_NUMBER])).toMatchObject({ code: '2.05' });
      const told = await other.toldAt(SERIAL_NUMBER);
      await device.isToldAgain(SERIAL_NUMBER);
      expect(await other.toldAt(SERIAL_NUMBER)).toBe(told);

      // What one takes back stays with the other.
      expect(await device.writeAttributes(TEMPERATURE, { pmin: null, pmax: null })).toMatchObject({ code: '2.04' });
      expect((await device.discover(TEMPERATURE)).links[TEMPERATURE]).toEqual({});
      expect((await other.discover(TEMPERATURE)).links[TEMPERATURE]).toMatchObject({ gt: expect.any(String) });
    });
  });
});
