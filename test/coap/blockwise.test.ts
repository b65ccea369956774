import { describe, expect, it } from 'vitest';
import { blockOption, readBlock, type Block } from '../../src/coap/block.ts';
import {
  codes,
  transmissionParameters,
  type CoapEndpointOptions,
  type IncomingResponse,
  type OutgoingRequest,
} from '../../src/coap/index.ts';
import { NO_BYTES, type Message, type MessageOption } from '../../src/coap/message.ts';
import {
  optionNumbers,
  readRequestOptions,
  readResponseOptions,
  stringOption,
  uintOption,
  type RequestOptions,
  type ResponseOptions,
} from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork, text } from './network.ts';

const SERVER = '192.0.2.1';
const PEER = '192.0.2.2';
const GET = 1;
const POST = 2;
const { block1, block2 } = optionNumbers;

function start(options: Partial<CoapEndpointOptions> = {}) {
  const network = new SimulatedNetwork();
  const endpoint = network.endpoint(SERVER, options);
  const peer = new ScriptedPeer(network, PEER, SERVER);
  return { network, clock: network.clock, endpoint, peer };
}

function requestOf(message: Message | undefined): RequestOptions {
  const options = readRequestOptions(message?.options ?? []);
  if ('unrecognized' in options) throw new Error(`option ${options.unrecognized}`);
  return options;
}

function responseOf(message: Message | undefined): ResponseOptions {
  const options = readResponseOptions(message?.options ?? []);
  if ('unrecognized' in options) throw new Error(`option ${options.unrecognized}`);
  return options;
}

const blockOf = (value: number | null): Block | null => (value === null ? null : readBlock(value));
const body = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, index) => (index * 7 + (index >> 8)) & 255);
const etag = (...value: number[]): MessageOption => ({ number: optionNumbers.etag, value: Uint8Array.from(value) });

