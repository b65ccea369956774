import { describe, expect, it } from 'vitest';
import { codes, createCoapEndpoint, type CoapEndpoint, type OutgoingResponse } from '../../src/coap/index.ts';
import { stringOption, optionNumbers, uintOption } from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork, seededRandom } from './network.ts';
import { body, nothing, outcome, text } from './reading.ts';

const SERVER = '192.0.2.1';
const DEVICE = '192.0.2.2';
const GET = 1;

const answering = (endpoint: CoapEndpoint): CoapEndpoint => {
  endpoint.onRequest(async ({ payload }) => ({ code: codes.content, payload }));
  return endpoint;
};

describe('the state of peers', () => {
  it('is removed after EXCHANGE_LIFETIME, and no timer runs without peers', async () => {
    const network = new SimulatedNetwork();
    const endpoint = answering(network.endpoint(SERVER));
    for (let host = 0; host < 50; host++) {
      new ScriptedPeer(network, `198.51.100.${host}`, SERVER).send({ type: 'CON', code: GET, messageId: 1 });
    }
    await network.clock.advance(100_000);
    expect(endpoint.metrics().peers).toBe(50);
    // One sweep removes all of them.
    expect(network.clock.pendingCount).toBe(1);
    await network.clock.advance(170_000);
    expect(endpoint.metrics()).toMatchObject({ peers: 0, replyBytes: 0 });
    expect(network.clock.pendingCount).toBe(0);
  });

  it('is kept while there is an observation, and removed after it ends', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    const observation = endpoint.resumeObservation(
      device.peer,
      new Uint8Array(8),
      { method: 'GET', path: ['3'] },
      async () => {},
    );
    await network.clock.advance(1_000_000);
    expect(endpoint.metrics().peers).toBe(1);
    observation.forget();
    await network.clock.advance(300_000);
    expect(endpoint.metrics().peers).toBe(0);
  });

  it('is limited in peers: the one idle for longest is removed, but not one with an observation', async () => {
    const network = new SimulatedNetwork();
    const endpoint = answering(network.endpoint(SERVER, { limits: { peers: 3 } }));
    const observed = new ScriptedPeer(network, DEVICE, SERVER);
    const request = { method: 'GET', path: ['3'] } as const;
    endpoint.resumeObservation(observed.peer, new Uint8Array(8), request, async () => {});
    const peers = [10, 11, 12].map((host) => new ScriptedPeer(network, `192.0.2.${host}`, SERVER));
    for (const peer of peers) {
      peer.send({ type: 'CON', code: GET, messageId: 1 });
      await network.clock.advance(10);
    }
    expect(endpoint.metrics().peers).toBe(3);
    expect(peers.map(({ received }) => received.length)).toEqual([1, 1, 1]);
    observed.send({
      type: 'CON',
      code: codes.content,
      messageId: 5,
      token: new Uint8Array(8),
      options: [uintOption(optionNumbers.observe, 1)],
    });
    await network.clock.advance(10);
    expect(observed.received).toMatchObject([{ type: 'ACK' }]);
  });

  it('is full when all peers are busy: incoming requests are dropped, outgoing ones end in LIMIT', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER, { limits: { peers: 1 } });
    const [busy, other] = [DEVICE, '192.0.2.3'].map((address) => new ScriptedPeer(network, address, SERVER));
    if (!busy || !other) throw new Error('two peers');
    outcome(endpoint.request(busy.peer, { method: 'GET', path: ['3'] }));
    const refused = outcome(endpoint.request(other.peer, { method: 'GET', path: ['3'] }));
    other.send({ type: 'CON', code: GET, messageId: 1 });
    await network.clock.advance(10);
    expect(refused).toEqual({ error: 'LIMIT' });
    expect(other.received).toEqual([]);
    expect(endpoint.metrics().dropped.full).toBe(1);
  });

  it('is limited in replies: above it a duplicate gets no answer, and the handler still runs once', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER, { limits: { replyBytes: 20 } });
    let runs = 0;
    endpoint.onRequest(async () => ({ code: codes.content, payload: Buffer.from(`answer ${++runs}`) }));
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    for (const messageId of [1, 2, 1, 2]) device.send({ type: 'CON', code: GET, messageId });
    await network.clock.advance(10);
    expect(device.received.map(({ payload }) => text(payload))).toEqual(['answer 1', 'answer 2', 'answer 1']);
    expect(runs).toBe(2);
    expect(endpoint.metrics().replyBytes).toBeLessThanOrEqual(20);
  });

  it('is limited in messages of a peer: answered ones are removed, those in progress are not', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER, { limits: { recentMessagesPerPeer: 2 } });
    const open: ((response: OutgoingResponse) => void)[] = [];
    endpoint.onRequest(() => new Promise((resolve) => open.push(resolve)));
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    const send = async (messageId: number) => {
      device.send({ type: 'CON', code: GET, messageId });
      await network.clock.advance(5);
    };
    await send(1);
    await send(2);
    await send(3);
    expect(open).toHaveLength(2);
    expect(endpoint.metrics().dropped.full).toBe(1);
    open[0]?.({ code: codes.content });
    await network.clock.advance(5);
    await send(3);
    expect(open).toHaveLength(3);
  });

  it('is limited in running handlers: further requests get 5.03', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER, { limits: { answering: 2 } });
    endpoint.onRequest(() => new Promise(() => {}));
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    for (const messageId of [1, 2, 3]) device.send({ type: 'CON', code: GET, messageId });
    await network.clock.advance(5);
    expect(device.received).toMatchObject([{ code: codes.serviceUnavailable, messageId: 3 }]);
    expect(endpoint.metrics().answering).toBe(2);
  });

  it('is limited in outgoing requests and observations: further ones end in LIMIT', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER, { limits: { tokens: 2 } });
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    const results = ['a', 'b', 'c'].map((name) =>
      outcome(endpoint.request(device.peer, { method: 'GET', path: [name] })),
    );
    await network.clock.advance(5);
    expect(results).toEqual([{}, {}, { error: 'LIMIT' }]);
    const resume = () =>
      endpoint.resumeObservation(device.peer, new Uint8Array(8), { method: 'GET', path: ['3'] }, async () => {});
    expect(resume).toThrow(expect.objectContaining({ code: 'LIMIT' }));
  });
});

