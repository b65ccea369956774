/**
 * Measures the cost of DTLS on one core: handshakes, resumptions and echoes per second of the server's CPU, compared with
 * plain UDP in the same run; handshakes, records, cookies and junk in the engine without sockets; cryptography alone; and
 * bytes per idle session. The CPU time of the load does not count. The result is the median of several rounds; the best
 * round shows what a quieter machine would reach.
 * `node --expose-gc --import tsx test/bench/dtls.ts [sessions]`.
 */
import { randomBytes } from 'node:crypto';

import { systemClock } from '../../src/clock.ts';
import { KEPT_CCM_8, ONE_SHOT_CCM_8 } from '../../src/dtls/aead.ts';
import { DtlsEngine } from '../../src/dtls/engine.ts';
import { HANDSHAKE } from '../../src/dtls/messages.ts';
import { randomInBlocks } from '../../src/dtls/random.ts';
import { DEFAULT_LIMITS, DEFAULT_SETTINGS } from '../../src/dtls/settings.ts';
import { BENCH_CREDENTIALS, benchClient, benchIdentity, type HandshakeKind } from './dtls-device.ts';
import { ecdheFloor, perCpuSecond, records } from './dtls-floor.ts';
import { echoes, handshakes, startServer } from './dtls-load.ts';

/** The rounds of all measurements. The first round warms up and does not count. */
const ROUNDS = 1 + 7;
const HANDSHAKES = 2_000;
const ECHOES = 30_000;
const RECORDS = 50_000;
const SESSIONS = 50_000;
const MESSAGE = Buffer.alloc(64, 'reading ');

interface Round {
  readonly value: number;
  readonly ratio: number;
}

type Measurements = Readonly<Record<string, () => Promise<number> | number>>;

/**
 * Prints the result of each measurement in order, and the median of its ratios to `reference` in the same round, which
 * other load on the machine affects least.
 */
