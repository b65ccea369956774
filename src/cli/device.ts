import { Command, InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../clock.ts';
import { registryModel } from '../lwm2m/index.ts';
import type { Lwm2mVersion } from '../lwm2m/index.ts';
import { bootstrap, Fleet, SimulatedDevice } from '../simulator/index.ts';
import type { AccountOptions, DeviceOptions } from '../simulator/index.ts';
import { collectUris, coapUri, serverAddress } from './device-server.ts';
import type { DeviceSecurityOptions, ServerUri } from './device-server.ts';
import { fail } from './failure.ts';

const DE_REGISTER_MS = 4_000;
const SENSORS = [3303, 3304, 3323];
const LOCAL = coapUri('coap://127.0.0.1:5683');
/** That of the first server; the others count on. */
const FIRST_SHORT_SERVER_ID = 123;

type Device = SimulatedDevice | Fleet;
type Accounts = readonly AccountOptions[];

interface Flags extends DeviceSecurityOptions {
  readonly server?: readonly ServerUri[];
  readonly bootstrap?: ServerUri;
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
      new Option(
        '--server <uri>',
        'the LwM2M server: coap://…, coap+tcp://…, coaps://… (DTLS with a pre-shared key) or coaps+tcp://… (TLS with a certificate); given twice, the device registers with both (default: coap://127.0.0.1:5683)',
      ).argParser(collectUris),
    )
    .addOption(
      new Option(
        '--bootstrap <uri>',
        'a bootstrap server, coap://… or coaps://…, that tells it its LwM2M server and key; with --server too, when that one refuses it',
      ).argParser(coapUri),
    )
    .option('--psk-identity <name>', 'its PSK identity, with coaps:// (its endpoint name)')
    .option('--psk-key <hex>', 'its PSK, with coaps://')
    .option('--certificate <file>', 'its certificate (PEM), with coaps+tcp://')
    .option('--private-key <file>', 'the key of its certificate (PEM)')
    .option('--trust <file>', "the server's certificate or its issuer's (PEM), with coaps+tcp://")
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
    .action(async (flags: Flags) => {
      try {
        await run(flags);
      } catch (error) {
        fail(error);
      }
    });
}

/**
 * Core 1.2 §6.1.2: a device that was given an account at the factory registers by it, and asks its bootstrap server when
 * that one refuses it; one without an account asks first.
 */
async function run(flags: Flags): Promise<void> {
  const running: { device: Device | null } = { device: null };
  stopOnSignal(async () => running.device?.stop());
  const { bootstrap: bootstrapServer, server } = flags;
  let accounts = bootstrapServer && !server ? await bootstrapped(flags, bootstrapServer) : await accountsOf(flags);
  for (;;) {
    const device = await refused(flags, accounts, running);
    if (device instanceof SimulatedDevice) await device.vanish();
    if (bootstrapServer) accounts = await bootstrapped(flags, bootstrapServer);
  }
}

/** Runs the device until its server refuses it, which one without a bootstrap server takes for a passing mood. */
function refused(flags: Flags, accounts: Accounts, running: { device: Device | null }): Promise<Device> {
  return new Promise((resolve, reject) => {
    const device = deviceOf(flags, accounts, () => resolve(device));
    running.device = device;
    device.start().catch(reject);
  });
}

function deviceOf(flags: Flags, accounts: Accounts, giveUp: () => void): Device {
  const options: DeviceOptions = {
    endpoint: flags.endpoint,
    accounts,
    objects: flags.object.length > 0 ? flags.object : SENSORS,
    lwm2m: flags.lwm2m,
    queue: flags.queue,
    awakeMs: flags.awake * 1000,
    driftMs: flags.drift * 1000,
    sendMs: flags.send * 1000,
    log: flags.quiet ? () => {} : say,
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

/** Where the device registers, and with what, as the flags say. */
async function accountsOf(flags: Flags): Promise<Accounts> {
  const { server: uris = [LOCAL], lifetime, bootstrap: bootstrapServer } = flags;
  // The key may be the bootstrap server's alone.
  if (flags.pskKey !== undefined && ![...uris, bootstrapServer].some((uri) => uri?.scheme === 'coaps')) {
    throw new Error('--psk-key is for coaps://');
  }
  const servers = await Promise.all(uris.map((uri) => serverAddress(uri, flags)));
  return servers.map((server, index) => ({ server, shortServerId: FIRST_SHORT_SERVER_ID + index, lifetime }));
}

/** The same, as a bootstrap server tells it. */
async function bootstrapped(flags: Flags, bootstrapServer: ServerUri): Promise<Accounts> {
  const { endpoint, lwm2m, count, quiet } = flags;
  if (count > 1) throw new Error('--bootstrap is for one device');
  const log = quiet ? () => {} : say;
  const asked = await serverAddress(bootstrapServer, flags);
  const options = { endpoint, server: asked, lwm2m, model: registryModel(), clock: systemClock, log };
  const { uri, psk, lifetime } = await bootstrap(options);
  const { scheme, host, port } = coapUri(uri);
  if (scheme !== (psk ? 'coaps' : 'coap')) throw new Error(`it was given ${uri} without a key that fits`);
  const server = { host, port, ...(psk && { channel: { kind: 'dtls', psk } as const }) };
  return [{ server, shortServerId: FIRST_SHORT_SERVER_ID, lifetime }];
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
