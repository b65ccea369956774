import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { blockOption } from '../../src/coap/block.ts';
import { codes, createCoapEndpoint, udpPeer, type CoapLimits, type Peer } from '../../src/coap/index.ts';
import { encode, NO_BYTES, type Message } from '../../src/coap/message.ts';
import { optionNumbers, stringOption, uintOption } from '../../src/coap/option.ts';
import { ManualClock } from '../manual-clock.ts';
import { decoded, seededRandom } from './network.ts';
import { nothing } from './reading.ts';

const GET = 1;
const POST = 2;
const DEVICE = udpPeer('198.51.100.1', 5683);

/** An endpoint whose datagrams the test sends and receives itself. */
class Server {
  readonly clock = new ManualClock();
  readonly endpoint;
  /** The number of requests that the handler got from each address. */
  readonly handled = new Map<string, number>();
  readonly #sent: { readonly to: string; readonly message: Message }[] = [];
  #receive: (peer: Peer, datagram: Uint8Array) => void = nothing;

  constructor(limits: Partial<CoapLimits>, payload: Uint8Array = NO_BYTES) {
    this.endpoint = createCoapEndpoint({
      clock: this.clock,
      random: seededRandom(5),
      limits,
      transport: {
        kind: 'udp',
        send: ({ key }, datagram) => void this.#sent.push({ to: key, message: decoded(datagram) }),
        onDatagram: (receive) => {
          this.#receive = receive;
        },
        onPeerGone: nothing,
        close: async () => {},
      },
    });
    this.endpoint.onRequest(async ({ peer }) => {
      this.handled.set(peer.address, (this.handled.get(peer.address) ?? 0) + 1);
      return { code: codes.changed, payload };
    });
  }

  /** Sends a message and returns the server's last message to its sender. */
  async exchange(from: Peer, message: Partial<Message>): Promise<Message | undefined> {
    const whole = { type: 'CON', code: POST, messageId: 1, token: NO_BYTES, options: [], payload: NO_BYTES } as const;
    this.#receive(from, encode({ ...whole, ...message }));
    await this.clock.advance(1);
    return this.lastTo(from);
  }

  lastTo(peer: Peer): Message | undefined {
    return this.#sent.findLast(({ to }) => to === peer.key)?.message;
  }

  /** The next block of a body of 64-byte blocks that has more blocks. */
  block(from: Peer, number: number, messageId = number): Promise<Message | undefined> {
    const options = [
      stringOption(optionNumbers.uriPath, 'rd'),
      blockOption(optionNumbers.block1, { number, more: true, size: 64 }),
    ];
    return this.exchange(from, { messageId, options, payload: new Uint8Array(64) });
  }

  /** The device acknowledges and answers a request of the server, which proves that it receives at its address. */
  async prove(peer: Peer): Promise<void> {
    const answer = this.endpoint.request(peer, { method: 'GET', path: ['3'] });
    const request = this.lastTo(peer);
    if (!request) throw new Error('the server sent no request');
    await this.exchange(peer, { ...request, type: 'ACK', code: codes.content, options: [] });
    await answer;
  }
}

/** `count` ports of an address. */
const ports = (address: string, count: number): Peer[] =>
  Array.from({ length: count }, (_, port) => udpPeer(address, 1_024 + port));

