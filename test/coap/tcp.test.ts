import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  codes,
  createCoapEndpoint,
  TcpTransport,
  type CoapEndpoint,
  type IncomingRequest,
} from '../../src/coap/index.ts';
import { NO_BYTES } from '../../src/coap/message.ts';
import { optionNumbers, stringOption, uintOption } from '../../src/coap/option.ts';
import { nothing } from './reading.ts';
import { encodeFrame, readFrame, remainder } from '../../src/coap/tcp/frame.ts';
import { ManualClock } from '../manual-clock.ts';
import { messageOf, StreamClient } from './stream-client.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('a frame (RFC 8323 §3.2)', () => {
  it.each([
    ['an empty CSM', '00e1', { code: 0xe1, token: NO_BYTES, rest: NO_BYTES }],
    ['a Ping', '00e2', { code: 0xe2, token: NO_BYTES, rest: NO_BYTES }],
    [
      'a CSM of 65536 bytes with block-wise',
      '50e12301000020',
      { code: 0xe1, token: NO_BYTES, rest: Buffer.from('2301000020', 'hex') },
    ],
  ])('is %s', (_what, bytes, frame) => {
    expect(hex(encodeFrame(frame))).toBe(bytes);
    const read = readFrame(Buffer.from(bytes, 'hex'), 0, 1000);
    expect(read).toMatchObject({ frame: { code: frame.code }, end: bytes.length / 2 });
  });

  it('is decoded as it was encoded, for every length, and not before it is complete', () => {
    const lengths = fc.oneof(fc.nat(20), fc.integer({ min: 260, max: 280 }), fc.integer({ min: 65_800, max: 65_810 }));
    fc.assert(
      fc.property(lengths, fc.uint8Array({ maxLength: 8 }), fc.nat(255), fc.nat(), (length, token, code, cut) => {
        const frame = { code, token, rest: new Uint8Array(length).fill(7) };
        const bytes = encodeFrame(frame);
        const read = readFrame(bytes, 0, 100_000);
        if (typeof read === 'string') throw new Error(read);
        expect(read.end).toBe(bytes.length);
        expect([read.frame.code, hex(read.frame.token), read.frame.rest.length]).toEqual([code, hex(token), length]);
        expect(readFrame(bytes.subarray(0, cut % bytes.length), 0, 100_000)).toBe('incomplete');
      }),
    );
  });

  it('is rejected because of its length field before the rest arrives', () => {
    expect(readFrame(Buffer.from('f0ffffffff01', 'hex'), 0, 1152)).toBe('too large');
    expect(readFrame(Buffer.from('0901', 'hex'), 0, 1152)).toBe('malformed');
  });

  it('does not keep earlier bytes of the stream in memory', () => {
    const chunk = Buffer.alloc(65_536, 7);
    expect(remainder(chunk, 65_530)).toEqual(Buffer.alloc(6, 7));
    expect(remainder(chunk, 65_530).buffer.byteLength).toBe(6);
    expect(remainder(chunk, 65_536).buffer.byteLength).toBe(0);
  });

  it('never makes the decoder throw', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void readFrame(Buffer.from(bytes), 0, 1152)));
  });
});

