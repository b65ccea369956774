import { describe, expect, it } from 'vitest';
import { blockOption, type Block } from '../../src/coap/block.ts';
import { codes, transmissionParameters, type CoapEndpointOptions, type OutgoingRequest } from '../../src/coap/index.ts';
import type { Message, MessageOption } from '../../src/coap/message.ts';
import { optionNumbers, uintOption } from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { blockOf, body, outcome, requestOf, text } from './reading.ts';

const SERVER = '192.0.2.1';
const PEER = '192.0.2.2';
const { block1, block2 } = optionNumbers;
const etag = (...value: number[]): MessageOption => ({ number: optionNumbers.etag, value: Uint8Array.from(value) });

function start(options: Partial<CoapEndpointOptions> = {}) {
  const network = new SimulatedNetwork();
  const endpoint = network.endpoint(SERVER, options);
  const peer = new ScriptedPeer(network, PEER, SERVER);
  return { network, clock: network.clock, endpoint, peer };
}

const refuseLarge = (block: Block | null) =>
  block === null || block.size > 128
    ? { code: codes.requestEntityTooLarge, options: [blockOption(block1, { number: 0, more: false, size: 128 })] }
    : null;

describe('a request that is sent in blocks', () => {
  /** A device that assembles blocks; `reply` may replace the answer to one of them. */
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

  it('is sent in blocks of 1024 bytes under one token, with Size1 in the first, and resolves once', async () => {
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

  it('continues at the same offset in the smaller size that the peer acknowledges', async () => {
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

  it('starts again in the smaller size that a 4.13 proposes, also when it was sent without blocks', async () => {
    for (const length of [500, 2_500]) {
      const { clock, parts, result } = write(body(length), refuseLarge);
      await clock.advance(1_000);
      expect(result.code).toBe(codes.changed);
      expect(Uint8Array.from(Buffer.concat(parts))).toEqual(body(length));
    }
  });

  it('ends with the error that the peer answers to one of the blocks', async () => {
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
    ['the first block is answered as the whole body', { code: codes.changed }],
    ['the reserved size is sent', { code: codes.continue, options: [uintOption(block1, 0x0f)] }],
  ])('ends in PROTOCOL when %s', async (_name, reply) => {
    const { clock, result } = write(body(2_500), (block) => (block?.number === 0 ? reply : null));
    await clock.advance(100);
    expect(result.error).toBe('PROTOCOL');
  });

  it('continues when the peer processes each block separately', async () => {
    const { clock, result } = write(body(2_500), (block) =>
      block?.more ? { code: codes.changed, options: [blockOption(block1, { ...block, more: false })] } : null,
    );
    await clock.advance(100);
    expect(result.code).toBe(codes.changed);
  });

  it('counts as outstanding until its last block is acknowledged', async () => {
    const { clock, endpoint, peer, blocks } = write(body(2_500));
    outcome(endpoint.request(peer.peer, { method: 'GET', path: ['3'] }));
    await clock.advance(100);
    expect(blocks.map((block) => block?.number)).toEqual([0, 1, 2, undefined]);
  });

  it('counts its timeout from the last block', async () => {
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

describe('a response that is received in blocks', () => {
  type Reply = Pick<Message, 'code'> & Partial<Message>;

  /** A device that serves `whole` block by block; `change` may alter a response. */
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

  it('requests further blocks in the size of the peer, with the same options and without a body', async () => {
    const { clock, peer, result } = read(body(200), undefined, { query: ['a=1'], accept: 110 });
    await clock.advance(100);
    expect(result).toEqual({ code: codes.content, payload: body(200) });
    expect(peer.received.map((message) => blockOf(requestOf(message).block2)?.number ?? null)).toEqual([null, 1, 2, 3]);
    for (const message of peer.received) {
      expect(requestOf(message)).toMatchObject({ path: ['3'], query: ['a=1'], accept: 110, observe: null });
    }
  });

  it('repeats the body of a FETCH, but not of a POST', async () => {
    const payload = Buffer.from('[{"n":"/3"}]');
    const fetched = read(body(200), undefined, { method: 'FETCH', payload });
    await fetched.clock.advance(100);
    expect(fetched.peer.received.map((message) => text(message.payload))).toEqual(Array(4).fill(text(payload)));
    const posted = read(body(200), undefined, { method: 'POST', payload });
    await posted.clock.advance(100);
    expect(posted.result.payload).toEqual(body(200));
    expect(posted.peer.received.map((message) => message.payload.length)).toEqual([payload.length, 0, 0, 0]);
  });

  it('equals the sent body when every acknowledgement arrives twice', async () => {
    const { network, clock, result } = read(body(200));
    network.conditions = { loss: 0, duplication: 1, delayMs: [1, 40] };
    await clock.advance(5_000);
    expect(result.payload).toEqual(body(200));
  });

  it('ends in PROTOCOL when the peer answers with another block than the requested one', async () => {
    const { clock, result } = read(body(200), (reply, block) =>
      block.number === 0
        ? reply
        : { ...reply, options: [etag(1), blockOption(block2, { number: 0, more: true, size: 64 })] },
    );
    await clock.advance(100);
    expect(result).toEqual({ error: 'PROTOCOL' });
  });

  it('ignores a second response for a block that it has', async () => {
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

  it('starts again when the ETag changes, and gives up when it changes every time', async () => {
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
      'a block is missing',
      (reply, block) =>
        block.number === 1 ? { ...reply, options: [etag(1), blockOption(block2, { ...block, number: 2 })] } : reply,
    ],
    [
      'a block with further blocks after it is not full',
      (reply, block) => (block.number === 1 ? { ...reply, payload: body(10) } : reply),
    ],
    ['a block is too long', (reply, block) => (block.more ? reply : { ...reply, payload: body(65) })],
    [
      'the first block does not have number 0',
      (reply, block) =>
        block.number === 0 ? { ...reply, options: [blockOption(block2, { ...block, number: 1 })] } : reply,
    ],
    [
      'a further block has no Block2',
      (reply, block) => (block.number === 1 ? { ...reply, options: [etag(1)] } : reply),
    ],
  ])('ends in PROTOCOL when %s', async (_name, change) => {
    const { clock, endpoint, result } = read(body(200), change);
    await clock.advance(100);
    expect(result.error).toBe('PROTOCOL');
    expect(endpoint.metrics()).toMatchObject({ bodyBytes: 0, operations: 0 });
  });

  it('ends in PROTOCOL above the body limit, and in LIMIT when all bodies together exceed theirs', async () => {
    const capped = read(body(2_000), undefined, {}, { limits: { bodyBytes: 500 } });
    await capped.clock.advance(1_000);
    expect(capped.result.error).toBe('PROTOCOL');
    const full = read(body(2_000), undefined, {}, { limits: { downloadBytes: 500 } });
    await full.clock.advance(1_000);
    expect(full.result.error).toBe('LIMIT');
    expect(full.endpoint.metrics().bodyBytes).toBe(0);
  });

  it('ends with the error that the peer answers to one of the blocks', async () => {
    const { clock, result } = read(body(200), (reply, block) =>
      block.number === 1 ? { code: codes.notFound } : reply,
    );
    await clock.advance(100);
    expect(result.code).toBe(codes.notFound);
  });
});

it('transfers bodies in both directions between two endpoints', async () => {
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
