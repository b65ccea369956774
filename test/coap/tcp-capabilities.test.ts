import { connect } from 'node:net';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codes, createCoapEndpoint, TcpTransport, type CoapEndpoint, type Peer } from '../../src/coap/index.ts';
import { blockOption, readBlock } from '../../src/coap/block.ts';
import { NO_BYTES, type MessageOption } from '../../src/coap/message.ts';
import { optionNumbers, readUint, stringOption, uintOption } from '../../src/coap/option.ts';
import { encodeFrame, type Frame } from '../../src/coap/tcp/frame.ts';
import { messageOf, StreamClient } from './stream-client.ts';

const TOKEN = Buffer.of(1, 2, 3, 4, 5, 6, 7, 8);
const BLOCK_WISE: MessageOption = { number: 4, value: NO_BYTES };
const maxMessageSize = (bytes: number): MessageOption => uintOption(2, bytes);
const sizeOf = (frame: Frame | null): number => (frame ? encodeFrame(frame).length : 0);

describe('CoAP over TCP with the capabilities of the peer (RFC 8323 §5.3)', () => {
  let transport: TcpTransport;
  let endpoint: CoapEndpoint;
  let client: StreamClient;
  let response: Uint8Array = NO_BYTES;
  let peer: Peer | null = null;

  beforeEach(async () => {
    transport = await TcpTransport.bind({ hosts: ['127.0.0.1'], port: 0 });
    endpoint = createCoapEndpoint({ transport });
    endpoint.onRequest(async (request) => {
      peer = request.peer;
      return { code: codes.content, contentFormat: 0, payload: response };
    });
    client = new StreamClient(connect(transport.addresses[0]?.port ?? 0, '127.0.0.1'));
    expect(await client.next()).toMatchObject({ code: 0xe1 });
  });

  afterEach(async () => {
    client.socket.destroy();
    await endpoint.close();
  });

  /** Introduces the client and returns it as the peer of the server. */
  async function introduce(...capabilities: MessageOption[]): Promise<Peer> {
    response = NO_BYTES;
    client.send(0xe1, NO_BYTES, capabilities);
    client.send(1, TOKEN, []);
    await client.next();
    if (!peer) throw new Error('no peer');
    return peer;
  }

  const write = (target: Peer, bytes: number, path = 'w') =>
    endpoint.request(target, { method: 'PUT', path: [path], contentFormat: 42, payload: Buffer.alloc(bytes, 'x') });

  /** Takes a body in blocks until its last one; returns the sizes of the messages and the body. */
  async function takeBlocks(): Promise<{ sizes: number[]; bytes: number }> {
    const sizes: number[] = [];
    for (let bytes = 0; ;) {
      const frame = await client.next();
      const { options, payload } = messageOf(frame);
      sizes.push(sizeOf(frame));
      bytes += payload.length;
      const option = options.find(({ number }) => number === optionNumbers.block1);
      const block = option ? readBlock(readUint(option.value)) : null;
      const echo = block ? [blockOption(optionNumbers.block1, block)] : [];
      client.send(block?.more ? codes.continue : codes.changed, frame?.token ?? NO_BYTES, echo);
      if (!block?.more) return { sizes, bytes };
    }
  }

  /** Reads a response block by block. */
  async function readBlocks(): Promise<{ sizes: number[]; bytes: number }> {
    const sizes: number[] = [];
    let further: MessageOption[] = [];
    for (let bytes = 0; ;) {
      client.send(1, TOKEN, [stringOption(optionNumbers.uriPath, 'r'), ...further]);
      const frame = await client.next();
      const { code, options, payload } = messageOf(frame);
      expect(code).toBe(codes.content);
      sizes.push(sizeOf(frame));
      bytes += payload.length;
      const option = options.find(({ number }) => number === optionNumbers.block2);
      const block = option ? readBlock(readUint(option.value)) : null;
      if (!block?.more) return { sizes, bytes };
      further = [blockOption(optionNumbers.block2, { ...block, number: block.number + 1, more: false })];
    }
  }

  it('sends no message above the Max-Message-Size of the peer, in either direction', async () => {
    const most = fc.integer({ min: 64, max: 2_000 });
    const bodies = fc.integer({ min: 0, max: 3_000 });
    const target = await introduce(BLOCK_WISE);
    await fc.assert(
      fc.asyncProperty(most, bodies, bodies, async (size, sent, read) => {
        client.send(0xe1, NO_BYTES, [maxMessageSize(size)]);
        response = Buffer.alloc(read, 'y');
        const reading = await readBlocks();
        expect(Math.max(...reading.sizes)).toBeLessThanOrEqual(size);
        expect(reading.bytes).toBe(read);
        const writing = write(target, sent);
        const taken = await takeBlocks();
        expect(Math.max(...taken.sizes)).toBeLessThanOrEqual(size);
        expect(taken.bytes).toBe(sent);
        expect(await writing).toMatchObject({ code: codes.changed });
      }),
      { numRuns: 60 },
    );
  });

  it('uses smaller blocks when the options of a request are long', async () => {
    const target = await introduce(BLOCK_WISE);
    const writing = write(target, 2_000, 'p'.repeat(255));
    const taken = await takeBlocks();
    expect(Math.max(...taken.sizes)).toBeLessThanOrEqual(1_152);
    expect(taken.bytes).toBe(2_000);
    await writing;
  });

  it('sends no blocks to a peer that did not announce them: the request fails, and nothing of it is sent', async () => {
    const target = await introduce();
    await expect(write(target, 2_000)).rejects.toMatchObject({
      code: 'TOO_LARGE',
      message: expect.stringMatching(/2000 bytes.* messages of 1152 bytes, and did not announce Block-Wise-Transfer/),
    });
    const writing = write(target, 1_100);
    const frame = await client.next();
    expect(messageOf(frame).payload).toHaveLength(1_100);
    client.send(codes.changed, frame?.token ?? NO_BYTES, []);
    expect(await writing).toMatchObject({ code: codes.changed });
  });

  it('answers 5.00 with the reason when a response fits in no message and the peer did not announce blocks', async () => {
    await introduce();
    response = Buffer.alloc(2_000, 'y');
    client.send(1, TOKEN, []);
    const frame = await client.next();
    expect(messageOf(frame)).toMatchObject({
      code: codes.internalServerError,
      options: [],
      payload: 'the response of 2000 bytes does not fit in messages of 1152 bytes without block-wise',
    });
  });

  it('answers in blocks when the peer requests one, although it did not announce them', async () => {
    await introduce();
    response = Buffer.alloc(2_000, 'y');
    client.send(1, TOKEN, [blockOption(optionNumbers.block2, { number: 0, more: false, size: 512 })]);
    expect(messageOf(await client.next())).toMatchObject({ code: codes.content, payload: 'y'.repeat(512) });
  });

  it.each([8_000, 70_000])('sends a body in one message of up to %i bytes without blocks', async (size) => {
    const target = await introduce(maxMessageSize(size));
    response = Buffer.alloc(size - 100, 'y');
    client.send(1, TOKEN, []);
    expect(messageOf(await client.next()).payload).toHaveLength(size - 100);
    const writing = write(target, size - 100);
    const taken = await takeBlocks();
    expect(taken).toMatchObject({ sizes: [expect.any(Number)], bytes: size - 100 });
    await writing;
    await expect(write(target, size)).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  it('sends no request whose options alone are too large', async () => {
    const target = await introduce(BLOCK_WISE, maxMessageSize(100));
    for (const bytes of [0, 10, 2_000]) {
      await expect(write(target, bytes, 'p'.repeat(100))).rejects.toMatchObject({ code: 'TOO_LARGE' });
    }
    const reading = endpoint.request(target, { method: 'GET', path: ['p'.repeat(100)] });
    await expect(reading).rejects.toMatchObject({ code: 'TOO_LARGE' });
  });

  it('keeps the value of an option that a later CSM does not contain or contains with an undefined length', async () => {
    const target = await introduce(BLOCK_WISE, maxMessageSize(128));
    client.send(0xe1, NO_BYTES, [
      { number: 2, value: Buffer.alloc(5, 1) },
      { number: 4, value: Buffer.of(1) },
    ]);
    client.send(0xe2, NO_BYTES, []);
    expect(await client.next()).toMatchObject({ code: 0xe3 });
    const writing = write(target, 500);
    const taken = await takeBlocks();
    expect(Math.max(...taken.sizes)).toBeLessThanOrEqual(128);
    await writing;
  });

  it('aborts with the option when the Max-Message-Size is below 64', async () => {
    client.send(0xe1, NO_BYTES, [maxMessageSize(63)]);
    expect(messageOf(await client.next())).toMatchObject({
      code: 0xe5,
      options: [{ number: 2, value: Buffer.of(2) }],
      payload: '',
    });
    expect(await client.next()).toBeNull();
  });
});