describe('CoAP over TCP', () => {
  let transport: TcpTransport;
  let endpoint: CoapEndpoint;
  let client: StreamClient;
  const requests: IncomingRequest[] = [];

  beforeEach(async () => {
    requests.length = 0;
    transport = await TcpTransport.bind({ hosts: ['127.0.0.1'], port: 0 });
    endpoint = createCoapEndpoint({ transport });
    endpoint.onRequest(async (request) => {
      requests.push(request);
      return { code: codes.content, payload: Buffer.from(`for ${request.path.join('/')}`) };
    });
    client = new StreamClient(connect(transport.addresses[0]?.port ?? 0, '127.0.0.1'));
  });

  afterEach(async () => {
    client.socket.destroy();
    await endpoint.close();
  });

  it('sends its CSM first, and answers a request with the same token', async () => {
    expect(await client.next()).toMatchObject({ code: 0xe1 });
    client.send(0xe1, NO_BYTES, []);
    client.send(1, Buffer.of(1, 2), [stringOption(optionNumbers.uriPath, 'x')]);
    const frame = await client.next();
    expect(hex(frame?.token ?? NO_BYTES)).toBe('0102');
    expect(messageOf(frame)).toMatchObject({ code: codes.content, payload: 'for x' });
    expect(requests[0]).toMatchObject({ method: 'GET', path: ['x'], confirmable: true });
  });

  it('answers a Ping with a Pong of the same token', async () => {
    await client.next();
    client.send(0xe1, NO_BYTES, []);
    client.send(0xe2, Buffer.of(9), []);
    expect(await client.next()).toMatchObject({ code: 0xe3, token: Buffer.of(9) });
  });

  it('sends requests to the peer, and delivers its notifications in the order of the stream', async () => {
    await client.next();
    client.send(0xe1, NO_BYTES, []);
    client.send(1, Buffer.of(1), []);
    await client.next();
    const peer = requests[0]?.peer;
    if (!peer) throw new Error('no peer');
    const heard: string[] = [];
    let allDelivered = nothing;
    const third = new Promise<void>((resolve) => {
      allDelivered = resolve;
    });
    const observing = endpoint.observe(peer, { method: 'GET', path: ['t'] }, async ({ payload }) => {
      if (heard.push(Buffer.from(payload).toString()) === 3) allDelivered();
    });
    const asked = await client.next();
    const token = asked?.token ?? NO_BYTES;
    expect(asked).toMatchObject({ code: 1 });
    // RFC 8323 §7.1: the values do not matter; these would be stale over UDP.
    const observe = uintOption(optionNumbers.observe, 0);
    client.send(codes.content, token, [observe], Buffer.from('first'));
    expect((await observing).observation).not.toBeNull();
    for (const text of ['a', 'b', 'c']) client.send(codes.content, token, [observe], Buffer.from(text));
    await third;
    expect(heard).toEqual(['a', 'b', 'c']);
  });

  it('ends its requests when the connection closes', async () => {
    await client.next();
    client.send(0xe1, NO_BYTES, []);
    client.send(1, Buffer.of(1), []);
    await client.next();
    const peer = requests[0]?.peer;
    if (!peer) throw new Error('no peer');
    const asking = endpoint.request(peer, { method: 'GET', path: ['t'] });
    await client.next();
    client.socket.destroy();
    await expect(asking).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it.each([
    ['a first message that is not a CSM', (): void => client.send(1, NO_BYTES, [])],
    ['a critical option in a CSM', (): void => client.send(0xe1, NO_BYTES, [{ number: 1, value: NO_BYTES }])],
    ['a message that is too large', (): void => void client.socket.write(Buffer.from('f0ffffffff01', 'hex'))],
    ['a token of nine bytes', (): void => void client.socket.write(Buffer.from('0901', 'hex'))],
  ])('aborts after %s', async (_what, misbehave) => {
    await client.next();
    misbehave();
    expect(await client.next()).toMatchObject({ code: 0xe5 });
    expect(await client.next()).toBeNull();
  });

  it('sends a Release to its peers when it closes', async () => {
    await client.next();
    client.send(0xe1, NO_BYTES, []);
    client.send(1, Buffer.of(1), []);
    await client.next();
    const closed = once(client.socket, 'close');
    await endpoint.close();
    expect(await client.next()).toMatchObject({ code: 0xe4 });
    await closed;
    expect(transport.connections).toBe(0);
  });

  it('names an address that is in use', async () => {
    const port = transport.addresses[0]?.port ?? 0;
    const second = TcpTransport.bind({ hosts: ['127.0.0.1'], port });
    await expect(second).rejects.toMatchObject({
      code: 'BIND',
      message: expect.stringContaining(`127.0.0.1 port ${port}`),
    });
  });
});

describe('CoAP over TCP, with a peer that does not close its connection', () => {
  let clock: ManualClock;
  let transport: TcpTransport;
  let client: StreamClient;
  let heard = 0;

  beforeEach(async () => {
    heard = 0;
    clock = new ManualClock();
    transport = await TcpTransport.bind({ hosts: ['127.0.0.1'], port: 0, clock });
    transport.onDatagram(() => heard++);
    const { port } = transport.addresses[0] ?? { port: 0 };
    client = new StreamClient(connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
    expect(await client.next()).toMatchObject({ code: 0xe1 });
  });

  afterEach(async () => {
    client.socket.destroy();
    await transport.close();
  });

  it.each([
    ['its messages are invalid', async (): Promise<void> => client.send(1, NO_BYTES, [])],
    ['it sends nothing', async (): Promise<void> => clock.advance(30_000)],
  ])('destroys the connection a second after the Abort when %s', async (_what, misbehave) => {
    await misbehave();
    expect(await client.next()).toMatchObject({ code: 0xe5 });
    await clock.advance(1_000);
    await transport.close();
  });

  it('destroys the connection a second after the Release of the peer', async () => {
    client.send(0xe1, NO_BYTES, []);
    client.send(0xe4, NO_BYTES, []);
    await once(client.socket, 'end');
    await clock.advance(1_000);
    await transport.close();
  });

  it('closes after at most a second', async () => {
    const closed = transport.close();
    expect(await client.next()).toMatchObject({ code: 0xe4 });
    await clock.advance(1_000);
    await closed;
  });

  it('ignores messages while it closes', async () => {
    client.send(0xe1, NO_BYTES, []);
    const closed = transport.close();
    expect(await client.next()).toMatchObject({ code: 0xe4 });
    client.send(1, NO_BYTES, []);
    client.socket.end();
    await closed;
    expect(heard).toBe(0);
  });

  it('ignores messages after an Abort', async () => {
    client.send(0xe1, NO_BYTES, []);
    client.socket.write(Buffer.concat([encodeFrame(frameOf(0xe5)), encodeFrame(frameOf(1))]));
    await once(client.socket, 'end');
    expect(heard).toBe(0);
  });

  it('does not keep what the peer continues to send', async () => {
    client.send(1, NO_BYTES, []);
    expect(await client.next()).toMatchObject({ code: 0xe5 });
    const before = await bufferBytes();
    for (let mebibytes = 0; mebibytes < 24; mebibytes++) {
      if (!client.socket.write(Buffer.alloc(1_048_576))) await once(client.socket, 'drain');
    }
    expect((await bufferBytes()) - before).toBeLessThan(4 * 1_048_576);
  });
});

it('an idle connection over TCP does not keep what it has read', async () => {
  const transport = await TcpTransport.bind({ hosts: ['127.0.0.1'], port: 0 });
  const before = await bufferBytes();
  const clients: StreamClient[] = [];
  for (let count = 0; count < 64; count++) {
    const client = new StreamClient(connect(transport.addresses[0]?.port ?? 0, '127.0.0.1'));
    clients.push(client);
    expect(await client.next()).toMatchObject({ code: 0xe1 });
    // The stream has Empty messages before the Ping.
    const csm = encodeFrame(frameOf(0xe1));
    const ping = encodeFrame(frameOf(0xe2));
    client.socket.write(Buffer.concat([csm, Buffer.alloc(65_536 - csm.length - ping.length), ping]));
    expect(await client.next()).toMatchObject({ code: 0xe3 });
  }
  expect((await bufferBytes()) - before).toBeLessThan(1_048_576);
  for (const client of clients) client.socket.destroy();
  await transport.close();
});

function frameOf(code: number) {
  return { code, token: NO_BYTES, rest: NO_BYTES };
}

/** The memory of buffers after garbage collection. It is freed in the background, so a second round measures it. */
async function bufferBytes(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  for (let round = 0; round < 3; round++) {
    collect();
    await setImmediate();
  }
  return process.memoryUsage().arrayBuffers;
}
