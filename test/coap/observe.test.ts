import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codes, type ObserveResult } from '../../src/coap/index.ts';
import { isNewer } from '../../src/coap/observe.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { SERVER, DEVICE, observe, at, observing } from './observing.ts';
import { nothing, outcome, requestOf, text } from './reading.ts';

describe('an observation', () => {
  it('is requested with Observe = 0 and starts with the response', async () => {
    const { request, result, observation, device, metrics } = await observing();
    expect(request).toMatchObject({ type: 'CON', code: 1 });
    expect(requestOf(request)).toMatchObject({ observe: 0, path: ['3303', '0', '5700'], accept: 112 });
    expect(text(result?.response.payload)).toBe('first');
    expect(observation.token).toEqual(request.token);
    expect(observation.peer.key).toBe(device.peer.key);
    expect(metrics()).toMatchObject({ observations: 1, operations: 0 });
  });

  it.each([
    ['no Observe option', codes.content, []],
    ['an error', codes.notFound, [observe(1)]],
  ])('is none when the peer answers with %s', async (_name, code, options) => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    device.onMessage = (request) => device.piggyback(request, { code, options });
    let result: ObserveResult | undefined;
    void endpoint
      .observe(device.peer, { method: 'GET', path: ['3'] }, async () => {})
      .then((value) => (result = value));
    await network.clock.advance(10);
    expect(result).toMatchObject({ response: { code }, observation: null });
    expect(endpoint.metrics()).toMatchObject({ observations: 0, operations: 0 });
  });

  it('starts with GET and FETCH only', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    const request = endpoint.observe(device.peer, { method: 'POST', path: ['3'] }, async () => {});
    await expect(request).rejects.toMatchObject({ code: 'INVALID' });
  });

  it('delivers each notification, CON and NON', async () => {
    const { clock, device, heard, notify } = await observing();
    notify('NON', 'a', [observe(11)]);
    const messageId = notify('CON', 'b', [observe(12)]);
    await clock.advance(5);
    expect(heard).toEqual(['a', 'b']);
    expect(device.received).toMatchObject([{ type: 'ACK', code: 0, messageId }]);
  });

  it('delivers a duplicate notification once', async () => {
    const { clock, device, heard, notify, observation, metrics } = await observing();
    const messageId = notify('CON', 'a', [observe(11)]);
    await clock.advance(5);
    const copy = { type: 'CON', code: codes.content, messageId, token: observation.token } as const;
    device.send({ ...copy, options: [observe(11)], payload: Buffer.from('a') });
    await clock.advance(5);
    expect(heard).toEqual(['a']);
    expect(device.received).toMatchObject([
      { type: 'ACK', messageId },
      { type: 'ACK', messageId },
    ]);
    expect(metrics().duplicates).toBe(1);
  });

  it.each(['CON', 'NON'] as const)('delivers an older %s notification that arrives late as such', async (type) => {
    const { clock, device, heard, notify, metrics } = await observing();
    const arrived = clock.now() + 1;
    notify('CON', 'newer', [observe(12)]);
    await clock.advance(5);
    const late = notify(type, 'older', [observe(11)]);
    await clock.advance(5);
    expect(heard).toEqual(['newer', `older before ${arrived}`]);
    if (type === 'CON') expect(device.received.at(-1)).toMatchObject({ type: 'ACK', messageId: late });
    expect(metrics().staleNotifications).toBe(1);
    notify('CON', 'newest', [observe(13)]);
    await clock.advance(5);
    expect(heard.at(-1)).toBe('newest');
  });

  it('does not acknowledge an older notification that was not stored', async () => {
    const { clock, device, notify, setStore, errors } = await observing();
    notify('CON', 'newer', [observe(12)]);
    await clock.advance(5);
    setStore(async () => {
      throw new Error('down');
    });
    notify('CON', 'older', [observe(11)]);
    await clock.advance(5);
    expect(device.received.filter(({ type }) => type === 'ACK')).toHaveLength(1);
    expect(errors).toHaveLength(1);
  });

  it('delivers a notification with a lower number after 128 s', async () => {
    const { clock, heard, notify } = await observing();
    await clock.advance(128_100);
    notify('NON', 'rebooted', [observe(1)]);
    await clock.advance(5);
    expect(heard).toEqual(['rebooted']);
  });

  it.each([
    ['an error', codes.notFound, [], 'gone'],
    ['an error with Observe', codes.notFound, [observe(11)], 'gone'],
    ['a success without Observe', codes.content, [], 'gone'],
  ])('ends with %s, and its token is free', async (_name, code, options, payload) => {
    const { clock, device, heard, notify, metrics } = await observing();
    const last = notify('CON', payload, options, { code });
    await clock.advance(5);
    expect(heard).toEqual([`gone final ${code}`]);
    expect(device.received).toMatchObject([{ type: 'ACK', messageId: last }]);
    expect(metrics().observations).toBe(0);
    const after = notify('CON', 'x', [observe(12)]);
    await clock.advance(5);
    expect(device.received.at(-1)).toMatchObject({ type: 'RST', messageId: after });
    expect(heard).toHaveLength(1);
  });

  it('rejects a notification with an unrecognized critical option', async () => {
    const { clock, device, heard, notify } = await observing();
    const messageId = notify('CON', 'x', [observe(11), { number: 65_001, value: new Uint8Array(1) }]);
    await clock.advance(5);
    expect(device.received).toMatchObject([{ type: 'RST', messageId }]);
    expect(heard).toEqual([]);
  });
});

