/**
 * What DTLS costs on one core: handshakes, resumptions and echoes per second of the server's CPU over UDP, beside plain
 * UDP's in the same run; records, cookies and junk through the engine alone; bytes per idle session.
 * `node --expose-gc --import tsx test/bench/dtls.ts [sessions]`.
 */
import { randomBytes } from 'node:crypto';

import { systemClock } from '../../src/clock.ts';
import { Engine } from '../../src/dtls/engine.ts';
import { HANDSHAKE } from '../../src/dtls/messages.ts';
import { DEFAULT_SETTINGS } from '../../src/dtls/settings.ts';
import { BENCH_CREDENTIALS, benchClient, benchIdentity } from './dtls-device.ts';
import { echoes, handshakes, startServer } from './dtls-load.ts';

export interface DtlsCost {
  readonly pskHandshakesPerSecond: number;
  readonly ecdheHandshakesPerSecond: number;
  readonly resumptionsPerSecond: number;
  readonly echoesPerSecond: number;
  readonly plainEchoesPerSecond: number;
  readonly recordsReceivedPerSecond: number;
  readonly recordsSentPerSecond: number;
  readonly cookiesPerSecond: number;
  readonly junkPerSecond: number;
  readonly bytesPerIdleSession: number;
}

const HANDSHAKES = 4_000;
const ECHOES = 60_000;
const RECORDS = 200_000;
const SESSIONS = 50_000;
const MESSAGE = Buffer.alloc(64, 'reading ');

export async function measureDtls(sessions = SESSIONS): Promise<DtlsCost> {
  return { ...(await measureServers()), ...(await measureEngine()), ...(await measureSessions(sessions)) };
}

async function measureServers() {
  const dtls = await startServer('dtls');
  const udp = await startServer('udp');
  try {
    const ofHandshakes = async (kind: Parameters<typeof handshakes>[1]): Promise<number> => {
      await handshakes(dtls.port, kind, HANDSHAKES / 4);
      return dtls.perCpuSecond(() => handshakes(dtls.port, kind, HANDSHAKES));
    };
    await echoes(dtls.port, true, ECHOES / 4);
    await echoes(udp.port, false, ECHOES / 4);
    return {
      pskHandshakesPerSecond: await ofHandshakes('PSK-CCM-8'),
      ecdheHandshakesPerSecond: await ofHandshakes('ECDHE-ECDSA-CCM-8 with raw public keys'),
      resumptionsPerSecond: await ofHandshakes('resumption'),
      echoesPerSecond: await dtls.perCpuSecond(() => echoes(dtls.port, true, ECHOES)),
      plainEchoesPerSecond: await udp.perCpuSecond(() => echoes(udp.port, false, ECHOES)),
    };
  } finally {
    dtls.stop();
    udp.stop();
  }
}

/** An engine on a wire that is a queue. */
function wiredEngine() {
  const toClients = new Map<number, (datagram: Buffer) => void>();
  const queue: (() => void)[] = [];
  const keys = new Map<number, string>();
  const engine = new Engine({
    settings: { ...DEFAULT_SETTINGS, identity: benchIdentity() },
    credentials: BENCH_CREDENTIALS,
    clock: systemClock,
    random: randomBytes,
    events: {
      transmit: (to, datagram) => {
        const receive = toClients.get(to.port);
        if (receive) queue.push(() => receive(datagram));
      },
      received: (peer) => keys.set(peer.port, peer.key),
      ended: () => {},
      handshakeEnded: () => {},
      alarmed: () => {},
    },
  });
  return {
    engine,
    keys,
    /** A device of that number, connected; its datagrams and its handshake are all there is of it. */
    async connect(device: number) {
      const from = addressOf(device);
      const sent: Buffer[] = [];
      const client = benchClient('PSK-CCM-8', (datagram) => {
        sent.push(datagram);
        queue.push(() => engine.receive(from, datagram));
      });
      toClients.set(from.port, (datagram) => client.receive(datagram));
      client.start();
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

async function measureEngine() {
  const { engine, keys, connect } = wiredEngine();
  const { client, from, sent } = await connect(1);
  const records = Array.from({ length: RECORDS }, () => client.seal(MESSAGE));
  const recordsReceivedPerSecond = rate(RECORDS, (n) => engine.receive(from, records[n] ?? MESSAGE));
  const key = keys.get(from.port) ?? '';
  const recordsSentPerSecond = rate(RECORDS, () => engine.send(key, MESSAGE));
  const [hello] = sent.filter((datagram) => datagram[13] === HANDSHAKE.clientHello);
  const stranger = addressOf(2);
  const cookiesPerSecond = rate(RECORDS, () => engine.receive(stranger, hello ?? MESSAGE));
  const junk = randomBytes(64);
  junk.writeUInt8(0, 0);
  const junkPerSecond = rate(RECORDS, () => engine.receive(stranger, junk));
  engine.shutDown();
  return { recordsReceivedPerSecond, recordsSentPerSecond, cookiesPerSecond, junkPerSecond };
}

async function measureSessions(sessions: number) {
  const { engine, connect } = wiredEngine();
  await connect(0);
  const before = held();
  for (let device = 1; device <= sessions; device++) {
    const { client, from } = await connect(device);
    // Idle is a session that has been used: its final flight is forgotten.
    engine.receive(from, client.seal(MESSAGE));
  }
  const bytesPerIdleSession = (held() - before) / sessions;
  if (engine.metrics.sessions !== sessions + 1) throw new Error('not all sessions are open');
  engine.shutDown();
  return { bytesPerIdleSession };
}

function rate(count: number, work: (n: number) => void): number {
  const { user, system } = process.cpuUsage();
  for (let n = 0; n < count; n++) work(n);
  const spent = process.cpuUsage({ user, system });
  return (count * 1_000_000) / (spent.user + spent.system);
}

function held(): number {
  if (!globalThis.gc) throw new Error('start it with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

if (import.meta.filename === process.argv[1]) {
  const cost = await measureDtls(Number(process.argv[2] ?? SESSIONS));
  for (const [name, value] of Object.entries(cost)) console.log(`${name.padEnd(26)} ${Math.round(value)}`);
}
