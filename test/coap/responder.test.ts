import { describe, expect, it } from 'vitest';
import { codes, type CoapEndpointOptions, type OutgoingResponse } from '../../src/coap/index.ts';
import { optionNumbers, readRequestOptions, stringOption, uintOption } from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { nothing, text } from './reading.ts';

const SERVER = '192.0.2.1';
const CLIENT = '192.0.2.2';
const GET = 1;
const POST = 2;
const token = Uint8Array.of(0xca, 0xfe);

/** A server and a client whose messages the test sends. */
function start(options: Partial<CoapEndpointOptions> = {}) {
  const network = new SimulatedNetwork();
  const server = network.endpoint(SERVER, options);
  const client = new ScriptedPeer(network, CLIENT, SERVER);
  return { network, clock: network.clock, server, client };
}

/** The options of a request that suppresses successful responses. */
const unlessSuccess = (path: string) => [
  stringOption(optionNumbers.uriPath, path),
  uintOption(optionNumbers.noResponse, 2),
];

/** A response whose time the test chooses. */
function deferred<T>() {
  let resolve: (value: T) => void = nothing;
  const promise = new Promise<T>((accept) => (resolve = accept));
  return { promise, resolve };
}

describe('a request of a peer', () => {
  it('reaches the handler with all its options, and gets a piggybacked response', async () => {
    const { clock, server, client } = start();
    server.onRequest(async (request) => {
      expect(request).toMatchObject({
        method: 'POST',
        path: ['rd'],
        query: ['ep=a', 'lt=60'],
        contentFormat: 40,
        accept: null,
        observe: null,
        confirmable: true,
        peer: { key: `${CLIENT}:5683`, address: CLIENT, port: 5683, security: null },
      });
      expect(text(request.payload)).toBe('</3/0>');
      return { code: codes.created, locationPath: ['rd', 'x1'], maxAge: 5 };
    });
    client.send({
      type: 'CON',
      code: POST,
      messageId: 7,
      token,
      options: [
        stringOption(optionNumbers.uriPath, 'rd'),
        uintOption(optionNumbers.contentFormat, 40),
        stringOption(optionNumbers.uriQuery, 'ep=a'),
        stringOption(optionNumbers.uriQuery, 'lt=60'),
      ],
      payload: Buffer.from('</3/0>'),
    });
    await clock.advance(10);
    expect(client.received).toMatchObject([{ type: 'ACK', code: codes.created, messageId: 7 }]);
    expect([...(client.received[0]?.token ?? [])]).toEqual([...token]);
    const options = client.received[0]?.options.map(({ number, value }) => [number, text(value)]);
    expect(options).toEqual([
      [optionNumbers.locationPath, 'rd'],
      [optionNumbers.locationPath, 'x1'],
      [optionNumbers.maxAge, '\x05'],
    ]);
  });

  it('gets a NON response with a new message ID when it is a NON', async () => {
    const { clock, server, client } = start();
    server.onRequest(async () => ({ code: codes.content }));
    client.send({ type: 'NON', code: GET, messageId: 7, token });
    client.send({ type: 'NON', code: GET, messageId: 8, token });
    await clock.advance(10);
    const [first, second] = client.received;
    expect(client.received).toMatchObject([
      { type: 'NON', code: codes.content },
      { type: 'NON', code: codes.content },
    ]);
    expect(second?.messageId).toBe(((first?.messageId ?? 0) + 1) & 0xffff);
  });

  it('gets an empty acknowledgement and later a CON response when the handler is slow', async () => {
    const { clock, server, client } = start();
    const response = deferred<OutgoingResponse>();
    server.onRequest(() => response.promise);
    client.send({ type: 'CON', code: GET, messageId: 7, token });
    await clock.advance(900);
    expect(client.received).toEqual([]);
    await clock.advance(200);
    expect(client.received).toMatchObject([{ type: 'ACK', code: 0, messageId: 7 }]);
    response.resolve({ code: codes.content, payload: Buffer.from('late') });
    await clock.advance(10);
    expect(client.received[1]).toMatchObject({ type: 'CON', code: codes.content });
    expect([...(client.received[1]?.token ?? [])]).toEqual([...token]);

    // The response is retransmitted until the client acknowledges it.
    await clock.advance(4_000);
    expect(client.received).toHaveLength(3);
    client.sendEmpty('ACK', client.received[1]?.messageId ?? -1);
    await clock.advance(100_000);
    expect(client.received).toHaveLength(3);
  });

  it('gets no further retransmission of a separate response after a Reset', async () => {
    const { clock, server, client } = start();
    const response = deferred<OutgoingResponse>();
    server.onRequest(() => response.promise);
    client.onMessage = (message) => message.type === 'CON' && client.sendEmpty('RST', message.messageId);
    client.send({ type: 'CON', code: GET, messageId: 7, token });
    await clock.advance(2_000);
    response.resolve({ code: codes.content });
    await clock.advance(100_000);
    expect(client.received).toHaveLength(2);
  });

  it('gets 5.00 when its handler fails, and the error is reported', async () => {
    const errors: unknown[] = [];
    const { clock, server, client } = start({ onHandlerError: (error) => errors.push(error) });
    const failure = new Error('no database');
    server.onRequest(async () => {
      throw failure;
    });
    client.send({ type: 'CON', code: GET, messageId: 7, token });
    await clock.advance(10);
    expect(client.received).toMatchObject([{ type: 'ACK', code: codes.internalServerError, messageId: 7 }]);
    expect(client.received[0]?.payload).toHaveLength(0);
    expect(errors).toEqual([failure]);
    expect(server.metrics()).toMatchObject({ handlerErrors: 1, answering: 0 });
  });

  it('gets 5.01 before there is a handler', async () => {
    const { clock, client } = start();
    client.send({ type: 'CON', code: GET, messageId: 7, token });
    await clock.advance(10);
    expect(client.received).toMatchObject([{ code: codes.notImplemented }]);
  });

  it('gets 4.05 for a method that is not registered and 5.05 for a proxy', async () => {
    const { clock, client } = start();
    client.send({ type: 'CON', code: 8, messageId: 7 });
    const proxied = [stringOption(optionNumbers.proxyUri, 'coap://elsewhere/')];
    client.send({ type: 'CON', code: GET, messageId: 8, options: proxied });
    await clock.advance(10);
    expect(client.received.map(({ code }) => code)).toEqual([codes.methodNotAllowed, codes.proxyingNotSupported]);
  });

  it('gets 4.02 for an unknown critical option when it is a CON, and no answer when it is a NON', async () => {
    const { clock, server, client } = start();
    const options = [{ number: 65_001, value: Uint8Array.of(1) }];
    client.send({ type: 'CON', code: GET, messageId: 7, options });
    client.send({ type: 'NON', code: GET, messageId: 8, options });
    await clock.advance(10);
    expect(client.received).toMatchObject([{ type: 'ACK', code: codes.badOption, messageId: 7 }]);
    expect(server.metrics().dropped['critical option']).toBe(1);
  });

  it('gets only responses of the classes that No-Response does not suppress (RFC 7967)', async () => {
    const { clock, server, client } = start();
    server.onRequest(async ({ path }) => ({ code: path[0] === 'ok' ? codes.changed : codes.notFound }));
    client.send({ type: 'NON', code: POST, messageId: 1, options: unlessSuccess('ok') });
    await clock.advance(10);
    expect(client.received).toEqual([]);
    client.send({ type: 'CON', code: POST, messageId: 2, options: unlessSuccess('ok') });
    client.send({ type: 'NON', code: POST, messageId: 3, options: unlessSuccess('wrong') });
    await clock.advance(10);
    expect(client.received).toMatchObject([
      { type: 'ACK', code: 0, messageId: 2 },
      { type: 'NON', code: codes.notFound },
    ]);
  });

  it('is answered before the requests that its onSent callback starts', async () => {
    const { network, clock, server, client } = start();
    server.onRequest(async (request) => ({
      code: codes.created,
      onSent: () => void server.request(request.peer, { method: 'GET', path: ['3'] }).catch(() => {}),
    }));
    client.send({ type: 'CON', code: POST, messageId: 7 });
    await clock.advance(10);
    expect(network.messages(SERVER, CLIENT)).toMatchObject([
      { type: 'ACK', code: codes.created },
      { type: 'CON', code: GET },
    ]);
    expect(readRequestOptions(client.received[1]?.options ?? [])).toMatchObject({ path: ['3'] });
    await server.close();
  });
});