describe('the acknowledgement of a notification', () => {
  it('is sent after the handler has finished, and earlier duplicates get no answer', async () => {
    const { clock, device, heard, notify, observation, setStore } = await observing();
    let settle: () => void = nothing;
    setStore(() => new Promise((resolve) => (settle = resolve)));
    const messageId = notify('CON', 'a', [observe(11)]);
    await clock.advance(2_000);
    device.send({ type: 'CON', code: codes.content, messageId, token: observation.token, options: [observe(11)] });
    await clock.advance(2_000);
    expect(device.received).toEqual([]);
    settle();
    await clock.advance(5);
    expect(device.received).toMatchObject([{ type: 'ACK', messageId }]);
    expect(heard).toEqual(['a']);
  });

  it('is not sent when the handler fails: the retransmitted notification is delivered again', async () => {
    const { clock, device, heard, errors, notify, observation, setStore } = await observing();
    setStore(async () => {
      throw new Error('database is down');
    });
    const messageId = notify('CON', 'a', [observe(11)]);
    await clock.advance(2_000);
    expect(device.received).toEqual([]);
    expect(errors).toHaveLength(1);
    setStore(async () => {});
    const { token } = observation;
    device.send({
      type: 'CON',
      code: codes.content,
      messageId,
      token,
      options: [observe(11)],
      payload: Buffer.from('a'),
    });
    await clock.advance(5);
    expect(heard).toEqual(['a', 'a']);
    expect(device.received).toMatchObject([{ type: 'ACK', messageId }]);
  });

  it('is not sent for a notification that failed while a newer one arrived; its retransmission is late', async () => {
    const { clock, device, heard, notify, setStore, observation } = await observing();
    let fail: () => void = nothing;
    setStore(() => new Promise((_resolve, reject) => (fail = () => reject(new Error('down')))));
    const older = notify('CON', 'older', [observe(11)]);
    await clock.advance(5);
    setStore(async () => {});
    const newer = notify('CON', 'newer', [observe(12)]);
    await clock.advance(5);
    fail();
    await clock.advance(5);
    expect(device.received).toMatchObject([{ type: 'ACK', messageId: newer }]);
    device.send({
      type: 'CON',
      code: codes.content,
      messageId: older,
      token: observation.token,
      options: [observe(11)],
      payload: Buffer.from('older'),
    });
    await clock.advance(5);
    expect(heard).toEqual(['older', 'newer', expect.stringMatching(/^older before/)]);
    expect(device.received.at(-1)).toMatchObject({ type: 'ACK', messageId: older });
  });

  it('is not sent for a final notification that failed either', async () => {
    const { clock, device, heard, notify, setStore, observation, metrics } = await observing();
    setStore(async () => {
      throw new Error('down');
    });
    const messageId = notify('CON', 'end', [], { code: codes.notFound });
    await clock.advance(5);
    expect(metrics().observations).toBe(1);
    setStore(async () => {});
    device.send({ type: 'CON', code: codes.notFound, messageId, token: observation.token });
    await clock.advance(5);
    expect(heard).toHaveLength(2);
    expect(metrics().observations).toBe(0);
    expect(device.received).toMatchObject([{ type: 'ACK', messageId }]);
  });

  it('does not acknowledge or end a pending request with the same message ID', async () => {
    const { clock, device, endpoint, heard, observation } = await observing();
    const read = outcome(endpoint.request(device.peer, { method: 'GET', path: ['3'] }));
    await clock.advance(2);
    const [request] = device.received;
    const messageId = request?.messageId ?? -1;
    const { token } = observation;
    device.send({
      type: 'CON',
      code: codes.content,
      messageId,
      token,
      options: [observe(11)],
      payload: Buffer.from('a'),
    });
    await clock.advance(5);
    expect(heard).toEqual(['a']);
    expect(device.received.at(-1)).toMatchObject({ type: 'ACK', messageId });
    expect(read).toEqual({});
    if (request) device.piggyback(request, { code: codes.content });
    await clock.advance(5);
    expect(read.code).toBe(codes.content);
  });
});

