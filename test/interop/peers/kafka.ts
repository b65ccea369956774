import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

/** A broker of one node (KRaft: its own controller), its data in a directory of its own until `remove`. */
export class KafkaBroker {
  /** For `KAFKA_BROKERS`; the same after a restart. */
  readonly brokers: string;
  readonly #directory: string;
  #process: PeerProcess | null = null;

  private constructor(directory: string, port: number) {
    this.#directory = directory;
    this.brokers = `127.0.0.1:${port}`;
  }

  /** A formatted broker that runs and takes connections. */
  static async start(): Promise<KafkaBroker> {
    const directory = await mkdtemp(join(tmpdir(), 'treeline-kafka-'));
    const [port, controllerPort] = [await freePort(), await freePort()];
    const broker = new KafkaBroker(directory, port);
    await writeFile(join(directory, 'server.properties'), properties(directory, port, controllerPort));
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

function properties(directory: string, port: number, controllerPort: number): string {
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
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}
