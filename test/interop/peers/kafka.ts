import { execFile } from 'node:child_process';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './free-port.ts';
import { PeerProcess } from './process.ts';
import { PEERS_DIRECTORY } from './program.ts';

const run = promisify(execFile);
const CLASS_PATH = join(PEERS_DIRECTORY, 'kafka/lib/*');
const LOGGING = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
];

/** A listener over TLS for one user, by PLAIN and SCRAM-SHA-512. */
export interface SecuredListener {
  readonly username: string;
  readonly password: string;
  /** The broker's private key (PKCS #8) and certificate, PEM. */
  readonly identity: string;
}

/** A broker of one node (KRaft: its own controller), its data in a directory of its own until `remove`. */
export class KafkaBroker {
  /** For `KAFKA_BROKERS`; the same after a restart. */
  readonly brokers: string;
  /** The same, of the listener over TLS; null without one. */
  readonly securedBrokers: string | null;
  readonly #directory: string;
  #process: PeerProcess | null = null;

  private constructor(directory: string, port: number, securedPort: number | null) {
    this.#directory = directory;
    this.brokers = `127.0.0.1:${port}`;
    this.securedBrokers = securedPort === null ? null : `127.0.0.1:${securedPort}`;
  }

  /** A formatted broker that runs and takes connections. `settings`: its properties, in addition to the usual ones. */
  static async start(
    secured: SecuredListener | null = null,
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<KafkaBroker> {
    const directory = await mkdtemp(join(tmpdir(), 'treeline-kafka-'));
    const [port, controllerPort] = [await freePort(), await freePort()];
    const securedPort = secured === null ? null : await freePort();
    const broker = new KafkaBroker(directory, port, securedPort);
    await writeFile(join(directory, 'server.properties'), properties(directory, port, controllerPort, settings));
    if (secured !== null && securedPort !== null) await secure(directory, securedPort, secured);
    await run('java', [
      ...LOGGING,
      '-cp',
      CLASS_PATH,
      'kafka.tools.StorageTool',
      'format',
      '-t',
      'dHJlZWxpbmUtcGVlcnM',
      '-c',
      join(directory, 'server.properties'),
      ...(secured ? ['-S', `SCRAM-SHA-512=[name=${secured.username},password=${secured.password}]`] : []),
    ]);
    await broker.start();
    return broker;
  }

  /** Starts it again, on the same port with what it stored. */
  async start(): Promise<void> {
    if (this.#process?.running) return;
    this.#process = new PeerProcess('kafka', 'java', [
      '-Xmx320m',
      ...LOGGING,
      '-cp',
      CLASS_PATH,
      'kafka.Kafka',
      join(this.#directory, 'server.properties'),
    ]);
    await this.#process.waitFor(/Kafka Server started/, { timeoutMs: 60_000 });
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
  }

  async kill(): Promise<void> {
    await this.#process?.kill();
  }

  /** Stops it for good and removes its data. */
  async remove(): Promise<void> {
    await this.#process?.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function properties(
  directory: string,
  port: number,
  controllerPort: number,
  settings: Readonly<Record<string, unknown>>,
): string {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(directory, 'log'),
    'num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    ...settings,
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Adds the listener to the broker's settings; of a setting that stands there twice the later counts. */
async function secure(
  directory: string,
  port: number,
  { username, password, identity }: SecuredListener,
): Promise<void> {
  const [file, pem] = [join(directory, 'server.properties'), join(directory, 'broker.pem')];
  await writeFile(pem, identity, { mode: 0o600 });
  const plain = await readFile(file, 'utf8');
  const [listeners = '', advertised = ''] = [/^listeners=(.*)$/m, /^advertised\.listeners=(.*)$/m].map(
    (setting) => setting.exec(plain)?.[1],
  );
  const login = 'org.apache.kafka.common.security';
  const added = Object.entries({
    listeners: `${listeners},SECURED://127.0.0.1:${port}`,
    'advertised.listeners': `${advertised},SECURED://127.0.0.1:${port}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURED:SASL_SSL',
    'listener.name.secured.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
    'listener.name.secured.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_${username}="${password}";`,
    'listener.name.secured.scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
    'listener.name.secured.ssl.keystore.type': 'PEM',
    'listener.name.secured.ssl.keystore.location': pem,
  });
  await appendFile(file, added.map(([name, value]) => `${name}=${value}\n`).join(''));
}