describe('the cancellation of an observation', () => {
  it('is a GET with Observe = 1 and the same token; notifications meanwhile are acknowledged and dropped', async () => {
    const { clock, device, heard, notify, observation, metrics } = await observing();
    const { token } = observation;
    const result = outcome(observation.cancel());
    await clock.advance(2);
    const [request] = device.received;
    expect(request).toMatchObject({ type: 'CON', code: 1 });
    expect(requestOf(request)).toMatchObject({ observe: 1, path: ['3303', '0', '5700'], accept: 112 });
    expect(request?.token).toEqual(token);
    const crossing = notify('CON', 'crossing', [observe(11)]);
    await clock.advance(5);
    expect(device.received.at(-1)).toMatchObject({ type: 'ACK', messageId: crossing });
    expect(result).toEqual({});
    if (request) device.piggyback(request, { code: codes.content });
    await clock.advance(5);
    expect(result.code).toBe(codes.content);
    expect(heard).toEqual([]);
    expect(metrics()).toMatchObject({ observations: 0, operations: 0 });
    const after = notify('NON', 'after', [observe(12)]);
    await clock.advance(5);
    expect(device.received.at(-1)).toMatchObject({ type: 'RST', messageId: after });
    await expect(observation.cancel()).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('ends the observation also when the peer does not answer', async () => {
    const { clock, device, notify, observation, metrics } = await observing();
    const result = outcome(observation.cancel({ timeoutMs: 3_000 }));
    await clock.advance(3_010);
    expect(result).toEqual({ error: 'TIMEOUT' });
    expect(metrics()).toMatchObject({ observations: 0, operations: 0 });
    const after = notify('CON', 'after', [observe(12)]);
    await clock.advance(5);
    expect(device.received.at(-1)).toMatchObject({ type: 'RST', messageId: after });
  });

  it('by forget sends nothing until the next notification, CON or NON, which gets a Reset', async () => {
    const { clock, device, heard, notify, observation, metrics } = await observing();
    observation.forget();
    observation.forget();
    await clock.advance(1_000);
    expect(device.received).toEqual([]);
    expect(metrics().observations).toBe(0);
    const ids = [notify('NON', 'a', [observe(11)]), notify('CON', 'b', [observe(12)])];
    await clock.advance(5);
    expect(device.received).toMatchObject(ids.map((messageId) => ({ type: 'RST', code: 0, messageId })));
    expect(heard).toEqual([]);
  });
});

describe('the order of notifications', () => {
  it.each([
    [1, 2, true],
    [2, 1, false],
    [5, 5, false],
    [0, 2 ** 23 - 1, true],
    [0, 2 ** 23, false],
    [2 ** 24 - 1, 0, true],
    [0, 2 ** 24 - 1, false],
    [2 ** 23 + 1, 0, true],
    [2 ** 23, 0, false],
  ])('after %i, %i is newer: %s', (previous, next, newer) => {
    expect(isNewer(at(previous), at(next))).toBe(newer);
  });

  it('depends only on time after more than 128 s', () => {
    expect(isNewer(at(9), at(1, 128_000))).toBe(false);
    expect(isNewer(at(9), at(1, 128_001))).toBe(true);
  });

  it('never makes each of two notifications newer than the other', () => {
    const sequence = fc.nat(2 ** 24 - 1);
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        expect(isNewer(at(a), at(b)) && isNewer(at(b), at(a))).toBe(false);
      }),
    );
  });

  it('follows a sequence number that wraps around', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 24 - 1), fc.integer({ min: 1, max: 2 ** 23 - 1 }), (from, step) => {
        expect(isNewer(at(from), at((from + step) % 2 ** 24))).toBe(true);
      }),
    );
  });
});