describe('a session that ends', () => {
  it('ends its requests with CLOSED and keeps its observations for the next session', async () => {
    const network = new SimulatedNetwork();
    const transport = network.transport(SERVER);
    const endpoint = createCoapEndpoint({ transport, clock: network.clock, random: seededRandom(1) });
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    const request = { method: 'GET', path: ['3'] } as const;
    const observation = endpoint.resumeObservation(device.peer, new Uint8Array(8), request, async () => {});
    const results = ['a', 'b'].map((name) => outcome(endpoint.request(device.peer, { method: 'GET', path: [name] })));
    await network.clock.advance(5);
    transport.peerGone(device.peer);
    await network.clock.advance(100_000);
    expect(results).toEqual([{ error: 'CLOSED' }, { error: 'CLOSED' }]);
    expect(device.received).toHaveLength(1);
    expect(endpoint.metrics()).toMatchObject({ observations: 1, operations: 0 });
    const next = new ScriptedPeer(network, '192.0.2.9', SERVER);
    endpoint.movePeer(device.peer, next.peer);
    expect(observation.peer.key).toBe(next.peer.key);
  });
});

describe('an endpoint that closes', () => {
  it('ends its requests with CLOSED, lets handlers finish and sends their responses', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    let finish: (response: OutgoingResponse) => void = nothing;
    endpoint.onRequest(() => new Promise((resolve) => (finish = resolve)));
    device.send({ type: 'CON', code: GET, messageId: 1 });
    await network.clock.advance(5);
    const pending = outcome(endpoint.request(device.peer, { method: 'GET', path: ['3'] }));
    let closed = false;
    void endpoint.close().then(() => (closed = true));
    await network.clock.advance(5);
    expect(pending).toEqual({ error: 'CLOSED' });
    expect(closed).toBe(false);
    device.send({ type: 'CON', code: GET, messageId: 2 });
    await network.clock.advance(5);
    finish({ code: codes.changed });
    await network.clock.advance(5);
    expect(closed).toBe(true);
    expect(device.received.filter(({ type }) => type === 'ACK')).toMatchObject([{ code: codes.changed, messageId: 1 }]);
    expect(endpoint.metrics().dropped.closing).toBe(1);
    const late = endpoint.request(device.peer, { method: 'GET', path: ['3'] });
    await expect(late).rejects.toMatchObject({ code: 'CLOSED' });
    expect(network.clock.pendingCount).toBe(0);
  });

  it('does not wait for a handler that never ends', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    endpoint.onRequest(() => new Promise(() => {}));
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    device.send({ type: 'CON', code: GET, messageId: 1 });
    await network.clock.advance(5);
    let closed = false;
    void endpoint.close().then(() => (closed = true));
    await network.clock.advance(2_100);
    expect(closed).toBe(true);
  });
});

