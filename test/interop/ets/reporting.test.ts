import { expect, vi } from 'vitest';
import { requirePeer } from '../peers/index.ts';
import type { AskedDevice, Change } from './asked-device.ts';
import {
  LESHAN_1_1,
  type Play,
  playAll,
  type Player,
  type Role,
  SIMULATED_1_0,
  SIMULATED_1_1,
  SIMULATED_1_2,
  stage,
} from './stage.ts';

/** The default profile observes it on every device. */
const TEMPERATURE = '/3303/0/5700';
/** Stands still. */
const SERIAL_NUMBER = '/3/0/2';
const IDENTITY = '/16/0/0/0';
const MUTE_SEND = '/1/0/23';

/** Two numbers that nobody observes before: Leshan sets them when it is told to, on the simulated device they drift. */
const QUANTITIES: Readonly<Record<Role['client'], readonly [string, string]>> = {
  Leshan: ['/3/0/10', '/4/0/2'],
  'simulated device': ['/3304/0/5700', '/3323/0/5700'],
};
const SENDS = /^SENT .*204|send \d+ values → 2\.04/;

/** Who measures when it is told to: what drifts on the simulated device, the default profile observes too. */
const TOLD: readonly Role[] = [LESHAN_1_1];
const COMPOSITE: readonly Role[] = [LESHAN_1_1, SIMULATED_1_1, SIMULATED_1_2];
/** Leshan tells the observers of an object nothing when an instance comes or goes. */
const INSTANCES: readonly Role[] = [SIMULATED_1_1, SIMULATED_1_2];
const ALL: readonly Role[] = [SIMULATED_1_0, ...COMPOSITE];

let measured = 100;

/** The device measures something new there; the simulated one does so each second. */
function measure({ role, peer }: Player, path: string): void {
  measured += 1;
  if (role.client === 'Leshan') peer.write(`set ${path} ${measured}`);
}

function tells(source: string, path: string): (change: Change) => boolean {
  return ({ resources }) => resources.some((it) => it.source === source && it.path === path);
}

async function isNotified(player: Player, path: string): Promise<void> {
  await player.device.changed(() => measure(player, path), tells('NOTIFICATION', path));
}

/** While the device notifies of the temperature twice, it says nothing of what is not observed any more. */
async function isNotNotified(player: Player, path: string): Promise<void> {
  // What was on its way when the observation ended has come by then.
  await isNotified(player, TEMPERATURE);
  for (let times = 0; times < 2; times += 1) {
    const changes = await player.device.changesUntil(
      () => {
        measure(player, path);
        measure(player, TEMPERATURE);
      },
      tells('NOTIFICATION', TEMPERATURE),
    );
    expect(changes.filter(tells('NOTIFICATION', path))).toEqual([]);
  }
}

function cancels(passive: boolean): Play['play'] {
  return async (player) => {
    const { device, role } = player;
    const [path] = QUANTITIES[role.client];
    const { code, values } = await device.observe([path]);
    expect(code).toBe('2.05');
    expect(values).toEqual({ [path]: expect.any(Number) });
    await isNotified(player, path);
    const cancelled = await device.cancelObservation([path], passive);
    expect(cancelled.status).toBe('SUCCESSFUL');
    if (!passive) expect(cancelled.code).toBe('2.05');
    expect(await device.observations()).not.toContainEqual([path]);
    await isNotNotified(player, path);
  };
}

async function instancesOf(device: AskedDevice, objectId: number): Promise<number[]> {
  const { device: found } = await device.treeline.query<{
    device: { objects: { instances: { instanceId: number }[] }[] };
  }>('query ($id: ID!, $ids: [Int!]) { device(id: $id) { objects(objectIds: $ids) { instances { instanceId } } } }', {
    id: device.id,
    ids: [objectId],
  });
  return found.objects.flatMap(({ instances }) => instances.map(({ instanceId }) => instanceId));
}

/** The device sends it of its own accord; Leshan when it is told to. */
function sends(pathOf: (role: Role) => string): Play['play'] {
  return async ({ device, peer, role }) => {
    const path = pathOf(role);
    const since = peer.mark();
    await device.changed(() => role.client === 'Leshan' && peer.write(`send ${path}`), tells('SEND', path));
    await peer.waitFor(SENDS, { since });
  };
}

const sendsQuantity = sends(({ client }) => QUANTITIES[client][0]);

