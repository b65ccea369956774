import { expect, it } from 'vitest';
import { codes, createCoapEndpoint, udpPeer, type CoapLimits, type Peer } from '../../src/coap/index.ts';
import { decode } from '../../src/coap/message.ts';
import { ManualClock } from '../manual-clock.ts';
import { datagrams } from './datagrams.ts';
import { seededRandom } from './network.ts';
import { nothing } from './reading.ts';

const COUNT = 50_000;
const limits: Partial<CoapLimits> = {
  peers: 200,
  replyBytes: 100_000,
  uploadBytes: 300_000,
  servedBytes: 100_000,
  bodyBytes: 100_000,
};

it(`stays within its limits under ${COUNT} random and mutated datagrams, and still answers`, async () => {
  const clock = new ManualClock();
  const random = seededRandom(3);
  const sent = new Map<string, Uint8Array>();
  let receive: (peer: Peer, datagram: Uint8Array) => void = nothing;
  const errors: unknown[] = [];
  const wrong: string[] = [];
  const endpoint = createCoapEndpoint({
    clock,
    random,
    limits,
    onHandlerError: (error) => errors.push(error),
    transport: {
      kind: 'udp',
      send: (peer, datagram) => {
        // Every answer is a CoAP message of at most one block and its options, so that it does not amplify.
        if (!decode(datagram).ok || datagram.length > 1_200) wrong.push(Buffer.from(datagram).toString('hex'));
        sent.set(peer.key, datagram);
      },
      onDatagram: (listener) => {
        receive = listener;
      },
      onPeerGone: () => {},
      close: async () => {},
    },
  });
  endpoint.onRequest(async ({ payload, path }) => {
    if (path[0] === 'bs') throw new Error('a handler that fails');
    return { code: codes.content, payload: path[0] === 'dp' ? new Uint8Array(3_000) : payload };
  });
  const observed = udpPeer('198.51.100.1', 5683);
  endpoint.resumeObservation(observed, new Uint8Array(8), { method: 'GET', path: ['3'] }, async () => {});

  let count = 0;
  let repeated = 0;
  for (const datagram of datagrams(COUNT, 99)) {
    const host = Math.floor(random() * 1_000);
    const peer = udpPeer(`198.51.${100 + (host >> 8)}.${host & 255}`, 5683);
    receive(peer, datagram);
    if (host % 50 === 0) {
      repeated++;
      receive(peer, datagram);
    }
    if (++count % 500 === 0) {
      await clock.advance(2_000);
      const { peers, bodyBytes, replyBytes } = endpoint.metrics();
      expect(peers).toBeLessThanOrEqual(200);
      expect(bodyBytes).toBeLessThanOrEqual(400_000);
      expect(replyBytes).toBeLessThanOrEqual(100_000);
    }
  }
  expect(wrong).toEqual([]);
  const { received, dropped, duplicates } = endpoint.metrics();
  expect(received).toBe(COUNT + repeated);
  expect(dropped.malformed).toBeGreaterThan(5_000);
  expect(dropped.unmatched).toBeGreaterThan(500);
  expect(duplicates).toBeGreaterThan(100);
  expect(errors.length).toBeGreaterThan(0);

  const client = udpPeer('203.0.113.1', 5683);
  receive(client, Buffer.from('40010001', 'hex'));
  await clock.advance(10);
  expect(decode(sent.get(client.key) ?? new Uint8Array())).toMatchObject({ ok: true, message: { messageId: 1 } });

  // All state that the flood created is removed after a while.
  await clock.advance(600_000);
  expect(endpoint.metrics()).toMatchObject({ peers: 1, bodyBytes: 0, replyBytes: 0, answering: 0, observations: 1 });
});