describe('a duplicate of a request', () => {
  it('is answered with the same bytes, and its handler runs once', async () => {
    const { network, clock, server, client } = start();
    let runs = 0;
    server.onRequest(async () => ({ code: codes.content, payload: Buffer.from(String(++runs)) }));
    for (let copy = 0; copy < 3; copy++) {
      client.send({ type: 'CON', code: GET, messageId: 7, token });
      await clock.advance(1_000);
    }
    const replies = network.datagrams.filter(({ to }) => to === client.peer.key);
    expect(new Set(replies.map(({ bytes }) => Buffer.from(bytes).toString('hex'))).size).toBe(1);
    expect(replies).toHaveLength(3);
    expect(runs).toBe(1);
    expect(server.metrics().duplicates).toBe(2);
  });

  it('gets no answer while the handler runs, and the empty acknowledgement after that', async () => {
    const { clock, server, client } = start();
    const response = deferred<OutgoingResponse>();
    let runs = 0;
    server.onRequest(() => {
      runs++;
      return response.promise;
    });
    const send = () => client.send({ type: 'CON', code: GET, messageId: 7, token });
    send();
    await clock.advance(500);
    send();
    await clock.advance(100);
    expect(client.received).toEqual([]);
    await clock.advance(500);
    send();
    await clock.advance(10);
    expect(client.received).toMatchObject([
      { type: 'ACK', code: 0, messageId: 7 },
      { type: 'ACK', code: 0, messageId: 7 },
    ]);
    response.resolve({ code: codes.content });
    await clock.advance(10);
    client.sendEmpty('ACK', client.received[2]?.messageId ?? -1);
    send();
    await clock.advance(10);
    expect(client.received[3]).toMatchObject({ type: 'ACK', code: 0, messageId: 7 });
    expect(runs).toBe(1);
  });

  it('is ignored when it is a NON', async () => {
    const { clock, server, client } = start();
    server.onRequest(async () => ({ code: codes.content }));
    client.send({ type: 'NON', code: GET, messageId: 7 });
    client.send({ type: 'NON', code: GET, messageId: 7 });
    await clock.advance(10);
    expect(client.received).toHaveLength(1);
  });

  it('counts as a new request after EXCHANGE_LIFETIME, a NON after NON_LIFETIME', async () => {
    const { clock, server, client } = start();
    const types: boolean[] = [];
    server.onRequest(async ({ confirmable }) => {
      types.push(confirmable);
      return { code: codes.content };
    });
    const send = () => {
      client.send({ type: 'CON', code: GET, messageId: 7 });
      client.send({ type: 'NON', code: GET, messageId: 8 });
    };
    send();
    await clock.advance(144_000);
    send();
    await clock.advance(2_000);
    expect(types).toEqual([true, false]);
    send();
    await clock.advance(100_000);
    expect(types).toEqual([true, false, false]);
    await clock.advance(2_000);
    send();
    await clock.advance(10);
    expect(types.filter((confirmable) => confirmable)).toHaveLength(2);
  });

  it('is distinguished from a message of another peer with the same message ID', async () => {
    const { network, clock, server, client } = start();
    const peers: string[] = [];
    server.onRequest(async ({ peer }) => {
      peers.push(peer.address);
      return { code: codes.content };
    });
    const other = new ScriptedPeer(network, '192.0.2.3', SERVER);
    client.send({ type: 'CON', code: GET, messageId: 7, token });
    other.send({ type: 'CON', code: GET, messageId: 7, token });
    await clock.advance(10);
    expect(peers).toEqual([CLIENT, '192.0.2.3']);
  });
});