const LIST: readonly Play[] = [
  {
    number: 301,
    by: ALL,
    async play(player) {
      const { device, role } = player;
      const [path] = QUANTITIES[role.client];
      expect(await device.writeAttributes(path, { pmin: 1, pmax: 30 })).toMatchObject({ code: '2.04' });
      expect(await device.writeAttributes(SERIAL_NUMBER, { pmin: 1, pmax: 2 })).toMatchObject({ code: '2.04' });
      expect(await device.observe([path])).toMatchObject({ code: '2.05' });
      expect(await device.observe([SERIAL_NUMBER])).toMatchObject({ code: '2.05' });
      await isNotified(player, path);
      await device.isToldAgain(SERIAL_NUMBER);
      for (const each of [path, SERIAL_NUMBER]) {
        await device.cancelObservation([each]);
        await device.writeAttributes(each, { pmin: null, pmax: null });
      }
    },
  },
  // On a stream there is no Reset.
  { number: 302, by: TOLD, over: 'UDP', play: cancels(true) },
  { number: 303, by: TOLD, play: cancels(false) },
  {
    number: 304,
    by: COMPOSITE,
    async play(player) {
      const { device, role } = player;
      const paths = [...QUANTITIES[role.client], '/16/0'];
      const { code, values } = await device.observe(paths);
      expect(code).toBe('2.05');
      expect(Object.keys(values)).toEqual(expect.arrayContaining([...QUANTITIES[role.client], IDENTITY]));
      expect(await device.observations()).toContainEqual(paths);
      for (const path of QUANTITIES[role.client]) await isNotified(player, path);
      await device.cancelObservation(paths);
    },
  },
  {
    number: 305,
    by: TOLD,
    async play(player) {
      const { device, role } = player;
      const paths = QUANTITIES[role.client];
      expect(await device.observe(paths)).toMatchObject({ code: '2.05' });
      await isNotified(player, paths[0]);
      expect(await device.cancelObservation(paths)).toMatchObject({ code: '2.05' });
      for (const path of paths) await isNotNotified(player, path);
    },
  },
  { number: 306, by: TOLD, play: sendsQuantity },
  { number: 311, by: TOLD, play: sends(({ client }) => QUANTITIES[client][1]) },
  {
    number: 307,
    by: TOLD,
    async play(player) {
      const { device, peer } = player;
      expect(await device.write({ [MUTE_SEND]: true })).toMatchObject({ code: '2.04' });
      const since = peer.mark();
      peer.write(`send ${TEMPERATURE}`);
      await peer.waitFor(/^MUTED/, { since });
      expect(peer.lines.slice(since).filter((line) => SENDS.test(line))).toEqual([]);
      expect(await device.write({ [MUTE_SEND]: false })).toMatchObject({ code: '2.04' });
      await sendsQuantity(player);
    },
  },
  {
    number: 308,
    by: INSTANCES,
    async play({ device, peer }) {
      const paths = ['/3/0/15', '/16'];
      expect(await device.observe(paths)).toMatchObject({ code: '2.05' });
      const since = peer.mark();
      expect(await device.create(16, 7, { '0/0': 'Host Device ID #7' })).toMatchObject({ code: '2.01' });
      await peer.waitFor(/^READ \/16\/7\/0|notify .*\/16/, { since });
      expect(await instancesOf(device, 16)).toEqual([0, 7]);
      expect(await device.observations()).toContainEqual(paths);
      await device.cancelObservation(paths);
      await device.delete('/16/7');
    },
  },
  {
    number: 309,
    by: INSTANCES,
    async play({ device, peer }) {
      const paths = ['/3/0/15', '/16'];
      expect(await device.create(16, 8, { '0/0': 'Host Device ID #8' })).toMatchObject({ code: '2.01' });
      const { values } = await device.observe(paths);
      expect(values).toHaveProperty(['/16/8/0/0'], 'Host Device ID #8');
      const since = peer.mark();
      expect(await device.delete('/16/8')).toMatchObject({ code: '2.02' });
      await peer.waitFor(/^READ \/16\/0\/0|notify .*\/16/, { since });
      await vi.waitFor(async () => expect(await instancesOf(device, 16)).toEqual([0]));
      expect(await device.observations()).toContainEqual(paths);
      await device.cancelObservation(paths);
    },
  },
  {
    number: 310,
    by: COMPOSITE,
    async play(player) {
      const { device, role, peer } = player;
      const paths = [...QUANTITIES[role.client], '/16/0'];
      expect(await device.observe(paths)).toMatchObject({ code: '2.05' });
      await isNotified(player, QUANTITIES[role.client][0]);
      const since = peer.mark();
      expect(await device.write({ [IDENTITY]: 'Host Device ID #10' })).toMatchObject({ code: '2.04' });
      await peer.waitFor(/^READ \/16\/0\/0|notify .*\/16\/0/, { since });
      await device.cancelObservation(paths);
    },
  },
  {
    number: 312,
    async play({ device, peer }) {
      const since = peer.mark();
      const started = await device.observe([SERIAL_NUMBER], { attributes: { pmin: 1, pmax: 2 } });
      expect(started).toMatchObject({ code: '2.05' });
      await peer.waitFor(/observe \/3\/0\/2 (pmin=1 pmax=2|pmax=2 pmin=1) → 2\.05/, { since });
      await device.isToldAgain(SERIAL_NUMBER);
      await device.cancelObservation([SERIAL_NUMBER]);
    },
  },
  {
    number: 313,
    async play({ device }) {
      expect(await device.writeAttributes(SERIAL_NUMBER, { pmin: 30, pmax: 300 })).toMatchObject({ code: '2.04' });
      const started = await device.observe([SERIAL_NUMBER], { attributes: { pmin: 0, pmax: 2 } });
      expect(started).toMatchObject({ code: '2.05' });
      // By what is attached it would be told again after 300 s.
      await device.isToldAgain(SERIAL_NUMBER);
      expect((await device.discover(SERIAL_NUMBER)).links[SERIAL_NUMBER]).toEqual({ pmin: '30', pmax: '300' });
      await device.cancelObservation([SERIAL_NUMBER]);
    },
  },
];

requirePeer('leshan')('the information reporting cases of the interoperability list', () => {
  const simulated = ['--object', '16', '3303', '3304', '3323', '--drift', '1'];
  playAll(stage(), LIST, { simulated });
});
