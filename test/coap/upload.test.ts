import { describe, expect, it } from 'vitest';
import { blockOption, type Block } from '../../src/coap/block.ts';
import { codes, type CoapEndpointOptions } from '../../src/coap/index.ts';
import { NO_BYTES, type Message, type MessageOption } from '../../src/coap/message.ts';
import { optionNumbers, stringOption, uintOption } from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { blockOf, body, responseOf } from './reading.ts';

const SERVER = '192.0.2.1';
const PEER = '192.0.2.2';
const POST = 2;
const { block1 } = optionNumbers;

const tag = (byte: number) => ({ options: [{ number: optionNumbers.requestTag, value: Uint8Array.of(byte) }] });
const format = (number: number) => ({ options: [uintOption(optionNumbers.contentFormat, number)] });

function start(options: Partial<CoapEndpointOptions> = {}) {
  const network = new SimulatedNetwork();
  const endpoint = network.endpoint(SERVER, options);
  const peer = new ScriptedPeer(network, PEER, SERVER);
  return { network, clock: network.clock, endpoint, peer };
}

describe('a request that arrives in blocks', () => {
  const rd = stringOption(optionNumbers.uriPath, 'rd');

  /** A server that records the requests of its handler, and a client that sends blocks. */
  function upload(options: Partial<CoapEndpointOptions> = {}) {
    const { clock, endpoint, peer } = start(options);
    const bodies: Uint8Array[] = [];
    endpoint.onRequest(async ({ payload }) => {
      bodies.push(payload);
      return { code: codes.created };
    });
    let messageId = 0;
    const sendBlock = async (
      block: Block,
      payload: Uint8Array,
      more: { token?: Uint8Array; options?: MessageOption[] } = {},
    ): Promise<Message | undefined> => {
      messageId++;
      const token = more.token ?? Uint8Array.of(messageId);
      const all = [rd, blockOption(block1, block), ...(more.options ?? [])];
      peer.send({ type: 'CON', code: POST, messageId, token, options: all, payload });
      await clock.advance(10);
      return peer.received.at(-1);
    };
    return { clock, endpoint, peer, bodies, sendBlock };
  }

  it('reaches the handler whole, with a new token in each block', async () => {
    const { bodies, sendBlock, endpoint } = upload();
    const whole = body(150);
    const first = await sendBlock({ number: 0, more: true, size: 64 }, whole.subarray(0, 64));
    expect(first).toMatchObject({ type: 'ACK', code: codes.continue });
    expect(blockOf(responseOf(first).block1)).toEqual({ number: 0, more: true, size: 64 });
    const second = await sendBlock({ number: 1, more: true, size: 64 }, whole.subarray(64, 128));
    expect(second?.code).toBe(codes.continue);
    expect(bodies).toEqual([]);
    const last = await sendBlock({ number: 2, more: false, size: 64 }, whole.subarray(128));
    expect(last?.code).toBe(codes.created);
    expect(blockOf(responseOf(last).block1)).toEqual({ number: 2, more: false, size: 64 });
    expect(bodies).toEqual([whole]);
    expect(endpoint.metrics().bodyBytes).toBe(0);
  });

  it('is answered with Block1 also when it has one block', async () => {
    const { bodies, sendBlock } = upload();
    const reply = await sendBlock({ number: 0, more: false, size: 64 }, body(20));
    expect(blockOf(responseOf(reply).block1)).toEqual({ number: 0, more: false, size: 64 });
    expect(bodies).toEqual([body(20)]);
  });

  it('gets 4.08 for a block whose predecessors are missing', async () => {
    const { bodies, sendBlock } = upload();
    expect(await sendBlock({ number: 1, more: true, size: 64 }, body(64))).toMatchObject({
      code: codes.requestEntityIncomplete,
    });
    await sendBlock({ number: 0, more: true, size: 64 }, body(64));
    expect(await sendBlock({ number: 2, more: false, size: 64 }, body(64))).toMatchObject({
      code: codes.requestEntityIncomplete,
    });
    expect(bodies).toEqual([]);
  });

  it('may contain a block again in a new message', async () => {
    const { bodies, sendBlock } = upload();
    const whole = body(150);
    await sendBlock({ number: 0, more: true, size: 64 }, whole.subarray(0, 64));
    await sendBlock({ number: 1, more: true, size: 64 }, whole.subarray(64, 128));
    expect(await sendBlock({ number: 1, more: true, size: 64 }, whole.subarray(64, 128))).toMatchObject({
      code: codes.continue,
    });
    await sendBlock({ number: 2, more: false, size: 64 }, whole.subarray(128));
    expect(bodies).toEqual([whole]);
  });

  it('starts again with its first block', async () => {
    const { bodies, sendBlock } = upload();
    await sendBlock({ number: 0, more: true, size: 64 }, new Uint8Array(64));
    await sendBlock({ number: 0, more: true, size: 64 }, body(64));
    await sendBlock({ number: 1, more: false, size: 64 }, NO_BYTES);
    expect(bodies).toEqual([body(64)]);
  });

  it('may continue with smaller blocks at the same offset', async () => {
    const { bodies, sendBlock } = upload();
    const whole = body(100);
    await sendBlock({ number: 0, more: true, size: 64 }, whole.subarray(0, 64));
    await sendBlock({ number: 2, more: true, size: 32 }, whole.subarray(64, 96));
    await sendBlock({ number: 3, more: false, size: 32 }, whole.subarray(96));
    expect(bodies).toEqual([whole]);
  });

  it('is distinguished by Request-Tag from another request to the same URI', async () => {
    const { bodies, sendBlock } = upload();
    const [a, b] = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)];
    await sendBlock({ number: 0, more: true, size: 64 }, a, tag(1));
    await sendBlock({ number: 0, more: true, size: 64 }, b, tag(2));
    await sendBlock({ number: 1, more: false, size: 64 }, a.subarray(0, 1), tag(1));
    await sendBlock({ number: 1, more: false, size: 64 }, b.subarray(0, 1), tag(2));
    expect(bodies).toEqual([new Uint8Array(65).fill(1), new Uint8Array(65).fill(2)]);
  });

  it('is distinguished from the request of another peer', async () => {
    const { network, clock, endpoint, peer } = start();
    const other = new ScriptedPeer(network, '192.0.2.3', SERVER);
    const bodies: Uint8Array[] = [];
    endpoint.onRequest(async ({ payload }) => {
      bodies.push(payload);
      return { code: codes.created };
    });
    for (const [index, sender] of [peer, other].entries()) {
      const payload = new Uint8Array(64).fill(index);
      const options = [rd, blockOption(block1, { number: 0, more: true, size: 64 })];
      sender.send({ type: 'CON', code: POST, messageId: 1, options, payload });
    }
    await clock.advance(10);
    for (const [index, sender] of [peer, other].entries()) {
      const payload = new Uint8Array(1).fill(index);
      const options = [rd, blockOption(block1, { number: 1, more: false, size: 64 })];
      sender.send({ type: 'CON', code: POST, messageId: 2, options, payload });
    }
    await clock.advance(10);
    expect(bodies).toEqual([new Uint8Array(65).fill(0), new Uint8Array(65).fill(1)]);
  });

  it('gets 4.08 when the Content-Format changes between blocks', async () => {
    const { sendBlock } = upload();
    await sendBlock({ number: 0, more: true, size: 64 }, body(64), format(40));
    const reply = await sendBlock({ number: 1, more: false, size: 64 }, body(4), format(60));
    expect(reply?.code).toBe(codes.requestEntityIncomplete);
  });

  it('gets 4.00 for a block that is not full but not the last, and for the reserved size', async () => {
    const { clock, peer, sendBlock } = upload();
    expect(await sendBlock({ number: 0, more: true, size: 64 }, body(63))).toMatchObject({ code: codes.badRequest });
    const options = [rd, uintOption(block1, 0x0f)];
    peer.send({ type: 'CON', code: POST, messageId: 99, options, payload: body(16) });
    await clock.advance(10);
    expect(peer.received.at(-1)).toMatchObject({ code: codes.badRequest });
  });

  it('gets 4.13 with the limit in Size1 when it exceeds the limit, and when its Size1 announces that', async () => {
    const { bodies, sendBlock, endpoint } = upload({ limits: { bodyBytes: 100 } });
    await sendBlock({ number: 0, more: true, size: 64 }, body(64));
    const grown = await sendBlock({ number: 1, more: true, size: 64 }, body(64));
    expect(grown?.code).toBe(codes.requestEntityTooLarge);
    expect(grown?.options.map(({ number }) => number)).toEqual([block1, optionNumbers.size1]);
    expect(grown?.options.at(-1)?.value).toEqual(Uint8Array.of(100));
    expect(endpoint.metrics().bodyBytes).toBe(0);
    const announced = await sendBlock({ number: 0, more: true, size: 64 }, body(64), {
      options: [uintOption(optionNumbers.size1, 101)],
    });
    expect(announced?.code).toBe(codes.requestEntityTooLarge);
    expect(bodies).toEqual([]);
  });

  it('uses memory for the received bytes, not for the announced size', async () => {
    const { sendBlock, endpoint } = upload({ limits: { bodyBytes: 2 ** 30 } });
    await sendBlock({ number: 0, more: true, size: 16 }, body(16), {
      options: [uintOption(optionNumbers.size1, 2 ** 29)],
    });
    expect(endpoint.metrics().bodyBytes).toBeLessThan(100);
    expect(await sendBlock({ number: 0xf_ffff, more: true, size: 1024 }, body(1024))).toMatchObject({
      code: codes.requestEntityIncomplete,
    });
    expect(endpoint.metrics().bodyBytes).toBeLessThan(100);
  });

  it('is removed without a block for EXCHANGE_LIFETIME', async () => {
    const { clock, endpoint, sendBlock } = upload();
    await sendBlock({ number: 0, more: true, size: 64 }, body(64));
    await clock.advance(240_000);
    await sendBlock({ number: 1, more: true, size: 64 }, body(64));
    await clock.advance(240_000);
    expect(endpoint.metrics().bodyBytes).toBeGreaterThan(0);
    await clock.advance(30_000);
    expect(endpoint.metrics().bodyBytes).toBe(0);
    expect(await sendBlock({ number: 2, more: false, size: 64 }, body(1))).toMatchObject({
      code: codes.requestEntityIncomplete,
    });
  });

  it('is removed to make room when it was idle for longest: in number per peer, in bytes over all', async () => {
    const { endpoint, sendBlock } = upload({ limits: { bodiesPerPeer: 2, uploadBytes: 150 } });
    for (const byte of [1, 2, 3]) await sendBlock({ number: 0, more: true, size: 64 }, body(64), tag(byte));
    expect(endpoint.metrics().bodyBytes).toBe(128);
    expect(await sendBlock({ number: 1, more: true, size: 64 }, body(64), tag(1))).toMatchObject({
      code: codes.requestEntityIncomplete,
    });
    expect(await sendBlock({ number: 1, more: true, size: 64 }, body(64), tag(3))).toMatchObject({
      code: codes.continue,
    });
    expect(endpoint.metrics().bodyBytes).toBe(128);
    expect(await sendBlock({ number: 1, more: true, size: 64 }, body(64), tag(2))).toMatchObject({
      code: codes.requestEntityIncomplete,
    });
  });
});