describe('a message that is not a request', () => {
  it('is answered with a Reset when it is a ping', async () => {
    const { clock, client } = start();
    client.send({ type: 'CON', code: 0, messageId: 7 });
    client.send({ type: 'NON', code: 0, messageId: 8 });
    await clock.advance(10);
    expect(client.received).toMatchObject([{ type: 'RST', code: 0, messageId: 7 }]);
  });

  it.each([
    ['a malformed CON', '4f010007', true],
    ['a malformed NON', '5f010007', false],
    ['a malformed ACK', '6f450007', false],
    ['another version', 'c0010007', false],
    ['a CON of the reserved class 1', '40200007', true],
    ['a CON of the reserved class 7', '40e10007', true],
    ['a NON of the reserved class 6', '50c00007', false],
    ['a request in an acknowledgement', '60010007', false],
    ['a Reset with a code', '70450007', false],
    ['a CON response without a request', '41450007aa', true],
    ['a NON notification without an observation', '51450007aa', true],
    ['a piggybacked response without a request', '61450007aa', false],
    ['an acknowledgement without a message', '60000007', false],
    ['a Reset without a message', '70000007', false],
  ])('is rejected or ignored as it should be: %s', async (_name, datagram, reset) => {
    const { clock, server, client } = start();
    client.sendBytes(Buffer.from(datagram, 'hex'));
    await clock.advance(10);
    const answer = client.received.map(({ type, code, messageId }) => ({ type, code, messageId }));
    expect(answer).toEqual(reset ? [{ type: 'RST', code: 0, messageId: 7 }] : []);
    const { dropped, peers } = server.metrics();
    expect(Object.values(dropped).reduce((sum, count) => sum + count, 0)).toBe(1);
    // No state is kept for a peer that sends only invalid messages.
    expect(peers).toBe(0);
  });
});
