import { describe, expect, it } from 'vitest';
import { blockOption, type Block } from '../../src/coap/block.ts';
import { codes, transmissionParameters, type CoapEndpointOptions } from '../../src/coap/index.ts';
import { NO_BYTES, type Message } from '../../src/coap/message.ts';
import { optionNumbers, stringOption } from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { blockOf, body, responseOf } from './reading.ts';

const SERVER = '192.0.2.1';
const PEER = '192.0.2.2';
const GET = 1;
const POST = 2;
const { block2 } = optionNumbers;

function start(options: Partial<CoapEndpointOptions> = {}) {
  const network = new SimulatedNetwork();
  const endpoint = network.endpoint(SERVER, options);
  const peer = new ScriptedPeer(network, PEER, SERVER);
  return { network, clock: network.clock, endpoint, peer };
}

describe('a response that is sent in blocks', () => {
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

  it('is sent from one run of the handler, with one ETag, and with Size2 in the first block', async () => {
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

  it('has the block size that the peer requests, up to the block size of the peer’s parameters', async () => {
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

  it('has no Block2 when it fits into one block', async () => {
    const { ask } = serve(1024);
    const reply = await ask(null);
    expect(responseOf(reply)).toMatchObject({ block2: null, etag: null });
    expect(reply?.payload).toHaveLength(1024);
  });

  it('runs the handler again when it is no longer kept, for GET; 4.08 for POST', async () => {
    const { ask, runs } = serve(2_500);
    const reply = await ask({ number: 2, more: false, size: 1024 });
    expect(reply?.payload).toEqual(body(2_500).subarray(2048));
    expect(runs()).toBe(1);
    expect(await ask({ number: 2, more: false, size: 1024 }, POST)).toMatchObject({
      code: codes.requestEntityIncomplete,
    });
    expect(runs()).toBe(1);
  });

  it('gets 4.00 for a block after its end', async () => {
    const { ask } = serve(2_500);
    await ask(null);
    expect(await ask({ number: 3, more: false, size: 1024 })).toMatchObject({ code: codes.badRequest });
  });

  it('is removed after EXCHANGE_LIFETIME', async () => {
    const { clock, endpoint, ask } = serve(2_500);
    await ask(null);
    expect(endpoint.metrics().bodyBytes).toBe(2_500);
    await clock.advance(270_000);
    expect(endpoint.metrics().bodyBytes).toBe(0);
  });
});
