import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockOption, readBlock } from '../../src/coap/block.ts';
import {
  codes,
  type CoapEndpointOptions,
  type NotificationHandler,
  type Observation,
  type ObserveResult,
} from '../../src/coap/index.ts';
import type { Message, MessageOption } from '../../src/coap/message.ts';
import { isNewer } from '../../src/coap/observe.ts';
import { optionNumbers, uintOption } from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { nothing, outcome, requestOf, text } from './reading.ts';

const SERVER = '192.0.2.1';
const DEVICE = '192.0.2.2';
const MOVED = '192.0.2.3';
const { block2 } = optionNumbers;

const observe = (sequence: number): MessageOption => uintOption(optionNumbers.observe, sequence);
const etag = (byte: number): MessageOption => ({ number: optionNumbers.etag, value: Uint8Array.of(byte) });

/** The options of a notification that is the first block of three. */
const first = (sequence: number, version = 1): MessageOption[] => [
  observe(sequence),
  etag(version),
  blockOption(block2, { number: 0, more: true, size: 16 }),
];

const at = (sequence: number, time = 0) => ({ sequence, at: time });

const stored = async (): Promise<void> => {};

/** An observation of a device that the test speaks for; the device has answered with `sequence` 10. */
async function observing(options: Partial<CoapEndpointOptions> = {}) {
  const errors: unknown[] = [];
  const network = new SimulatedNetwork();
  const { clock } = network;
  const endpoint = network.endpoint(SERVER, { onHandlerError: (error) => errors.push(error), ...options });
  const device = new ScriptedPeer(network, DEVICE, SERVER);
  const heard: string[] = [];
  let store: () => Promise<void> = stored;
  const onNotification: NotificationHandler = async ({ payload, final, code }) => {
    heard.push(`${text(payload)}${final ? ` final ${code}` : ''}`);
    await store();
  };
  let result: ObserveResult | undefined;
  void endpoint
    .observe(device.peer, { method: 'GET', path: ['3303', '0', '5700'], accept: 112 }, onNotification)
    .then((value) => (result = value));
  await clock.advance(2);
  const [request] = device.received;
  if (!request) throw new Error('nothing was sent');
  device.piggyback(request, { code: codes.content, options: [observe(10)], payload: Buffer.from('first') });
  await clock.advance(2);
  const observation = result?.observation;
  if (!observation) throw new Error('nothing is observed');
  device.received.length = 0;
  let messageId = 100;
  const notify = (
    type: 'CON' | 'NON',
    payload: string,
    options: MessageOption[],
    more: Partial<Message> = {},
  ): number => {
    messageId++;
    const { token } = observation;
    device.send({ type, code: codes.content, messageId, token, options, payload: Buffer.from(payload), ...more });
    return messageId;
  };
  const setStore = (next: () => Promise<void>): void => {
    store = next;
  };
  const metrics = () => endpoint.metrics();
  return { network, clock, endpoint, device, request, result, observation, heard, errors, notify, setStore, metrics };
}