describe('a flood of requests', () => {
  it('from one address drops its own oldest peers from a full table, not those of others', async () => {
    const server = new Server({ peers: 10 });
    await server.exchange(DEVICE, {});
    for (const stranger of ports('192.0.2.9', 50)) await server.exchange(stranger, {});
    await server.exchange(DEVICE, {});
    // The device's request was a duplicate: the server still knew it.
    expect(server.handled.get(DEVICE.address)).toBe(1);
    expect(server.endpoint.metrics()).toMatchObject({ peers: 10, duplicates: 1, evictedPeers: 41 });
  });

  it.each([
    ['IPv4 address', (n: number) => udpPeer('192.0.2.9', 1_024 + n)],
    ['IPv6 /64', (n: number) => udpPeer(`2001:db8::${n}`, 5683)],
  ])('from one %s makes a limited number of peers', async (_what, peer) => {
    const server = new Server({ strangersPerNetwork: 4 });
    for (let n = 1; n <= 20; n++) await server.exchange(peer(n), {});
    await server.exchange(udpPeer('2001:db8:0:1::1', 5683), {});
    expect(server.endpoint.metrics()).toMatchObject({ peers: 5, evictedPeers: 16 });
  });

  it('drops no device that has answered a request', async () => {
    const server = new Server({ peers: 10, strangersPerNetwork: 4 });
    const devices = ports('192.0.2.9', 6);
    for (const device of devices) {
      await server.exchange(device, {});
      await server.prove(device);
    }
    for (const stranger of ports('192.0.2.9', 40).slice(6)) await server.exchange(stranger, {});
    for (const device of devices) await server.exchange(device, {});
    expect(server.endpoint.metrics()).toMatchObject({ peers: 10, duplicates: 6 });
  });

  it('drops no peer whose request is being answered', async () => {
    const server = new Server({ peers: 4 });
    server.endpoint.onRequest(() => new Promise(() => {}));
    for (const stranger of ports('192.0.2.9', 4)) await server.exchange(stranger, {});
    expect(await server.exchange(DEVICE, {})).toBeUndefined();
    expect(server.endpoint.metrics()).toMatchObject({ peers: 4, dropped: { full: 1 }, evictedPeers: 0 });
  });

  it('that fills the memory for replies loses its own replies, not those of others', async () => {
    const server = new Server({ replyBytes: 600 }, new Uint8Array(50));
    await server.exchange(DEVICE, {});
    for (const stranger of ports('192.0.2.9', 50)) await server.exchange(stranger, {});
    const late = udpPeer('198.51.100.2', 5683);
    await server.exchange(late, {});
    for (const device of [DEVICE, late]) await server.exchange(device, {});
    expect(server.handled.get(late.address)).toBe(1);
    expect(server.endpoint.metrics().duplicates).toBe(2);
    const { sent, replyBytes } = server.endpoint.metrics();
    expect(sent).toBe(54);
    expect(replyBytes).toBeLessThanOrEqual(600);
  });
});

describe('a flood of unfinished bodies', () => {
  it('from one address drops its own oldest body at the limit of bytes, not those of others', async () => {
    const server = new Server({ uploadBytes: 1_000 });
    await server.block(DEVICE, 0);
    for (const stranger of ports('192.0.2.9', 50)) await server.block(stranger, 0);
    expect(await server.block(DEVICE, 1)).toMatchObject({ code: codes.continue });
    expect(server.endpoint.metrics().evictedBodies).toBeGreaterThan(30);
  });

  it('from one address has a limited number of bodies', async () => {
    const server = new Server({ bodiesPerNetwork: 4 });
    await server.block(DEVICE, 0);
    for (const stranger of ports('192.0.2.9', 50)) await server.block(stranger, 0);
    expect(server.endpoint.metrics()).toMatchObject({ bodyBytes: 5 * 64, evictedBodies: 46 });
    expect(await server.block(DEVICE, 1)).toMatchObject({ code: codes.continue });
  });

  it('from many addresses has a limited number of bodies in total', async () => {
    const server = new Server({ bodies: 10 });
    for (let n = 0; n < 50; n++) await server.block(udpPeer(`192.0.2.${n}`, 5683), 0);
    expect(server.endpoint.metrics()).toMatchObject({ bodyBytes: 10 * 64, evictedBodies: 40 });
  });

  it('drops no body of a device that has answered a request', async () => {
    const server = new Server({ bodies: 10, bodiesPerNetwork: 4 });
    const device = udpPeer('192.0.2.9', 5683);
    await server.prove(device);
    await server.block(device, 0, 100);
    for (let n = 0; n < 50; n++) await server.block(udpPeer(`192.0.2.${n}`, 6_000 + n), 0);
    expect(await server.block(device, 1, 101)).toMatchObject({ code: codes.continue });
  });

  it('is limited for responses that strangers read in blocks, too', async () => {
    const server = new Server({ bodiesPerNetwork: 4 }, new Uint8Array(100));
    const options = [uintOption(optionNumbers.block2, 1)];
    for (const peer of [DEVICE, ...ports('192.0.2.9', 50)]) await server.exchange(peer, { code: GET, options });
    expect(server.endpoint.metrics()).toMatchObject({ bodyBytes: 5 * 100, evictedBodies: 46 });
  });

  it('does not keep the long paths of its requests', async () => {
    const server = new Server({});
    const options = Array.from({ length: 200 }, (_, n) => stringOption(optionNumbers.uriPath, `${n}`.padEnd(255, 'x')));
    options.push(blockOption(optionNumbers.block1, { number: 0, more: true, size: 16 }));
    const before = heapUsed();
    for (const stranger of ports('192.0.2.9', 500)) {
      await server.exchange(stranger, { options, payload: new Uint8Array(16) });
    }
    expect(heapUsed() - before).toBeLessThan(500 * 10_000);
  });
});

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  return process.memoryUsage().heapUsed;
}
