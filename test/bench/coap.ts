/**
 * Measures the cost of the CoAP engine: µs of CPU per request compared with a raw UDP echo in the same run, and bytes
 * per observation. `node --expose-gc --import tsx test/bench/coap.ts`.
 */
import { createCoapEndpoint, udpPeer, type Transport } from '../../src/coap/index.ts';
import { measureServer } from './coap-load.ts';

export interface CoapCost {
  readonly rawEchoMicroseconds: number;
  readonly requestMicroseconds: number;
  /** `requestMicroseconds` divided by `rawEchoMicroseconds`. */
  readonly ratio: number;
  readonly bytesPerObservation: number;
  readonly bytesPerIdlePeer: number;
}

const REQUESTS = 200_000;
const PEERS = 20_000;
const OBSERVATIONS_PER_PEER = 5;

/** A transport that sends nothing, for measuring memory. */
const nowhere: Transport = { kind: 'udp', send() {}, onDatagram() {}, onPeerGone() {}, async close() {} };

export async function measureCoap(requests = REQUESTS): Promise<CoapCost> {
  const raw = await measureServer('raw', requests);
  const ours = await measureServer('treeline', requests);
  return {
    rawEchoMicroseconds: raw.cpuMicrosecondsPerRequest,
    requestMicroseconds: ours.cpuMicrosecondsPerRequest,
    ratio: ours.cpuMicrosecondsPerRequest / raw.cpuMicrosecondsPerRequest,
    ...measureObservations(),
  };
}

async function onNotification(): Promise<void> {}

/** The bytes per observation include its share of the peer and the path of its request. All share one handler. */
function measureObservations(): Pick<CoapCost, 'bytesPerObservation' | 'bytesPerIdlePeer'> {
  const endpoint = createCoapEndpoint({ transport: nowhere });
  const before = held();
  const peers = Array.from({ length: PEERS }, (_, index) => udpPeer(`10.${index >> 8}.${index & 255}.1`, 5683));
  const known = held();
  const observations: unknown[] = [];
  const token = Buffer.alloc(8);
  for (const [index, peer] of peers.entries()) {
    for (let resource = 0; resource < OBSERVATIONS_PER_PEER; resource++) {
      token.writeUInt32BE(index * OBSERVATIONS_PER_PEER + resource);
      const request = { method: 'GET', path: ['3303', String(resource), '5700'], accept: 112 } as const;
      observations.push(endpoint.resumeObservation(peer, token, request, onNotification));
    }
  }
  const after = held();
  if (endpoint.metrics().observations !== observations.length) throw new Error('some observations were not resumed');
  return {
    bytesPerObservation: (after - known) / observations.length,
    bytesPerIdlePeer: (known - before) / PEERS,
  };
}

function held(): number {
  if (!globalThis.gc) throw new Error('start it with --expose-gc');
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

if (import.meta.filename === process.argv[1]) {
  const cost = await measureCoap(Number(process.argv[2] ?? REQUESTS));
  console.log(`raw UDP echo    ${cost.rawEchoMicroseconds.toFixed(1)} µs of CPU a datagram`);
  console.log(`CoAP request    ${cost.requestMicroseconds.toFixed(1)} µs of CPU, ${cost.ratio.toFixed(2)} × raw echo`);
  console.log(
    `observation     ${cost.bytesPerObservation.toFixed(0)} bytes, its path and its share of the peer included`,
  );
  console.log(`address         ${cost.bytesPerIdlePeer.toFixed(0)} bytes a peer, before anything is known of it`);
}
