import { afterAll, beforeAll, describe, it } from 'vitest';
import { runTreeline, type TreelineProcess } from '../../e2e/treeline-process.ts';
import { LeshanDevice, PeerProcess } from '../peers/index.ts';
import { AskedDevice } from './asked-device.ts';
import { etsCases, etsName } from './catalogue.ts';

/** A client, the version of LwM2M that it speaks, and by what. */
export interface Role {
  readonly client: 'Leshan' | 'simulated device';
  readonly lwm2m: '1.0' | '1.1' | '1.2';
  readonly transport: 'UDP' | 'TCP';
}

export const LESHAN_1_0: Role = { client: 'Leshan', lwm2m: '1.0', transport: 'UDP' };
export const LESHAN_1_1: Role = { client: 'Leshan', lwm2m: '1.1', transport: 'UDP' };
export const SIMULATED_1_0: Role = { client: 'simulated device', lwm2m: '1.0', transport: 'UDP' };
export const SIMULATED_1_1: Role = { client: 'simulated device', lwm2m: '1.1', transport: 'UDP' };
export const SIMULATED_1_2: Role = { client: 'simulated device', lwm2m: '1.2', transport: 'UDP' };
export const UDP_ROLES: readonly Role[] = [LESHAN_1_0, LESHAN_1_1, SIMULATED_1_0, SIMULATED_1_1, SIMULATED_1_2];
/** LwM2M 1.0 knows no TCP. */
export const TCP_ROLES = [LESHAN_1_1, SIMULATED_1_1, SIMULATED_1_2].map((role): Role => ({
  ...role,
  transport: 'TCP',
}));
export const ROLES: readonly Role[] = [...UDP_ROLES, ...TCP_ROLES];

export interface Options {
  /** Seconds. */
  readonly lifetime?: number;
  readonly queue?: boolean;
  /** Seconds that the product believes it to be awake; absent: the 93 of the standard. */
  readonly awakeTime?: number;
  /** Words of the simulated device's command line. */
  readonly simulated?: readonly string[];
  /** Servers that a simulated device has an account with as well, each by the same transport. */
  readonly others?: readonly TreelineProcess[];
  /** Seconds between a Leshan's Updates. */
  readonly period?: number;
}

/** A role on the stage: its process, and the device as the product knows it. */
export interface Player {
  readonly role: Role;
  readonly endpoint: string;
  readonly peer: PeerProcess;
  readonly device: AskedDevice;
}

/** How a case of the list is played. */
export interface Play {
  readonly number: number;
  /** Those that can, each over all that it speaks; absent: who speaks its version. */
  readonly by?: readonly Role[];
  /** Absent: both. */
  readonly over?: Role['transport'];
  readonly play: (player: Player) => Promise<void>;
}

/** What devices say when they registered and when they updated. */
export const REGISTERED = /^REGISTERED (\S+)$|registered as \S+ at (\S+)$/;
export const UPDATED = /^UPDATED |updated the registration$/;

/** One `treeline serve` for the tests of a file. */
export function stage(settings: Record<string, string> = {}): () => TreelineProcess {
  let treeline: TreelineProcess | undefined;
  beforeAll(async () => {
    treeline = await runTreeline({ TREELINE_REGISTRATION_GRACE_SECONDS: '0', ...settings });
  });
  afterAll(async () => void (await treeline?.stop()));
  return () => {
    if (treeline === undefined) throw new Error('the stage is not open');
    return treeline;
  };
}

/** Plays each case with each role that can: one device for each role. */
export function playAll(treeline: () => TreelineProcess, plays: readonly Play[], options: Options = {}): void {
  for (const role of ROLES) {
    const parts = plays.filter((play) => canPlay(role, play));
    if (parts.length === 0) continue;
    describe(`${role.client} of LwM2M ${role.lwm2m} over ${role.transport}`, () => {
      let player: Player | undefined;
      beforeAll(async () => {
        player = await enter(treeline(), role, options);
      });
      afterAll(async () => void (await player?.peer.stop()));
      for (const { number, play } of parts) {
        it(nameOf(number, role), async () => {
          if (player === undefined) throw new Error('the device is not there');
          await play(player);
        });
      }
    });
  }
}