describe('a network that loses, duplicates, delays and reorders datagrams', () => {
  it.each([1, 2, 3, 4, 5, 6])('changes only the duration of the requests (seed %i)', async (seed) => {
    const network = new SimulatedNetwork({ loss: 0.15, duplication: 0.2, delayMs: [5, 700] }, seed);
    const server = network.endpoint(SERVER, { random: seededRandom(seed) });
    const devices = Array.from({ length: 5 }, (_, index) => network.endpoint(`198.51.100.${index}`));
    const runs = new Map<string, number>();
    for (const [index, device] of devices.entries()) {
      device.onRequest(async ({ path, payload }) => {
        const run = `${index}/${path.join('/')}`;
        runs.set(run, (runs.get(run) ?? 0) + 1);
        return { code: codes.content, payload: payload.length > 0 ? Uint8Array.from(payload).reverse() : body(3_000) };
      });
    }
    const expected: { result: { payload?: Uint8Array; error?: unknown }; payload: Uint8Array }[] = [];
    for (const index of devices.keys()) {
      const peer = { key: `198.51.100.${index}:5683`, address: `198.51.100.${index}`, port: 5683, security: null };
      for (let count = 0; count < 6; count++) {
        const result: { payload?: Uint8Array; error?: unknown } = {};
        const sent = count % 2 === 0 ? body(count * 700) : new Uint8Array(0);
        const method = sent.length > 0 ? 'POST' : 'GET';
        server.request(peer, { method, path: [String(count)], payload: sent }).then(
          (response) => (result.payload = Uint8Array.from(response.payload)),
          (error: unknown) => (result.error = error),
        );
        expected.push({ result, payload: sent.length > 0 ? Uint8Array.from(sent).reverse() : body(3_000) });
      }
    }
    await network.clock.advance(3_000_000);
    const failed = expected.filter(({ result }) => result.payload === undefined);
    // All five transmissions of a message are lost with a chance of 3 in 1,000 each way; that request must time out.
    for (const { result } of failed) expect(result.error).toMatchObject({ code: 'TIMEOUT' });
    expect(failed.length).toBeLessThanOrEqual(2);
    for (const { result, payload } of expected) if (result.payload) expect(result.payload).toEqual(payload);
    for (const [run, times] of runs) expect(`${run} ran ${times} time`).toBe(`${run} ran 1 time`);
    expect(server.metrics()).toMatchObject({ operations: 0, bodyBytes: 0, replyBytes: 0, peers: 0 });
    expect(server.metrics().retransmissions).toBeGreaterThan(0);
    expect(
      server.metrics().duplicates + devices.reduce((sum, device) => sum + device.metrics().duplicates, 0),
    ).toBeGreaterThan(0);
  });

  it('does not lose, duplicate or reorder the values of an observation', async () => {
    const network = new SimulatedNetwork({ loss: 0.2, duplication: 0.2, delayMs: [5, 500] }, 42);
    const server = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    const heard: number[] = [];
    const token = new Uint8Array(8);
    server.resumeObservation(device.peer, token, { method: 'GET', path: ['3303'] }, async ({ payload }) => {
      heard.push(Number(text(payload)));
    });
    const acknowledged = new Set<number>();
    device.onMessage = ({ type, messageId }) => type === 'ACK' && acknowledged.add(messageId);
    for (let value = 1; value <= 40; value++) {
      for (let copy = 0; copy < 6 && !acknowledged.has(value); copy++) {
        device.send({
          type: 'CON',
          code: codes.content,
          messageId: value,
          token,
          options: [uintOption(optionNumbers.observe, value), stringOption(optionNumbers.locationPath, 'x')],
          payload: Buffer.from(String(value)),
        });
        await network.clock.advance(2_000);
      }
    }
    expect(heard).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
  });
});