describe('an observation', () => {
  it('is asked for with Observe = 0 and begins with the response', async () => {
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

  it('can be had of GET and FETCH only', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    const request = endpoint.observe(device.peer, { method: 'POST', path: ['3'] }, async () => {});
    await expect(request).rejects.toMatchObject({ code: 'INVALID' });
  });

  it('hears each notification, CON and NON', async () => {
    const { clock, device, heard, notify } = await observing();
    notify('NON', 'a', [observe(11)]);
    const messageId = notify('CON', 'b', [observe(12)]);
    await clock.advance(5);
    expect(heard).toEqual(['a', 'b']);
    expect(device.received).toMatchObject([{ type: 'ACK', code: 0, messageId }]);
  });

  it('hears a notification once though it comes twice', async () => {
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

  it('acknowledges an older notification that came late, and does not hear it', async () => {
    const { clock, device, heard, notify, metrics } = await observing();
    notify('CON', 'newer', [observe(12)]);
    await clock.advance(5);
    const late = notify('CON', 'older', [observe(11)]);
    await clock.advance(5);
    expect(heard).toEqual(['newer']);
    expect(device.received.at(-1)).toMatchObject({ type: 'ACK', messageId: late });
    expect(metrics().staleNotifications).toBe(1);
  });

  it('hears a lower number again after 128 s', async () => {
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

  it('rejects a notification with a critical option that it does not understand', async () => {
    const { clock, device, heard, notify } = await observing();
    const messageId = notify('CON', 'x', [observe(11), { number: 65_001, value: new Uint8Array(1) }]);
    await clock.advance(5);
    expect(device.received).toMatchObject([{ type: 'RST', messageId }]);
    expect(heard).toEqual([]);
  });
});

describe('the acknowledgement of a notification', () => {
  it('leaves after its handler is done, and copies that come before are not answered', async () => {
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

  it('does not leave when its handler fails: the peer repeats the notification, which is heard again', async () => {
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

  it('leaves for one that failed when a newer one has come meanwhile', async () => {
    const { clock, device, heard, notify, setStore } = await observing();
    let fail: () => void = nothing;
    setStore(() => new Promise((_resolve, reject) => (fail = () => reject(new Error('down')))));
    const older = notify('CON', 'older', [observe(11)]);
    await clock.advance(5);
    setStore(async () => {});
    const newer = notify('CON', 'newer', [observe(12)]);
    await clock.advance(5);
    fail();
    await clock.advance(5);
    expect(heard).toEqual(['older', 'newer']);
    expect(device.received).toMatchObject([
      { type: 'ACK', messageId: newer },
      { type: 'ACK', messageId: older },
    ]);
  });

  it('leaves a failed last notification to be repeated too', async () => {
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

  it('is a matter of the message, not of its id: a request in flight may have the same', async () => {
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

describe('the end of an observation by us', () => {
  it('is a GET with Observe = 1 and the same token; what is notified meanwhile is acknowledged and dropped', async () => {
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

  it('is an end also when the peer does not answer', async () => {
    const { clock, device, notify, observation, metrics } = await observing();
    const result = outcome(observation.cancel({ timeoutMs: 3_000 }));
    await clock.advance(3_010);
    expect(result).toEqual({ error: 'TIMEOUT' });
    expect(metrics()).toMatchObject({ observations: 0, operations: 0 });
    const after = notify('CON', 'after', [observe(12)]);
    await clock.advance(5);
    expect(device.received.at(-1)).toMatchObject({ type: 'RST', messageId: after });
  });

  it('says nothing when it forgets, until the next notification, which is reset, CON or NON', async () => {
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

describe('a notification in blocks', () => {
  const whole = Buffer.from('0123456789abcdef'.repeat(3));

  /** The device serves `whole` in blocks of 16 bytes to whoever asks for the rest. */
  function serving(device: ScriptedPeer, version = () => 1, body = () => whole) {
    device.onMessage = (message) => {
      if (message.type !== 'CON') return;
      const block = readBlock(requestOf(message).block2 ?? 0) ?? { number: 0, more: false, size: 16 };
      const payload = body().subarray(block.number * 16, block.number * 16 + 16);
      const served = { ...block, more: block.number * 16 + 16 < body().length };
      device.piggyback(message, {
        code: codes.content,
        options: [etag(version()), blockOption(block2, served)],
        payload,
      });
    };
  }

  it('is read on by a GET without Observe under another token, heard whole, then acknowledged', async () => {
    const { clock, device, heard, notify, observation } = await observing();
    serving(device);
    const messageId = notify('CON', '0123456789abcdef', first(11));
    await clock.advance(50);
    expect(heard).toEqual([whole.toString()]);
    expect(device.received.map(({ type }) => type)).toEqual(['CON', 'CON', 'ACK']);
    expect(device.received.at(-1)).toMatchObject({ type: 'ACK', messageId });
    for (const message of device.received.slice(0, 2)) {
      expect(requestOf(message)).toMatchObject({ observe: null, path: ['3303', '0', '5700'], accept: 112 });
      expect(message.token).not.toEqual(observation.token);
    }
  });

  it('begins again when the representation changes while it is read', async () => {
    const { clock, device, heard, notify } = await observing();
    const newer = Buffer.from('ABCDEFGHIJKLMNOP'.repeat(2));
    serving(
      device,
      () => 2,
      () => newer,
    );
    notify('CON', '0123456789abcdef', first(11));
    await clock.advance(100);
    expect(heard).toEqual([newer.toString()]);
  });

  it('gives way to a newer one', async () => {
    const { clock, device, heard, notify, metrics } = await observing();
    const older = notify('CON', '0123456789abcdef', first(11));
    await clock.advance(100);
    const newer = notify('CON', 'short', [observe(12)]);
    await clock.advance(100);
    expect(heard).toEqual(['short']);
    const acknowledged = device.received.filter(({ type }) => type === 'ACK').map(({ messageId }) => messageId);
    expect(acknowledged.toSorted()).toEqual([older, newer]);
    expect(metrics()).toMatchObject({ operations: 0, bodyBytes: 0 });
  });

  it('is repeated by the peer when the rest can not be read', async () => {
    const { clock, device, heard, notify, metrics } = await observing();
    device.onMessage = (message) => message.type === 'CON' && device.sendEmpty('RST', message.messageId);
    notify('CON', '0123456789abcdef', first(11));
    await clock.advance(100);
    expect(heard).toEqual([]);
    expect(device.received.map(({ type }) => type)).toEqual(['CON']);
    serving(device);
    notify('CON', '0123456789abcdef', first(11));
    await clock.advance(100);
    expect(heard).toEqual([whole.toString()]);
    expect(metrics().observations).toBe(1);
  });

  it('may be the very first response', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    serving(device);
    const rest = device.onMessage;
    device.onMessage = (message) => {
      if (requestOf(message).observe !== 0) return rest(message);
      device.piggyback(message, { code: codes.content, options: first(5), payload: whole.subarray(0, 16) });
    };
    let result: ObserveResult | undefined;
    void endpoint
      .observe(device.peer, { method: 'GET', path: ['3'] }, async () => {})
      .then((value) => (result = value));
    await network.clock.advance(100);
    expect(text(result?.response.payload)).toBe(whole.toString());
    expect(result?.observation).not.toBeNull();
    expect(endpoint.metrics()).toMatchObject({ observations: 1, operations: 0 });
  });
});

describe('a device that moves', () => {
  it('is not heard from its new address before the move, and not reset either; after it, it is', async () => {
    const { network, clock, endpoint, device, heard, observation, metrics } = await observing();
    const moved = new ScriptedPeer(network, MOVED, SERVER);
    const notify = (messageId: number) =>
      moved.send({
        type: 'CON',
        code: codes.content,
        messageId,
        token: observation.token,
        options: [observe(messageId)],
        payload: Buffer.from('moved'),
      });
    notify(11);
    await clock.advance(5);
    expect(moved.received).toEqual([]);
    expect(metrics().dropped['strange peer']).toBe(1);
    endpoint.movePeer(device.peer, moved.peer);
    notify(11);
    await clock.advance(5);
    expect(heard).toEqual(['moved']);
    expect(moved.received).toMatchObject([{ type: 'ACK', messageId: 11 }]);
    expect(observation.peer.key).toBe(moved.peer.key);
    const result = outcome(observation.cancel());
    moved.onMessage = (message) => moved.piggyback(message, { code: codes.content });
    await clock.advance(5);
    expect(result.code).toBe(codes.content);
  });

  it('takes along what is in flight and what waits for it', async () => {
    const { network, clock, endpoint, device } = await observing();
    const results = ['a', 'b', 'c'].map((name) =>
      outcome(endpoint.request(device.peer, { method: 'GET', path: [name] })),
    );
    await clock.advance(5);
    expect(device.received).toHaveLength(1);
    const moved = new ScriptedPeer(network, MOVED, SERVER);
    moved.onMessage = (message) => moved.piggyback(message, { code: codes.content });
    endpoint.movePeer(device.peer, moved.peer);
    await clock.advance(5_000);
    expect(results).toEqual(results.map(() => expect.objectContaining({ code: codes.content })));
    expect(device.received).toHaveLength(1);
    const later = outcome(endpoint.request(moved.peer, { method: 'GET', path: ['d'] }));
    await clock.advance(10);
    expect(later.code).toBe(codes.content);
  });
});

describe('an observation of an earlier run', () => {
  it('is taken up by its token, hears on, and can be cancelled', async () => {
    const earlier = await observing();
    const { token } = earlier.observation;
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    const heard: string[] = [];
    // A request of this run may hold the very slot.
    void endpoint.request(device.peer, { method: 'GET', path: ['x'] }).catch(() => {});
    const request = { method: 'GET', path: ['3303', '0', '5700'] } as const;
    const take = () =>
      endpoint.resumeObservation(device.peer, token, request, async ({ payload }) => void heard.push(text(payload)));
    const observation: Observation = take();
    expect(observation.token).toEqual(token);
    expect(take).toThrow(expect.objectContaining({ code: 'INVALID' }));
    device.send({
      type: 'CON',
      code: codes.content,
      messageId: 9,
      token,
      options: [observe(3)],
      payload: Buffer.from('on'),
    });
    await network.clock.advance(5);
    expect(heard).toEqual(['on']);
    expect(endpoint.metrics().observations).toBe(1);
    expect(device.received.at(-1)).toMatchObject({ type: 'ACK', messageId: 9 });
    observation.forget();
    expect(endpoint.metrics().observations).toBe(0);
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

  it('is by time alone after more than 128 s', () => {
    expect(isNewer(at(9), at(1, 128_000))).toBe(false);
    expect(isNewer(at(9), at(1, 128_001))).toBe(true);
  });

  it('never calls both of two newer than each other', () => {
    const sequence = fc.nat(2 ** 24 - 1);
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        expect(isNewer(at(a), at(b)) && isNewer(at(b), at(a))).toBe(false);
      }),
    );
  });

  it('follows a count that wraps around, step by step', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 24 - 1), fc.integer({ min: 1, max: 2 ** 23 - 1 }), (from, step) => {
        expect(isNewer(at(from), at((from + step) % 2 ** 24))).toBe(true);
      }),
    );
  });
});