export function nameOf(number: number, { client, lwm2m, transport }: Role): string {
  return etsName(number, client, `${lwm2m} over ${transport}`);
}

/** The letter that it registers by. */
export function bindingOf({ transport }: Role): 'U' | 'T' {
  return transport === 'TCP' ? 'T' : 'U';
}

let entered = 0;

/** Starts a device and resolves when it is registered. */
export async function enter(treeline: TreelineProcess, role: Role, options: Options = {}): Promise<Player> {
  entered += 1;
  const { client, lwm2m, transport } = role;
  const endpoint = `urn:dev:os:ets-${client === 'Leshan' ? 'leshan' : 'simulated'}-${lwm2m}-${transport}-${entered}`;
  if (options.awakeTime !== undefined) await provision(treeline, endpoint, options.awakeTime);
  const peer = start(treeline, role, endpoint, options);
  await peer.waitFor(REGISTERED);
  return { role, endpoint, peer, device: await AskedDevice.online(treeline, endpoint) };
}

async function provision(treeline: TreelineProcess, endpoint: string, awakeTime: number): Promise<void> {
  const { provisionDevice } = await treeline.query<{ provisionDevice: { message?: string } }>(
    `mutation ($input: ProvisionDeviceInput!) { provisionDevice(input: $input) { ... on UserError { message } } }`,
    { input: { endpoint, awakeTime } },
  );
  if (provisionDevice.message !== undefined) throw new Error(provisionDevice.message);
}

/** Starts a device; it registers when it can. */
export function start(
  treeline: TreelineProcess,
  { client, lwm2m, transport }: Role,
  endpoint: string,
  options: Options = {},
): PeerProcess {
  const { lifetime = 300, queue = false, simulated = [], others = [], period } = options;
  const serverUri = uriOf(treeline, transport);
  if (client === 'Leshan' && lwm2m !== '1.2') {
    return new LeshanDevice({
      serverUri,
      endpoint,
      lwm2m,
      lifetime,
      queue,
      ...(period === undefined ? {} : { period }),
    });
  }
  const servers = [serverUri, ...others.map((other) => uriOf(other, transport))].flatMap((uri) => ['--server', uri]);
  const words = [...servers, '--endpoint', endpoint, '--lwm2m', lwm2m, '--lifetime', String(lifetime)];
  const flags = [...words, '--drift', '0', ...(queue ? ['--queue'] : []), ...simulated];
  return new PeerProcess(`device ${endpoint}`, process.execPath, ['--import', 'tsx', 'src/cli.ts', 'device', ...flags]);
}

/** Where the product serves CoAP over that, as it says itself. */
function uriOf(treeline: TreelineProcess, transport: Role['transport']): string {
  const pattern = transport === 'TCP' ? /\s(coap\+tcp:\/\/\S+)/ : /\s(coap:\/\/\S+)/;
  const uri = pattern.exec(treeline.output())?.[1];
  if (uri === undefined) throw new Error(`it serves no ${transport}`);
  return uri;
}

function canPlay(role: Role, { number, by, over }: Play): boolean {
  if (over !== undefined && over !== role.transport) return false;
  if (by === undefined) return speaks(role, number);
  return by.some(({ client, lwm2m }) => client === role.client && lwm2m === role.lwm2m);
}

/** Whether a client of that version is asked this of: 1.2 has all, 1.0 what is marked so. */
function speaks({ lwm2m }: Role, number: number): boolean {
  const found = etsCases.find(({ id }) => id.endsWith(`-int-${number}`));
  if (found === undefined) throw new Error(`there is no case ${number}`);
  const since = /-(\d\.\d)-int-/.exec(found.id)?.[1] ?? '1.1';
  return found.in10 || lwm2m >= since;
}
