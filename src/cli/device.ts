import { Command, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../clock.ts';
import { registryModel } from '../lwm2m/index.ts';
import type { Lwm2mVersion } from '../lwm2m/index.ts';
import { bootstrap, Fleet, SimulatedDevice } from '../simulator/index.ts';
import type { DeviceOptions, PreSharedKey } from '../simulator/index.ts';
import { fail } from './failure.ts';

const DE_REGISTER_MS = 4_000;
const SENSORS = [3303, 3304, 3323];

interface ServerUri {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

type Device = SimulatedDevice | Fleet;

interface Flags {
  readonly endpoint: string;
  readonly server: ServerUri;
  readonly bootstrap?: ServerUri;
  readonly pskIdentity?: string;
  readonly pskKey?: string;
  readonly object: readonly number[];
  readonly lwm2m: Lwm2mVersion;
  readonly lifetime: number;
  readonly count: number;
  readonly drift: number;
  readonly send: number;
  readonly queue: boolean;
  readonly awake: number;
  readonly quiet: boolean;
}

export function deviceCommand(): Command {
  return new Command('device')
    .description('Runs a simulated LwM2M device: it registers, answers, notifies, and says what it is asked.')
    .option('--endpoint <name>', 'its endpoint name; with --count the first part of the names', 'urn:imei:123')
    .addOption(
      new Option('--server <uri>', 'the LwM2M server, coap://… or coaps://… (DTLS with a pre-shared key)')
        .argParser(coapUri)
        .default({ secure: false, host: '127.0.0.1', port: 5683 }, 'coap://127.0.0.1:5683'),
    )
    .addOption(
      new Option(
        '--bootstrap <uri>',
        'a bootstrap server, coap://… or coaps://…, that tells it its LwM2M server and key; with --server too, when that one refuses it',
      ).argParser(coapUri),
    )
    .option('--psk-identity <name>', 'its PSK identity, with coaps:// (its endpoint name)')
    .option('--psk-key <hex>', 'its PSK, with coaps://')
    .addOption(
      new Option('--object <id...>', 'objects it has beside 1, 3 and 5')
        .argParser(collectIds)
        .default([], '3303 3304 3323'),
    )
    .addOption(new Option('--lwm2m <version>', 'the version it speaks').choices(['1.0', '1.1', '1.2']).default('1.1'))
    .option('--lifetime <seconds>', 'of its registration', positive, 300)
    .option('--count <devices>', 'runs a fleet of so many', positive, 1)
    .option('--drift <seconds>', 'between two changes of what it measures; 0: none', seconds, 5)
    .option('--send <seconds>', 'between two Sends of what it measures; 0: none', seconds, 0)
    .option('--queue', 'queue mode: sleeps when nothing was said for a while', false)
    .option('--awake <seconds>', 'how long that while is', positive, 93)
    .option('--quiet', 'says nothing', false)
    .addHelpText('after', '\nCtrl-C de-registers and ends it.')
    .action(async (flags: Flags, command: Command) => {
      try {
        await run(flags, command.getOptionValueSource('server') === 'cli');
      } catch (error) {
        fail(error);
      }
    });
}

/**
 * Core 1.2 §6.1.2: a device that was given an account at the factory registers by it, and asks its bootstrap server when
 * that one refuses it; one without an account asks first.
 */
async function run(flags: Flags, hasAccount: boolean): Promise<void> {
  const running: { device: Device | null } = { device: null };
  stopOnSignal(async () => running.device?.stop());
  let account = flags.bootstrap && !hasAccount ? await bootstrapped(flags, flags.bootstrap) : accountOf(flags);
  for (;;) {
    const device = await refused(flags, account, running);
    if (device instanceof SimulatedDevice) await device.vanish();
    if (flags.bootstrap) account = await bootstrapped(flags, flags.bootstrap);
  }
}

/** Runs the device until its server refuses it, which one without a bootstrap server takes for a passing mood. */
function refused(flags: Flags, account: Account, running: { device: Device | null }): Promise<Device> {
  return new Promise((resolve, reject) => {
    const device = deviceOf(flags, account, () => resolve(device));
    running.device = device;
    device.start().catch(reject);
  });
}

function deviceOf(flags: Flags, { server, lifetime, psk }: Account, giveUp: () => void): Device {
  const options: DeviceOptions = {
    endpoint: flags.endpoint,
    server,
    objects: flags.object.length > 0 ? flags.object : SENSORS,
    lwm2m: flags.lwm2m,
    lifetime,
    queue: flags.queue,
    awakeMs: flags.awake * 1000,
    driftMs: flags.drift * 1000,
    sendMs: flags.send * 1000,
    log: flags.quiet ? () => {} : say,
    ...(psk && { psk }),
    ...(flags.bootstrap && { refused: giveUp }),
  };
  return flags.count > 1 ? new Fleet({ ...options, count: flags.count }) : new SimulatedDevice(options);
}

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 23)} ${line}\n`);
}

/** De-registers at the first signal; the second one, or a server that does not answer, ends it at once. */
function stopOnSignal(stopDevice: () => Promise<void>): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) process.exit(1);
    stopping = true;
    setTimeout(() => process.exit(0), DE_REGISTER_MS).unref();
    stopDevice().then(() => process.exit(0), fail);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

function coapUri(text: string): ServerUri {
  const uri = URL.canParse(text) ? new URL(text) : null;
  const secure = uri?.protocol === 'coaps:';
  if (!uri || !(secure || uri.protocol === 'coap:') || uri.hostname === '') {
    throw new InvalidArgumentError('It must be like coap://127.0.0.1:5683 or coaps://127.0.0.1:5684.');
  }
  const port = uri.port === '' ? (secure ? 5684 : 5683) : Number(uri.port);
  return { secure, host: uri.hostname.replace(/^\[|\]$/g, ''), port };
}

interface Account {
  readonly server: ServerUri;
  readonly lifetime: number;
  readonly psk: PreSharedKey | null;
}

/** Where the device registers, and with what, as the flags say. */
function accountOf(flags: Flags): Account {
  const { server, lifetime, bootstrap: bootstrapServer } = flags;
  // The key may be the bootstrap server's alone.
  const psk = bootstrapServer && !server.secure ? null : pskOf(flags);
  return { server, lifetime, psk };
}

/** The same, as a bootstrap server tells it. */
async function bootstrapped(flags: Flags, bootstrapServer: ServerUri): Promise<Account> {
  const { endpoint, lwm2m, count, quiet } = flags;
  if (count > 1) throw new Error('--bootstrap is for one device');
  const psk = bootstrapServer.secure ? pskOf({ ...flags, server: bootstrapServer }) : null;
  const log = quiet ? () => {} : say;
  const model = registryModel();
  const account = await bootstrap({ endpoint, server: bootstrapServer, psk, lwm2m, model, clock: systemClock, log });
  const server = coapUri(account.uri);
  if (server.secure !== (account.psk !== null)) throw new Error(`it was given ${account.uri} without a key that fits`);
  return { server, lifetime: account.lifetime, psk: account.psk };
}

/** Null without security. A key belongs to one device, so a fleet has none. */
function pskOf({ server, endpoint, count, pskIdentity = endpoint, pskKey }: Flags): PreSharedKey | null {
  if (server.secure !== (pskKey !== undefined)) throw new Error('coaps:// and --psk-key go together');
  if (pskKey === undefined) return null;
  if (count > 1) throw new Error('--count is for devices without security: each device has a key of its own');
  // Nothing repeats the key, as commander would.
  if (!/^(?:[0-9a-f]{2})+$/i.test(pskKey)) throw new Error('--psk-key is not hex');
  return { identity: pskIdentity, key: Buffer.from(pskKey, 'hex') };
}

function collectIds(text: string, before: readonly number[]): readonly number[] {
  const id = Number(text);
  if (!/^\d+$/.test(text) || id > 65_534) throw new InvalidArgumentError('An object id is in 0..65534.');
  return before.includes(id) ? before : [...before, id];
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It must be a number of seconds.');
  return value;
}