async function report(measurements: Measurements, reference?: () => Promise<number>): Promise<void> {
  const results = new Map<string, Round[]>(Object.keys(measurements).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, measure] of Object.entries(measurements)) {
      const beside = reference ? await reference() : NaN;
      const value = await measure();
      if (round > 0) results.get(name)?.push({ value, ratio: value / beside });
    }
  }
  for (const [name, rounds] of results) {
    const values = rounds.map(({ value }) => value);
    const ratio = reference ? `, ${median(rounds.map((round) => round.ratio)).toFixed(3)} of plain UDP` : '';
    print(name, median(values), `best ${Math.round(Math.max(...values))}${ratio}`);
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

function print(name: string, value: number, remark = ''): void {
  console.log(`${name.padEnd(48)} ${String(Math.round(value)).padStart(10)}   ${remark}`);
}

async function measureServers(): Promise<void> {
  const dtls = await startServer('dtls');
  const udp = await startServer('udp');
  const shakingHands = (kind: HandshakeKind) => (): Promise<number> =>
    dtls.perCpuSecond(() => handshakes(dtls.port, kind, HANDSHAKES));
  try {
    const plainEchoes = (): Promise<number> => udp.perCpuSecond(() => echoes(udp.port, false, ECHOES));
    const measurements = {
      'plain UDP echoes': plainEchoes,
      echoes: () => dtls.perCpuSecond(() => echoes(dtls.port, true, ECHOES)),
      'handshakes, PSK-CCM-8': shakingHands('PSK-CCM-8'),
      'handshakes, ECDHE-ECDSA-CCM-8': shakingHands('ECDHE-ECDSA-CCM-8 with raw public keys'),
      resumptions: shakingHands('resumption'),
      'floor of ECDHE: its EC calls alone': ecdheFloor,
      'CCM-8 alone, sealed and opened by kept ciphers': () => records(KEPT_CCM_8),
      'the same by a cipher for each record': () => records(ONE_SHOT_CCM_8),
    };
    await report(measurements, plainEchoes);
  } finally {
    dtls.stop();
    udp.stop();
  }
}

/** A DTLS engine whose datagrams go through a queue. */
function wiredEngine() {
  const toClients = new Map<number, (datagram: Buffer) => void>();
  const queue: (() => void)[] = [];
  const keys = new Map<number, string>();
  let devicesMs = 0;
  /** Runs the work of a device and adds its time to `devicesMs`. */
  const onDevice = <T>(work: () => T): T => {
    const before = performance.now();
    const result = work();
    devicesMs += performance.now() - before;
    return result;
  };
  const engine = new DtlsEngine({
    settings: {
      ...DEFAULT_SETTINGS,
      identity: benchIdentity(),
      limits: { ...DEFAULT_LIMITS, sessionsPerCredential: Infinity },
    },
    credentials: BENCH_CREDENTIALS,
    clock: systemClock,
    random: randomInBlocks(),
    events: {
      transmit: (to, datagram) => {
        const receive = toClients.get(to.port);
        if (receive) queue.push(() => onDevice(() => receive(datagram)));
      },
      received: (peer) => keys.set(peer.port, peer.key),
      arrived: () => {},
      ended: () => {},
      handshakeEnded: () => {},
      alarmed: () => {},
    },
  });
  return {
    engine,
    keys,
    /** The time of the devices so far. */
    devicesMs: () => devicesMs,
    /** Connects the device with that number. It has only a handshake and its datagrams. */
    async connect(device: number, kind: HandshakeKind = 'PSK-CCM-8') {
      const from = addressOf(device);
      const sent: Buffer[] = [];
      const transmit = (datagram: Buffer): void => {
        sent.push(datagram);
        queue.push(() => engine.receive(from, datagram));
      };
      const client = onDevice(() => benchClient(kind, transmit));
      toClients.set(from.port, (datagram) => client.receive(datagram));
      onDevice(() => client.start());
      while (client.state === 'shaking hands') {
        const next = queue.shift();
        if (next) next();
        else await Promise.resolve();
      }
      client.stop();
      toClients.delete(from.port);
      return { client, from, sent };
    },
  };
}

function addressOf(device: number) {
  return { address: `10.0.${device >> 14}.1`, port: 1_024 + (device & 0x3fff), socket: 0 };
}

/** Measures the engine per second of one core, without sockets and without the time of the devices. */
async function engineHandshakes(kind: HandshakeKind): Promise<number> {
  const { engine, connect, devicesMs } = wiredEngine();
  const before = performance.now();
  for (let device = 0; device < HANDSHAKES; device++) await connect(device, kind);
  const inEngine = performance.now() - before - devicesMs();
  if (engine.metrics.sessions !== HANDSHAKES) throw new Error('not all sessions are open');
  engine.shutDown();
  return (HANDSHAKES * 1_000) / inEngine;
}

async function measureEngine(): Promise<void> {
  const { engine, keys, connect } = wiredEngine();
  const { client, from, sent } = await connect(1);
  engine.receive(from, client.seal(MESSAGE));
  const key = keys.get(from.port) ?? '';
  const [hello] = sent.filter((datagram) => datagram[13] === HANDSHAKE.clientHello);
  const stranger = addressOf(2);
  const junk = randomBytes(64);
  junk.writeUInt8(0, 0);
  await report({
    'PSK-CCM-8, the engine alone': () => engineHandshakes('PSK-CCM-8'),
    'ECDHE-ECDSA-CCM-8, the engine alone': () => engineHandshakes('ECDHE-ECDSA-CCM-8 with raw public keys'),
    'records received': () => {
      const records = Array.from({ length: RECORDS }, () => client.seal(MESSAGE));
      return perCpuSecond(RECORDS, (n) => engine.receive(from, records[n] ?? MESSAGE));
    },
    'records sent': () => perCpuSecond(RECORDS, () => engine.send(key, MESSAGE)),
    HelloVerifyRequests: () => perCpuSecond(RECORDS, () => engine.receive(stranger, hello ?? MESSAGE)),
    'junk datagrams dropped': () => perCpuSecond(RECORDS, () => engine.receive(stranger, junk)),
  });
  engine.shutDown();
}

async function measureSessions(sessions: number): Promise<void> {
  const { engine, connect } = wiredEngine();
  await connect(0);
  const before = held();
  for (let device = 1; device <= sessions; device++) {
    const { client, from } = await connect(device);
    // An idle session has been used, so that it no longer keeps its final flight.
    engine.receive(from, client.seal(MESSAGE));
  }
  const bytesPerIdleSession = (held() - before) / sessions;
  if (engine.metrics.sessions !== sessions + 1) throw new Error('not all sessions are open');
  engine.shutDown();
  print('bytes per idle session', bytesPerIdleSession);
}

function held(): number {
  if (!globalThis.gc) throw new Error('start it with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

if (import.meta.filename === process.argv[1]) {
  console.log('per second of CPU, median of the rounds:');
  await measureServers();
  await measureEngine();
  await measureSessions(Number(process.argv[2] ?? SESSIONS));
}
