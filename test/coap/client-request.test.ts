import { describe, expect, it } from 'vitest';
import { codes, transmissionParameters, type CoapEndpointOptions, type OutgoingRequest } from '../../src/coap/index.ts';
import type { Message } from '../../src/coap/message.ts';
import { readRequestOptions } from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { outcome, requestOf } from './reading.ts';

const SERVER = '192.0.2.1';
const DEVICE = '192.0.2.2';

/** The endpoint under test and a device whose messages the test sends. */
function start(options: Partial<CoapEndpointOptions> = {}) {
  const network = new SimulatedNetwork();
  const endpoint = network.endpoint(SERVER, options);
  const device = new ScriptedPeer(network, DEVICE, SERVER);
  const get = (path: string, request: Partial<OutgoingRequest> = {}) =>
    outcome(endpoint.request(device.peer, { method: 'GET', path: [path], ...request }));
  return { network, clock: network.clock, endpoint, device, get };
}

const path = (message: Message | undefined): readonly string[] => requestOf(message).path;

const fail = (): never => {
  throw new Error('listener');
};

describe('a request to a peer', () => {
  it('carries method, options and payload, and resolves with the piggybacked response', async () => {
    const { clock, endpoint, device } = start();
    const events: string[] = [];
    const result = outcome(
      endpoint.request(device.peer, {
        method: 'PUT',
        path: ['3', '0', '14'],
        query: ['pmin=1'],
        contentFormat: 0,
        accept: 112,
        payload: Buffer.from('+02:00'),
        onSent: () => events.push('sent'),
        onAcknowledged: () => events.push('acknowledged'),
      }),
    );
    await clock.advance(2);
    const [request] = device.received;
    expect(request).toMatchObject({ type: 'CON', code: 3 });
    expect(request?.token).toHaveLength(8);
    expect(readRequestOptions(request?.options ?? [])).toMatchObject({
      path: ['3', '0', '14'],
      query: ['pmin=1'],
      contentFormat: 0,
      accept: 112,
      observe: null,
      block1: null,
      block2: null,
    });
    expect(events).toEqual(['sent']);
    if (request) device.piggyback(request, { code: codes.changed, payload: Buffer.from('done') });
    await clock.advance(2);
    expect(result).toEqual({ code: codes.changed, payload: Uint8Array.from(Buffer.from('done')) });
    expect(events).toEqual(['sent', 'acknowledged']);
    expect(endpoint.metrics().operations).toBe(0);
  });

  it('resolves with an error response', async () => {
    const { clock, device, get } = start();
    device.onMessage = (request) => device.piggyback(request, { code: codes.notFound });
    const result = get('3');
    await clock.advance(5);
    expect(result).toEqual({ code: codes.notFound, payload: new Uint8Array(0) });
  });

  it('resolves with a separate response, and acknowledges it and its duplicates', async () => {
    const { clock, device, get } = start();
    const events: string[] = [];
    const result = get('3', { onAcknowledged: () => events.push('acknowledged') });
    await clock.advance(2);
    const [request] = device.received;
    device.sendEmpty('ACK', request?.messageId ?? -1);
    await clock.advance(60_000);
    expect(events).toEqual(['acknowledged']);
    expect(result).toEqual({});
    const response = {
      type: 'CON',
      code: codes.content,
      messageId: 99,
      token: request?.token ?? new Uint8Array(),
    } as const;
    device.send(response);
    device.send(response);
    await clock.advance(2);
    expect(result).toEqual({ code: codes.content, payload: new Uint8Array(0) });
    expect(device.received.slice(1)).toMatchObject([
      { type: 'ACK', code: 0, messageId: 99 },
      { type: 'ACK', code: 0, messageId: 99 },
    ]);
  });

  it('treats a separate response as acknowledgement when the acknowledgement was lost', async () => {
    const { clock, endpoint, device, get } = start();
    const result = get('3');
    await clock.advance(2);
    const token = device.received[0]?.token ?? new Uint8Array();
    device.send({ type: 'NON', code: codes.content, messageId: 99, token });
    await clock.advance(200_000);
    expect(result).toMatchObject({ code: codes.content });
    expect(device.received).toHaveLength(1);
    expect(endpoint.metrics().retransmissions).toBe(0);
  });

  it('is retransmitted 4 times, after 2 to 3 s at first and twice as long each time, then ends in TIMEOUT', async () => {
    const { network, clock, device, get } = start({ random: () => 0.5 });
    const times: number[] = [];
    const began = clock.now();
    device.onMessage = () => times.push(clock.now() - began - 1);
    const result = get('3');
    await clock.advance(77_000);
    expect(times).toEqual([0, 2_500, 7_500, 17_500, 37_500]);
    expect(new Set(network.datagrams.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size).toBe(1);
    expect(result).toEqual({});
    await clock.advance(1_000);
    expect(result).toEqual({ error: 'TIMEOUT' });
  });

  it('uses the transmission parameters of its peer', async () => {
    const slow = transmissionParameters({ ackTimeoutMs: 10_000, maxRetransmit: 1 });
    const { clock, device, get } = start({ random: () => 0, parameters: () => slow });
    const result = get('3');
    await clock.advance(9_990);
    expect(device.received).toHaveLength(1);
    await clock.advance(20_000);
    expect(device.received).toHaveLength(2);
    await clock.advance(20);
    expect(result).toEqual({ error: 'TIMEOUT' });
  });

  it('ends in TIMEOUT after its own timeout, acknowledged or not, and is not retransmitted after that', async () => {
    const { clock, device, get } = start();
    const silent = get('3', { timeoutMs: 5_000 });
    await clock.advance(4_990);
    expect(silent).toEqual({});
    await clock.advance(20);
    expect(silent).toEqual({ error: 'TIMEOUT' });
    const sent = device.received.length;
    await clock.advance(100_000);
    expect(device.received).toHaveLength(sent);

    device.onMessage = (request) => device.sendEmpty('ACK', request.messageId);
    const acknowledged = get('3');
    await clock.advance(246_000);
    expect(acknowledged).toEqual({});
    await clock.advance(2_000);
    expect(acknowledged).toEqual({ error: 'TIMEOUT' });
  });

  it('ends in RESET when the peer answers with a Reset', async () => {
    const { clock, device, get } = start();
    device.onMessage = (request) => device.sendEmpty('RST', request.messageId);
    const result = get('3');
    await clock.advance(5);
    expect(result).toEqual({ error: 'RESET' });
  });

  it('ends in PROTOCOL when the response has an unrecognized critical option', async () => {
    const { clock, device, get } = start();
    const options = [{ number: 65_001, value: new Uint8Array(1) }];
    device.onMessage = (request) => device.piggyback(request, { code: codes.content, options });
    const piggybacked = get('3');
    await clock.advance(5);
    expect(piggybacked).toEqual({ error: 'PROTOCOL' });

    device.onMessage = ({ type, token }) =>
      type === 'CON' && device.send({ type: 'CON', code: codes.content, messageId: 50, token, options });
    const separate = get('3');
    await clock.advance(5);
    expect(separate).toEqual({ error: 'PROTOCOL' });
    expect(device.received.at(-1)).toMatchObject({ type: 'RST', messageId: 50 });
  });

  it('ends when its signal is aborted, before and after it was sent', async () => {
    const { clock, endpoint, device, get } = start();
    const [first, second] = [new AbortController(), new AbortController()];
    const sent = get('sent', { signal: first.signal });
    const queued = get('queued', { signal: second.signal });
    await clock.advance(10);
    second.abort();
    first.abort();
    await clock.advance(100_000);
    expect([sent, queued]).toEqual([{ error: 'CANCELLED' }, { error: 'CANCELLED' }]);
    expect(device.received).toHaveLength(1);
    expect(get('late', { signal: first.signal })).toEqual({});
    await clock.advance(10);
    expect(device.received).toHaveLength(1);
    expect(endpoint.metrics().operations).toBe(0);
  });

  it.each([
    ['a path segment above 255 bytes', { path: ['ä'.repeat(128)] }],
    ['a query argument above 255 bytes', { query: ['x'.repeat(256)] }],
    ['a Content-Format above 65535', { contentFormat: 70_000 }],
    ['an Accept that is not an integer', { accept: 1.5 }],
  ])('is INVALID with %s', async (_name, wrong) => {
    const { clock, device, get } = start();
    const result = get('3', wrong);
    await clock.advance(10);
    expect(result).toEqual({ error: 'INVALID' });
    expect(device.received).toEqual([]);
  });

  it('continues when its listeners throw', async () => {
    const errors: unknown[] = [];
    const { clock, device, get } = start({ onHandlerError: (error) => errors.push(error) });
    device.onMessage = (request) => device.piggyback(request, { code: codes.content });
    const result = get('3', { onSent: fail, onAcknowledged: fail });
    await clock.advance(10);
    expect(result).toMatchObject({ code: codes.content });
    expect(errors).toHaveLength(2);
  });
});

describe('a response', () => {
  it('is not taken from another peer, even with the right token', async () => {
    const { network, clock, endpoint, device, get } = start();
    const thief = new ScriptedPeer(network, '192.0.2.66', SERVER);
    const result = get('3');
    await clock.advance(2);
    const [request] = device.received;
    if (!request) throw new Error('nothing was sent');
    thief.piggyback(request, { code: codes.content });
    thief.send({ type: 'CON', code: codes.content, messageId: 5, token: request.token });
    thief.sendEmpty('RST', request.messageId);
    thief.sendEmpty('ACK', request.messageId);
    await clock.advance(10);
    expect(result).toEqual({});
    expect(endpoint.metrics().dropped).toMatchObject({ 'strange peer': 1, unmatched: 3 });
    // RFC 7252 §4.2: a confirmable message gets an acknowledgement or a Reset.
    expect(thief.received).toMatchObject([{ type: 'RST', messageId: 5 }]);
  });

  it('is ignored with another token or message ID', async () => {
    const { clock, device, get } = start();
    const result = get('3');
    await clock.advance(2);
    const [request] = device.received;
    if (!request) throw new Error('nothing was sent');
    device.piggyback({ ...request, token: Uint8Array.of(1) }, { code: codes.content });
    device.piggyback({ ...request, messageId: request.messageId ^ 1 }, { code: codes.content });
    await clock.advance(10);
    expect(result).toEqual({});
    // The request is still retransmitted.
    await clock.advance(3_000);
    expect(device.received).toHaveLength(2);
  });

  it('is rejected after the timeout, so that the peer stops retransmitting it', async () => {
    const { clock, device, get } = start();
    const result = get('3', { timeoutMs: 1_000 });
    await clock.advance(2_000);
    expect(result).toEqual({ error: 'TIMEOUT' });
    const token = device.received[0]?.token ?? new Uint8Array();
    device.send({ type: 'CON', code: codes.content, messageId: 5, token });
    await clock.advance(10);
    expect(device.received.at(-1)).toMatchObject({ type: 'RST', messageId: 5 });
  });
});

describe('NSTART = 1', () => {
  it('lets one request wait for its acknowledgement, and sends the others after it in order', async () => {
    const { clock, device, get } = start();
    const results = ['a', 'b', 'c'].map((name) => get(name));
    await clock.advance(10);
    expect(device.received.map(path)).toEqual([['a']]);
    device.onMessage = (request) => device.piggyback(request, { code: codes.content });
    if (device.received[0]) device.piggyback(device.received[0], { code: codes.content });
    await clock.advance(10);
    expect(device.received.map(path)).toEqual([['a'], ['b'], ['c']]);
    expect(results.map(({ code }) => code)).toEqual([codes.content, codes.content, codes.content]);
  });

  it('starts the next request after an empty acknowledgement, before the response', async () => {
    const { clock, device, get } = start();
    get('a');
    get('b');
    await clock.advance(2);
    device.sendEmpty('ACK', device.received[0]?.messageId ?? -1);
    await clock.advance(2);
    expect(device.received.map(path)).toEqual([['a'], ['b']]);
  });

  it('starts the next request when one times out', async () => {
    const { clock, device, get } = start();
    const first = get('a', { timeoutMs: 1_000 });
    get('b');
    await clock.advance(1_010);
    expect(first).toEqual({ error: 'TIMEOUT' });
    expect(path(device.received.at(-1))).toEqual(['b']);
  });

  it('does not delay requests to other peers', async () => {
    const { network, clock, endpoint, get } = start();
    const other = new ScriptedPeer(network, '192.0.2.3', SERVER);
    get('a');
    outcome(endpoint.request(other.peer, { method: 'GET', path: ['b'] }));
    await clock.advance(10);
    expect(other.received).toHaveLength(1);
  });

  it('counts a NON as outstanding until its response, or for ACK_TIMEOUT', async () => {
    const { clock, device, get } = start();
    const first = get('a', { confirmable: false });
    get('b');
    await clock.advance(1_900);
    expect(device.received).toHaveLength(1);
    expect(device.received[0]?.type).toBe('NON');
    await clock.advance(200);
    expect(path(device.received[1])).toEqual(['b']);
    const token = device.received[0]?.token ?? new Uint8Array();
    device.send({ type: 'NON', code: codes.content, messageId: 5, token });
    await clock.advance(10);
    expect(first).toMatchObject({ code: codes.content });
  });

  it('can be another number in the parameters of a peer', async () => {
    const { clock, device, get } = start({ parameters: () => transmissionParameters({ nstart: 2 }) });
    for (const name of ['a', 'b', 'c']) get(name);
    await clock.advance(10);
    expect(device.received).toHaveLength(2);
  });

  it('refuses a request with LIMIT when the queue is full', async () => {
    const { clock, get } = start({ limits: { waitingPerPeer: 3 } });
    const results = Array.from({ length: 6 }, (_, index) => get(String(index)));
    await clock.advance(10);
    expect(results.map(({ error }) => error)).toEqual([undefined, undefined, undefined, undefined, 'LIMIT', 'LIMIT']);
  });
});