describe('a request that comes in blocks', () => {
  const rd = stringOption(optionNumbers.uriPath, 'rd');

  /** A server that keeps what its handler got, and a client that sends blocks. */
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

  it('of one block is answered with Block1 too', async () => {
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

  it('may repeat a block in a new message', async () => {
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

  it('begins again with its first block', async () => {
    const { bodies, sendBlock } = upload();
    await sendBlock({ number: 0, more: true, size: 64 }, new Uint8Array(64));
    await sendBlock({ number: 0, more: true, size: 64 }, body(64));
    await sendBlock({ number: 1, more: false, size: 64 }, NO_BYTES);
    expect(bodies).toEqual([body(64)]);
  });

  it('may go on with smaller blocks at the same offset', async () => {
    const { bodies, sendBlock } = upload();
    const whole = body(100);
    await sendBlock({ number: 0, more: true, size: 64 }, whole.subarray(0, 64));
    await sendBlock({ number: 2, more: true, size: 32 }, whole.subarray(64, 96));
    await sendBlock({ number: 3, more: false, size: 32 }, whole.subarray(96));
    expect(bodies).toEqual([whole]);
  });

  it('is kept apart by Request-Tag from another to the same URI', async () => {
    const { bodies, sendBlock } = upload();
    const tag = (byte: number) => ({ options: [{ number: optionNumbers.requestTag, value: Uint8Array.of(byte) }] });
    const [a, b] = [new Uint8Array(64).fill(1), new Uint8Array(64).fill(2)];
    await sendBlock({ number: 0, more: true, size: 64 }, a, tag(1));
    await sendBlock({ number: 0, more: true, size: 64 }, b, tag(2));
    await sendBlock({ number: 1, more: false, size: 64 }, a.subarray(0, 1), tag(1));
    await sendBlock({ number: 1, more: false, size: 64 }, b.subarray(0, 1), tag(2));
    expect(bodies).toEqual([new Uint8Array(65).fill(1), new Uint8Array(65).fill(2)]);
  });

  it('is kept apart from that of another peer', async () => {
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

  it('gets 4.08 when the Content-Format changes on the way', async () => {
    const { sendBlock } = upload();
    const format = (number: number) => ({ options: [uintOption(optionNumbers.contentFormat, number)] });
    await sendBlock({ number: 0, more: true, size: 64 }, body(64), format(40));
    const reply = await sendBlock({ number: 1, more: false, size: 64 }, body(4), format(60));
    expect(reply?.code).toBe(codes.requestEntityIncomplete);
  });

  it('gets 4.00 for a block that is not full though more follow, and for the reserved size', async () => {
    const { clock, peer, sendBlock } = upload();
    expect(await sendBlock({ number: 0, more: true, size: 64 }, body(63))).toMatchObject({ code: codes.badRequest });
    const options = [rd, uintOption(block1, 0x0f)];
    peer.send({ type: 'CON', code: POST, messageId: 99, options, payload: body(16) });
    await clock.advance(10);
    expect(peer.received.at(-1)).toMatchObject({ code: codes.badRequest });
  });

  it('gets 4.13 with our cap in Size1 when it grows above it, and when it says so in advance', async () => {
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

  it('takes the memory of what came, not of what it claims', async () => {
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

  it('is let go of when it does not move for EXCHANGE_LIFETIME', async () => {
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

  it('makes room for others when it waits longest: in number for its peer, in bytes for all', async () => {
    const { endpoint, sendBlock } = upload({ limits: { bodiesPerPeer: 2, uploadBytes: 150 } });
    const tag = (byte: number) => ({ options: [{ number: optionNumbers.requestTag, value: Uint8Array.of(byte) }] });
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

describe('a large response of ours', () => {
  const big = stringOption(optionNumbers.uriPath, 'big');

  function serve(length: number, options: Partial<CoapEndpointOptions> = {}) {
    const { clock, endpoint, peer } = start(options);
    let runs = 0;
    endpoint.onRequest(async () => {
      runs++;
      return { code: codes.content, contentFormat: 40, payload: body(length) };
    });
    let messageId = 0;
    const ask = async (block: Block | null, code = GET): Promise<Message | undefined> => {
      const all = [big, ...(block ? [blockOption(block2, block)] : [])];
      peer.send({ type: 'CON', code, messageId: ++messageId, token: Uint8Array.of(messageId), options: all });
      await clock.advance(10);
      return peer.received.at(-1);
    };
    return { clock, endpoint, ask, runs: () => runs };
  }

  it('is served block by block from one run of the handler, with one ETag, and Size2 in the first block', async () => {
    const { ask, runs } = serve(2_500);
    const parts: Uint8Array[] = [];
    const etags = new Set<string>();
    for (let number = 0; number < 3; number++) {
      const reply = await ask(number === 0 ? null : { number, more: false, size: 1024 });
      const options = responseOf(reply);
      expect(reply?.code).toBe(codes.content);
      expect(options.contentFormat).toBe(40);
      expect(blockOf(options.block2)).toEqual({ number, more: number < 2, size: 1024 });
      expect(options.size2).toBe(number === 0 ? 2_500 : null);
      etags.add(Buffer.from(options.etag ?? NO_BYTES).toString('hex'));
      parts.push(reply?.payload ?? NO_BYTES);
    }
    expect(Uint8Array.from(Buffer.concat(parts))).toEqual(body(2_500));
    expect(etags.size).toBe(1);
    expect(runs()).toBe(1);
  });

  it('is served in the size that the peer asks for, or the size that it is sent in at most', async () => {
    const { ask } = serve(300);
    expect(blockOf(responseOf(await ask({ number: 0, more: false, size: 64 })).block2)).toEqual({
      number: 0,
      more: true,
      size: 64,
    });
    const small = serve(300, { parameters: () => transmissionParameters({ blockSize: 128 }) });
    expect(blockOf(responseOf(await small.ask({ number: 0, more: false, size: 1024 })).block2)).toEqual({
      number: 0,
      more: true,
      size: 128,
    });
  });

  it('comes without Block2 when it fits', async () => {
    const { ask } = serve(1024);
    const reply = await ask(null);
    expect(responseOf(reply)).toMatchObject({ block2: null, etag: null });
    expect(reply?.payload).toHaveLength(1024);
  });

  it('is asked of the handler again when it is not kept any more, for GET; 4.08 for POST', async () => {
    const { ask, runs } = serve(2_500);
    const reply = await ask({ number: 2, more: false, size: 1024 });
    expect(reply?.payload).toEqual(body(2_500).subarray(2048));
    expect(runs()).toBe(1);
    expect(await ask({ number: 2, more: false, size: 1024 }, POST)).toMatchObject({
      code: codes.requestEntityIncomplete,
    });
    expect(runs()).toBe(1);
  });

  it('has no block past its end: 4.00', async () => {
    const { ask } = serve(2_500);
    await ask(null);
    expect(await ask({ number: 3, more: false, size: 1024 })).toMatchObject({ code: codes.badRequest });
  });

  it('is let go of after EXCHANGE_LIFETIME', async () => {
    const { clock, endpoint, ask } = serve(2_500);
    await ask(null);
    expect(endpoint.metrics().bodyBytes).toBe(2_500);
    await clock.advance(270_000);
    expect(endpoint.metrics().bodyBytes).toBe(0);
  });
});

/** What became of a request, to be looked at without waiting for it. */
function outcome(promise: Promise<IncomingResponse>) {
  const seen: { code?: number; payload?: Uint8Array; error?: string } = {};
  promise.then(
    ({ code, payload }) => Object.assign(seen, { code, payload: Uint8Array.from(payload) }),
    (error: { code: string }) => Object.assign(seen, { error: error.code }),
  );
  return seen;
}

describe('a large request of ours', () => {
  /** A device that puts blocks together; `reply` may say otherwise for one. */
  function write(
    payload: Uint8Array,
    reply: (block: Block | null, message: Message) => (Pick<Message, 'code'> & Partial<Message>) | null = () => null,
    options: Partial<CoapEndpointOptions> = {},
  ) {
    const { clock, endpoint, peer } = start(options);
    const blocks: (Block | null)[] = [];
    const parts: Uint8Array[] = [];
    peer.onMessage = (message) => {
      if (message.type !== 'CON') return;
      const block = blockOf(requestOf(message).block1);
      blocks.push(block);
      const special = reply(block, message);
      if (special) return peer.piggyback(message, special);
      parts.push(message.payload.slice());
      const echo = block ? [blockOption(block1, block)] : [];
      peer.piggyback(message, { code: block?.more ? codes.continue : codes.changed, options: echo });
    };
    const events: string[] = [];
    const result = outcome(
      endpoint.request(peer.peer, {
        method: 'PUT',
        path: ['5', '0', '0'],
        contentFormat: 42,
        payload,
        onSent: () => events.push('sent'),
        onAcknowledged: () => events.push('acknowledged'),
      }),
    );
    return { clock, endpoint, peer, blocks, parts, result, events };
  }

  it('goes in blocks of 1024 bytes under one token, Size1 in the first, and is one request to the caller', async () => {
    const { clock, peer, blocks, parts, result, events } = write(body(2_500));
    await clock.advance(100);
    expect(result.code).toBe(codes.changed);
    expect(blocks).toEqual([
      { number: 0, more: true, size: 1024 },
      { number: 1, more: true, size: 1024 },
      { number: 2, more: false, size: 1024 },
    ]);
    expect(Uint8Array.from(Buffer.concat(parts))).toEqual(body(2_500));
    expect(peer.received.map((message) => requestOf(message).size1)).toEqual([2_500, null, null]);
    expect(new Set(peer.received.map(({ token }) => Buffer.from(token).toString('hex'))).size).toBe(1);
    expect(peer.received.every((message) => requestOf(message).contentFormat === 42)).toBe(true);
    expect(events).toEqual(['sent', 'acknowledged']);
  });

  it('goes on in the smaller size that the peer acknowledges, at the same offset', async () => {
    const { clock, blocks, parts, result } = write(
      body(200),
      (block) =>
        block?.number === 0 && block.size === 64
          ? { code: codes.continue, options: [blockOption(block1, { ...block, size: 32 })] }
          : null,
      { parameters: () => transmissionParameters({ blockSize: 64 }) },
    );
    await clock.advance(100);
    expect(result.code).toBe(codes.changed);
    expect(blocks.slice(0, 3)).toEqual([
      { number: 0, more: true, size: 64 },
      { number: 2, more: true, size: 32 },
      { number: 3, more: true, size: 32 },
    ]);
    expect(Uint8Array.from(Buffer.concat(parts))).toEqual(body(200).subarray(64));
  });

  it('begins again in the smaller size that a 4.13 proposes, in blocks or not', async () => {
    const refuseLarge = (block: Block | null) =>
      block === null || block.size > 128
        ? { code: codes.requestEntityTooLarge, options: [blockOption(block1, { number: 0, more: false, size: 128 })] }
        : null;
    for (const length of [500, 2_500]) {
      const { clock, parts, result } = write(body(length), refuseLarge);
      await clock.advance(1_000);
      expect(result.code).toBe(codes.changed);
      expect(Uint8Array.from(Buffer.concat(parts))).toEqual(body(length));
    }
  });

  it('ends with the error that the peer answers on the way', async () => {
    const { clock, result, blocks } = write(body(5_000), (block) =>
      block?.number === 1 ? { code: codes.requestEntityTooLarge } : null,
    );
    await clock.advance(100);
    expect(result.code).toBe(codes.requestEntityTooLarge);
    expect(blocks).toHaveLength(2);
  });

  it.each([
    [
      'another block is acknowledged',
      { code: codes.continue, options: [blockOption(block1, { number: 5, more: true, size: 1024 })] },
    ],
    ['a part is taken for the whole', { code: codes.changed }],
    ['the reserved size is sent', { code: codes.continue, options: [uintOption(block1, 0x0f)] }],
  ])('ends in PROTOCOL when %s', async (_name, reply) => {
    const { clock, result } = write(body(2_500), (block) => (block?.number === 0 ? reply : null));
    await clock.advance(100);
    expect(result.error).toBe('PROTOCOL');
  });

  it('goes on when each block is acted upon by itself', async () => {
    const { clock, result } = write(body(2_500), (block) =>
      block?.more ? { code: codes.changed, options: [blockOption(block1, { ...block, more: false })] } : null,
    );
    await clock.advance(100);
    expect(result.code).toBe(codes.changed);
  });

  it('keeps the turn until it is whole', async () => {
    const { clock, endpoint, peer, blocks } = write(body(2_500));
    outcome(endpoint.request(peer.peer, { method: 'GET', path: ['3'] }));
    await clock.advance(100);
    expect(blocks.map((block) => block?.number)).toEqual([0, 1, 2, undefined]);
  });

  it('times out by the last block that moved', async () => {
    const { clock, endpoint, peer } = start();
    peer.onMessage = (message) => {
      const block = blockOf(requestOf(message).block1);
      const options = block ? [blockOption(block1, block)] : [];
      clock.after(9_000, () =>
        peer.piggyback(message, { code: block?.more ? codes.continue : codes.changed, options }),
      );
    };
    const request: OutgoingRequest = { method: 'PUT', path: ['5'], payload: body(4_000), timeoutMs: 10_000 };
    const result = outcome(endpoint.request(peer.peer, request));
    await clock.advance(40_000);
    expect(result.code).toBe(codes.changed);
  });
});

describe('a large response to us', () => {
  type Reply = Pick<Message, 'code'> & Partial<Message>;

  /** A device that serves `whole` block by block; `change` may alter what it says. */
  function read(
    whole: Uint8Array,
    change: (reply: Reply, block: Block, message: Message) => Reply | null = (reply) => reply,
    request: Partial<OutgoingRequest> = {},
    options: Partial<CoapEndpointOptions> = {},
  ) {
    const { network, clock, endpoint, peer } = start(options);
    peer.onMessage = (message) => {
      if (message.type === 'ACK' || message.type === 'RST') return;
      const block = blockOf(requestOf(message).block2) ?? { number: 0, more: false, size: 64 };
      const offset = block.number * block.size;
      const served = { ...block, more: offset + block.size < whole.length };
      const reply = {
        code: codes.content,
        options: [etag(1), uintOption(optionNumbers.contentFormat, 110), blockOption(block2, served)],
        payload: whole.slice(offset, offset + block.size),
      };
      const changed = change(reply, served, message);
      if (changed) peer.piggyback(message, changed);
    };
    const result = outcome(endpoint.request(peer.peer, { method: 'GET', path: ['3'], ...request }));
    return { network, clock, endpoint, peer, result };
  }

  it('is read on in the size that the peer serves, with the same question and without a body', async () => {
    const { clock, peer, result } = read(body(200), undefined, { query: ['a=1'], accept: 110 });
    await clock.advance(100);
    expect(result).toEqual({ code: codes.content, payload: body(200) });
    expect(peer.received.map((message) => blockOf(requestOf(message).block2)?.number ?? null)).toEqual([null, 1, 2, 3]);
    for (const message of peer.received) {
      expect(requestOf(message)).toMatchObject({ path: ['3'], query: ['a=1'], accept: 110, observe: null });
    }
  });

  it('repeats the question of a FETCH, and not the body of a POST', async () => {
    const payload = Buffer.from('[{"n":"/3"}]');
    const fetched = read(body(200), undefined, { method: 'FETCH', payload });
    await fetched.clock.advance(100);
    expect(fetched.peer.received.map((message) => text(message.payload))).toEqual(Array(4).fill(text(payload)));
    const posted = read(body(200), undefined, { method: 'POST', payload });
    await posted.clock.advance(100);
    expect(posted.result.payload).toEqual(body(200));
    expect(posted.peer.received.map((message) => message.payload.length)).toEqual([payload.length, 0, 0, 0]);
  });

  it('is exactly what was sent though every acknowledgement comes twice', async () => {
    const { network, clock, result } = read(body(200));
    network.conditions = { loss: 0, duplication: 1, delayMs: [1, 40] };
    await clock.advance(5_000);
    expect(result.payload).toEqual(body(200));
  });

  it('tolerates a second answer for a block that it has', async () => {
    const { clock, peer, result } = read(
      body(200),
      (reply, block, message) => {
        peer.send({ type: 'NON', messageId: 1_000 + 2 * block.number, token: message.token, ...reply });
        peer.send({ type: 'NON', messageId: 1_001 + 2 * block.number, token: message.token, ...reply });
        return null;
      },
      { confirmable: false },
    );
    await clock.advance(100);
    expect(result.payload).toEqual(body(200));
  });

  it('begins again when the ETag changes, and gives up when it always does', async () => {
    let version = 1;
    const versioned = (reply: Reply, block: Block): Reply => ({
      ...reply,
      options: [etag(version), blockOption(block2, block)],
    });
    const once = read(body(200), (reply, block) => {
      if (block.number === 2) version = 2;
      return versioned(reply, block);
    });
    await once.clock.advance(100);
    expect(once.result.payload).toEqual(body(200));
    expect(once.peer.received).toHaveLength(3 + 4);

    const always = read(body(200), (reply, block) => {
      version = (version + 1) & 255;
      return versioned(reply, block);
    });
    await always.clock.advance(1_000);
    expect(always.result.error).toBe('PROTOCOL');
  });

  it.each<[string, (reply: Reply, block: Block) => Reply]>([
    [
      'a block is left out',
      (reply, block) =>
        block.number === 1 ? { ...reply, options: [etag(1), blockOption(block2, { ...block, number: 2 })] } : reply,
    ],
    [
      'a block is not full though more follow',
      (reply, block) => (block.number === 1 ? { ...reply, payload: body(10) } : reply),
    ],
    ['a block is too long', (reply, block) => (block.more ? reply : { ...reply, payload: body(65) })],
    [
      'the first block is not the first',
      (reply, block) =>
        block.number === 0 ? { ...reply, options: [blockOption(block2, { ...block, number: 1 })] } : reply,
    ],
    ['a block comes without Block2', (reply, block) => (block.number === 1 ? { ...reply, options: [etag(1)] } : reply)],
  ])('ends in PROTOCOL when %s', async (_name, change) => {
    const { clock, endpoint, result } = read(body(200), change);
    await clock.advance(100);
    expect(result.error).toBe('PROTOCOL');
    expect(endpoint.metrics()).toMatchObject({ bodyBytes: 0, operations: 0 });
  });

  it('ends in PROTOCOL above our cap, and in LIMIT when all together hold too much', async () => {
    const capped = read(body(2_000), undefined, {}, { limits: { bodyBytes: 500 } });
    await capped.clock.advance(1_000);
    expect(capped.result.error).toBe('PROTOCOL');
    const full = read(body(2_000), undefined, {}, { limits: { downloadBytes: 500 } });
    await full.clock.advance(1_000);
    expect(full.result.error).toBe('LIMIT');
    expect(full.endpoint.metrics().bodyBytes).toBe(0);
  });

  it('ends with the error that the peer answers on the way', async () => {
    const { clock, result } = read(body(200), (reply, block) =>
      block.number === 1 ? { code: codes.notFound } : reply,
    );
    await clock.advance(100);
    expect(result.code).toBe(codes.notFound);
  });
});

it('carries bodies both ways between two of us', async () => {
  const network = new SimulatedNetwork();
  const [a, b] = [network.endpoint('192.0.2.1'), network.endpoint('192.0.2.2')];
  b.onRequest(async ({ payload }) => ({ code: codes.content, payload: Uint8Array.from(payload).reverse() }));
  const peer = { key: '192.0.2.2:5683', address: '192.0.2.2', port: 5683, security: null };
  for (const length of [0, 1, 1023, 1024, 1025, 2048, 10_000]) {
    const result = outcome(a.request(peer, { method: 'POST', path: ['echo'], payload: body(length) }));
    await network.clock.advance(1_000);
    expect(result.payload).toEqual(body(length).reverse());
  }
  expect(a.metrics().bodyBytes).toBe(0);
});
