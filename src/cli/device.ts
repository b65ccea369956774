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
/** The short server id of the first server; the next servers get the next numbers. */
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
    .description(
      'Runs a simulated LwM2M device: it registers, answers requests, sends notifications and prints every request that it receives.',
    )
    .option('--endpoint <name>', 'endpoint name; with --count the prefix of the names', 'urn:imei:123')
    .addOption(
      new Option(
        '--server <uri>',
        'the LwM2M server: coap://…, coap+tcp://…, coaps://… (DTLS with a pre-shared key) or coaps+tcp://… (TLS with a certificate); given twice, the device registers with both (default: coap://127.0.0.1:5683)',
      ).argParser(collectUris),
    )
    .addOption(
      new Option(
        '--bootstrap <uri>',
        'the bootstrap server, coap://… or coaps://…, that provides the LwM2M server and key; with --server, the device uses it only after that server refuses it',
      ).argParser(coapUri),
    )
    .option('--psk-identity <name>', 'PSK identity for coaps:// (default: the endpoint name)')
    .option('--psk-key <hex>', 'pre-shared key for coaps://')
    .option('--certificate <file>', 'certificate of the device (PEM), for coaps+tcp://')
    .option('--private-key <file>', 'private key of the certificate (PEM)')
    .option('--trust <file>', 'certificate of the server or of its issuer (PEM), for coaps+tcp://')
    .addOption(
      new Option('--object <id...>', 'object ids in addition to 1, 3 and 5')
        .argParser(collectIds)
        .default([], '3303 3304 3323'),
    )
    .addOption(new Option('--lwm2m <version>', 'LwM2M version').choices(['1.0', '1.1', '1.2']).default('1.1'))
    .option('--lifetime <seconds>', 'lifetime of the registration', positive, 300)
    .option('--count <devices>', 'number of devices to run', positive, 1)
    .option('--drift <seconds>', 'interval between changes of the measured values; 0: no changes', seconds, 5)
    .option('--send <seconds>', 'interval between Sends of the measured values; 0: no Sends', seconds, 0)
    .option('--queue', 'queue mode: the device sleeps after --awake seconds without a message', false)
    .option('--awake <seconds>', 'seconds that a device in queue mode stays awake after the last message', positive, 93)
    .option('--quiet', 'print nothing', false)
    .addHelpText('after', '\nPress Ctrl-C to de-register and stop.')
    .action(async (flags: Flags) => {
      try {
        await run(flags);
      } catch (error) {
        fail(error);
      }
    });
}

/**
 * Core 1.2 §6.1.2: a device with a factory account (--server) registers with it and bootstraps only after that server
 * refuses it; a device without one bootstraps first.
 */
async function run(flags: Flags): Promise<void> {
  const running: { device: Device | null } = { device: null };
  stopOnSignal(async () => running.device?.stop());
  const { bootstrap: bootstrapServer, server } = flags;
  let accounts = bootstrapServer && !server ? await bootstrapped(flags, bootstrapServer) : await accountsOf(flags);
  for (;;) {
    const device = await ended(flags, accounts, running);
    if (device instanceof SimulatedDevice) await device.stop();
    if (bootstrapServer) accounts = await bootstrapped(flags, bootstrapServer);
  }
}

/**
 * Runs the device until its server refuses it or triggers a bootstrap. Without a bootstrap server, the device retries
 * and this never resolves.
 */
function ended(flags: Flags, accounts: Accounts, running: { device: Device | null }): Promise<Device> {
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
    ...(flags.bootstrap && { refused: giveUp, bootstrap: giveUp }),
  };
  return flags.count > 1 ? new Fleet({ ...options, count: flags.count }) : new SimulatedDevice(options);
}

function say(line: string): void {
  process.stdout.write(`${new Date().toISOString().slice(11, 23)} ${line}\n`);
}

/**
 * De-registers at the first signal, or when the reader of the output has closed it (`| head`). Exits at the second signal,
 * or when the server does not answer in time.
 */
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
  process.stdout.on('error', () => stopping || stop());
}

/** Makes the server accounts that the command line's options define. */
async function accountsOf(flags: Flags): Promise<Accounts> {
  const { server: uris = [LOCAL], lifetime, bootstrap: bootstrapServer } = flags;
  // The key may be only for the bootstrap server.
  if (flags.pskKey !== undefined && ![...uris, bootstrapServer].some((uri) => uri?.scheme === 'coaps')) {
    throw new Error('--psk-key requires a coaps:// server');
  }
  const servers = await Promise.all(uris.map((uri) => serverAddress(uri, flags)));
  return servers.map((server, index) => ({ server, shortServerId: FIRST_SHORT_SERVER_ID + index, lifetime }));
}

/** Gets the server account from the bootstrap server. */
async function bootstrapped(flags: Flags, bootstrapServer: ServerUri): Promise<Accounts> {
  const { endpoint, lwm2m, count, quiet } = flags;
  if (count > 1) throw new Error('--bootstrap can’t be combined with --count above 1');
  const log = quiet ? () => {} : say;
  const asked = await serverAddress(bootstrapServer, flags);
  const options = { endpoint, server: asked, lwm2m, model: registryModel(), clock: systemClock, log };
  const { uri, psk, lifetime } = await bootstrap(options);
  const { scheme, host, port } = coapUri(uri);
  if (scheme !== (psk ? 'coaps' : 'coap'))
    throw new Error(
      `the bootstrap server provided ${uri}; the URI must be coaps:// with a pre-shared key and coap:// without one`,
    );
  const server = { host, port, ...(psk && { channel: { kind: 'dtls', psk } as const }) };
  return [{ server, shortServerId: FIRST_SHORT_SERVER_ID, lifetime }];
}

function collectIds(text: string, before: readonly number[]): readonly number[] {
  const id = Number(text);
  if (!/^\d+$/.test(text) || id > 65_534) throw new InvalidArgumentError('It must be an object id from 0 to 65534.');
  return before.includes(id) ? before : [...before, id];
}

function positive(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError('It must be an integer greater than 0.');
  return value;
}

function seconds(text: string): number {
  const value = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It must be a number of seconds.');
  return value;
}
