import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Address } from '../../src/dtls/address.ts';
import { encodeExtension } from '../../src/dtls/extensions.ts';
import { encodeFragment, HANDSHAKE, messageBody } from '../../src/dtls/messages.ts';
import { CONTENT, encodeRecord, parseRecords } from '../../src/dtls/record.ts';
import type { Client } from './client.ts';
import { PSK, World } from './network.ts';

/** Returns the datagrams of a device's first and second ClientHello. */
async function hellos(world: World, address = world.address()): Promise<[Buffer, Buffer]> {
  const client = await world.connected({}, address);
  client.stop();
  const [first, second] = world.sent
    .filter(({ toServer, datagram }) => toServer && datagram[13] === HANDSHAKE.clientHello)
    .map(({ datagram }) => datagram);
  if (!first || !second) throw new Error('the client did not send two ClientHellos');
  return [first, second];
}

function answersTo(world: World, ...datagrams: Buffer[]): Buffer[] {
  const address = world.address('203.0.113.5');
  const before = world.sent.length;
  for (const datagram of datagrams) world.engine.receive(address, datagram);
  return world.sent.slice(before).map((delivery) => delivery.datagram);
}

describe('a first ClientHello', () => {
  it('gets a cookie with version 1.0 and its own sequence number', async () => {
    const world = new World();
    const [first] = await hellos(world);
    first.writeUIntBE(77, 5, 6);
    const [answer] = answersTo(world, first);
    const [record] = parseRecords(answer ?? Buffer.alloc(0));
    expect(record).toMatchObject({ type: CONTENT.handshake, version: 0xfeff, epoch: 0, sequence: 77 });
    expect(messageBody(record?.fragment ?? Buffer.alloc(0)).readUInt16BE(0)).toBe(0xfeff);
  });

  it('leaves no state: 200,000 of them take no memory, no timer and no look-up', async () => {
    const world = new World();
    const [first] = await hellos(new World());
    world.weather = () => [];
    const timers = world.clock.pendingCount;
    const flood = (count: number): void => {
      for (let n = 0; n < count; n++) {
        first.writeUInt32BE(n, 13 + 12 + 2);
        world.engine.receive(
          { address: `10.${n & 255}.${(n >> 8) & 255}.1`, port: 1 + (n % 60_000), socket: 0 },
          first,
        );
        world.sent.length = 0;
      }
    };
    flood(20_000);
    const before = heapUsed();
    flood(180_000);
    expect(heapUsed() - before).toBeLessThan(2 * 1024 * 1024);
    expect(world.clock.pendingCount).toBe(timers);
    expect(world.engine.metrics).toMatchObject({ cookiesSent: 200_000, halfOpen: 0, sessions: 0, lookUps: 0 });
  }, 60_000);

  it('is the only one in its datagram that gets an answer, in one record or in several', async () => {
    const world = new World();
    const [first] = await hellos(world);
    const many = Buffer.concat(Array.from({ length: 100 }, () => first.subarray(13)));
    const record = encodeRecord({ type: CONTENT.handshake, epoch: 0, sequence: 0, cid: null }, many);
    expect(answersTo(world, record)).toHaveLength(1);
    expect(answersTo(world, Buffer.concat([first, first, first]))).toHaveLength(1);
    expect(world.engine.metrics.dropped).toEqual({ out_of_place: 101 });
  });

  it('is dropped without an answer when it is malformed', async () => {
    const world = new World();
    const [first] = await hellos(world);
    const { cookiesSent } = world.engine.metrics;
    // The session id would have 255 bytes.
    first.writeUInt8(255, 13 + 12 + 34);
    expect(answersTo(world, first)).toEqual([]);
    expect(world.engine.metrics).toMatchObject({ cookiesSent, cookiesRefused: 0, dropped: { malformed: 1 } });
  });

  it('is not counted as one with a refused cookie', async () => {
    const world = new World();
    const [first] = await hellos(world);
    const { cookiesSent, cookiesRefused } = world.engine.metrics;
    answersTo(world, first);
    expect(world.engine.metrics).toMatchObject({ cookiesSent: cookiesSent + 1, cookiesRefused });
  });

  it('gets a cookie for its first fragment, and no memory', async () => {
    const world = new World();
    const [first] = await hellos(world);
    const [start = first, rest = first] = fragmented(first, 60);
    const { cookiesSent } = world.engine.metrics;
    const [answer, ...others] = answersTo(world, rest, start, rest);
    expect(answer?.[13]).toBe(HANDSHAKE.helloVerifyRequest);
    expect(others).toEqual([]);
    expect(world.engine.metrics).toMatchObject({
      cookiesSent: cookiesSent + 1,
      halfOpen: 0,
      dropped: { fragmented_hello: 2 },
    });
  });

  it('is dropped without an answer when its first fragment ends before its extensions', async () => {
    const world = new World();
    const [first] = await hellos(world);
    expect(answersTo(world, ...fragmented(first, 30))).toEqual([]);
    expect(world.engine.metrics.dropped).toEqual({ malformed: 1, fragmented_hello: 2 });
  });
});

/** A world whose clients send each ClientHello in pieces of at most `size` bytes, each in its own datagram. */
function narrow(size: number): { world: World; connect: () => Promise<Client> } {
  const world = new World();
  const connect = async (): Promise<Client> => {
    const address = world.address();
    const transmit = (datagram: Buffer): void => {
      const isHello = datagram[0] === CONTENT.handshake && datagram[13] === HANDSHAKE.clientHello;
      for (const piece of isHello ? fragmented(datagram, size) : [datagram]) world.carry(address, piece);
    };
    const extraExtensions = encodeExtension(0x5555, Buffer.alloc(300));
    return world.connected({ transmit, extraExtensions }, address);
  };
  return { world, connect };
}

describe('a ClientHello in fragments', () => {
  it.each([80, 200])('of at most %d bytes opens a session', async (size) => {
    const { world, connect } = narrow(size);
    expect((await connect()).state).toBe('open');
    expect(world.engine.metrics).toMatchObject({ sessions: 1, halfOpen: 0, dropped: {} });
  });

  it('opens a session when fragments are lost and repeated', async () => {
    const { world, connect } = narrow(80);
    let count = 0;
    world.weather = ({ toServer, datagram }) => {
      if (!toServer || datagram[13] !== HANDSHAKE.clientHello) return [0];
      count++;
      return count % 4 === 0 ? [] : count % 3 === 0 ? [0, 1] : [0];
    };
    const client = await connect();
    await world.clock.advance(30_000);
    expect(client.state).toBe('open');
  });

  it('is dropped when it is longer than 4,096 bytes, also with a valid cookie', async () => {
    const world = new World();
    const address = world.address();
    const [, second] = await hellos(world, address);
    const [start] = fragmented(second, 100);
    start?.writeUIntBE(4_097, 14, 3);
    const { cookiesAccepted, dropped } = world.engine.metrics;
    world.engine.receive(address, start ?? second);
    expect(world.engine.metrics).toMatchObject({ cookiesAccepted: cookiesAccepted + 1 });
    expect(world.engine.metrics.dropped).toEqual({ ...dropped, fragmented_hello: 1 });
  });

  it('is kept for a limited number of clients of an address, and for a minute', async () => {
    const world = new World();
    const heard = new Set<number>();
    // The server gets only the first ClientHello of each client.
    world.weather = ({ toServer, address }) => {
      if (!toServer) return [0];
      if (heard.has(address.port)) return [];
      heard.add(address.port);
      return [0];
    };
    /** The client's address, and its second ClientHello in two fragments. */
    const begun: { readonly address: Address; readonly rest: Buffer }[] = [];
    for (let n = 0; n < 40; n++) {
      const address = world.address();
      world.sent.length = 0;
      const [, second] = await hellos(world, address);
      const [start, rest] = fragmented(second, 100);
      world.engine.receive(address, start ?? second);
      begun.push({ address, rest: rest ?? second });
    }
    const complete = ({ address, rest }: { address: Address; rest: Buffer } = begun[0] ?? never()): number => {
      const { halfOpen } = world.engine.metrics;
      world.engine.receive(address, rest);
      return world.engine.metrics.halfOpen - halfOpen;
    };
    expect([begun[7], begun[8], begun[38]].map(complete)).toEqual([0, 1, 1]);
    await world.clock.advance(61_000);
    expect(complete(begun[39])).toBe(0);
  });
});

describe('a second ClientHello', () => {
  it.each([2 ** 48 - 1, 2 ** 48 - 3, 2 ** 48 - 2 ** 20])(
    'is dropped when its record sequence number %d leaves too few numbers for a handshake',
    async (sequence) => {
      const world = new World();
      let hellosSent = 0;
      world.weather = ({ toServer, datagram }) => {
        if (toServer && datagram[13] === HANDSHAKE.clientHello && ++hellosSent > 1)
          datagram.writeUIntBE(sequence, 5, 6);
        return [0];
      };
      const client = await world.connected();
      client.stop();
      await world.clock.advance(70_000);
      expect(world.engine.metrics).toMatchObject({ halfOpen: 0, cookiesAccepted: 0, dropped: { malformed: 1 } });
    },
  );
});

describe('a ClientHello with the last record sequence number that leaves room for a handshake', () => {
  it('is admitted', async () => {
    const world = new World();
    const address = world.address();
    const [, second] = await hellos(world, address);
    const { cookiesAccepted } = world.engine.metrics;
    second.writeUIntBE(2 ** 48 - 1 - 2 ** 20, 5, 6);
    world.engine.receive(address, second);
    expect(world.engine.metrics.cookiesAccepted).toBe(cookiesAccepted + 1);
  });
});

describe('a cookie', () => {
  it('is refused from another address and in another ClientHello', async () => {
    const world = new World();
    const [, second] = await hellos(world);
    const accepted = world.engine.metrics.cookiesAccepted;
    answersTo(world, second);
    const other = Buffer.from(second);
    other.writeUInt8(other.readUInt8(13 + 12 + 5) ^ 1, 13 + 12 + 5);
    world.engine.receive(world.address(), other);
    expect(world.engine.metrics).toMatchObject({ cookiesAccepted: accepted, cookiesRefused: 2, halfOpen: 0 });
  });

  it('is valid for at least one minute and at most two', async () => {
    const world = new World();
    const address = world.address();
    const [, second] = await hellos(world, address);
    const tries: boolean[] = [];
    for (const ms of [59_000, 58_000, 5_000]) {
      await world.clock.advance(ms);
      const { cookiesAccepted } = world.engine.metrics;
      world.engine.receive(address, second);
      tries.push(world.engine.metrics.cookiesAccepted > cookiesAccepted);
    }
    expect(tries).toEqual([true, true, false]);
  });
});

describe('an unverified address', () => {
  it('never gets more than three times the bytes that came from it, for any datagrams', async () => {
    const [first, second] = await hellos(new World());
    const genuine = fc.constantFrom(first, second);
    const mutated = fc.tuple(genuine, fc.nat(), fc.nat(255)).map(([bytes, at, value]) => {
      const copy = Buffer.from(bytes);
      copy[at % copy.length] = value;
      return copy;
    });
    const random = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
    const stray = fc
      .tuple(fc.constantFrom(20, 21, 22, 23, 25), fc.nat(2), fc.uint8Array({ maxLength: 60 }))
      .map(([type, epoch, body]) => encodeRecord({ type, epoch, sequence: 1, cid: null }, Buffer.from(body)));
    fc.assert(
      fc.property(fc.array(fc.oneof(genuine, mutated, random, stray), { maxLength: 20 }), (datagrams) => {
        const world = new World();
        world.weather = () => [];
        const sent = answersTo(world, ...datagrams).reduce((sum, { length }) => sum + length, 0);
        const received = datagrams.reduce((sum, { length }) => sum + length, 0);
        expect(sent).toBeLessThanOrEqual(3 * received);
        expect(world.engine.metrics).toMatchObject({ halfOpen: 0, sessions: 0 });
        expect(world.clock.pendingCount).toBe(0);
      }),
    );
  });
});

describe('half-open handshakes', () => {
  it('are limited for each address and in total', async () => {
    const world = new World({ limits: { handshakes: 10, handshakesPerAddress: 4 } });
    world.weather = ({ toServer, datagram }) => (toServer || datagram[13] === HANDSHAKE.helloVerifyRequest ? [0] : []);
    for (let n = 0; n < 6; n++) (await world.connected({}, world.address('192.0.2.1'))).stop();
    expect(world.engine.metrics).toMatchObject({ halfOpen: 4, dropped: { handshakes_full: 2 } });
    for (let n = 0; n < 10; n++) (await world.connected({}, world.address(`192.0.2.${n + 2}`))).stop();
    expect(world.engine.metrics).toMatchObject({ halfOpen: 10, dropped: { handshakes_full: 6 } });
    await world.clock.advance(70_000);
    expect(world.engine.metrics.halfOpen).toBe(0);
  });

  it('are limited for each IPv6 /64', async () => {
    const world = new World({ limits: { handshakesPerAddress: 4 } });
    world.weather = ({ toServer, datagram }) => (toServer || datagram[13] === HANDSHAKE.helloVerifyRequest ? [0] : []);
    for (let n = 0; n < 6; n++) (await world.connected({}, world.address(`2001:db8::${n}`))).stop();
    for (let n = 0; n < 6; n++) (await world.connected({}, world.address(`2001:db8:0:${n + 1}::1`))).stop();
    expect(world.engine.metrics).toMatchObject({ halfOpen: 10, dropped: { handshakes_full: 2 } });
    await world.clock.advance(70_000);
    expect(world.engine.metrics.halfOpen).toBe(0);
  });
});

describe('a flood of half-open handshakes', () => {
  it('from many addresses does not keep a new device out', async () => {
    const world = new World({ limits: { handshakes: 40, handshakesPerAddress: 8 } });
    world.weather = ({ toServer, datagram }) => (toServer || datagram[13] === HANDSHAKE.helloVerifyRequest ? [0] : []);
    for (let n = 0; n < 60; n++) (await world.connected({}, world.address(`192.0.2.${n % 5}`))).stop();
    expect(world.engine.metrics.halfOpen).toBe(40);
    world.weather = () => [0];
    expect((await world.connected({}, world.address('198.51.100.1'))).state).toBe('open');
  });

  it('drops the oldest handshake of the address with the most', async () => {
    const world = new World({ limits: { handshakes: 5 } });
    world.weather = ({ toServer, datagram }) => (toServer || datagram[13] === HANDSHAKE.helloVerifyRequest ? [0] : []);
    for (const host of ['198.51.100.1', '192.0.2.1', '192.0.2.1', '192.0.2.1', '198.51.100.2', '198.51.100.3']) {
      (await world.connected({}, world.address(host))).stop();
    }
    expect(world.reports.map(({ from }) => from.address)).toEqual(['192.0.2.1']);
  });
});

describe('open sessions', () => {
  it('are limited: an idle one is evicted for a new one, an active one never', async () => {
    const world = new World({ limits: { sessions: 2, evictAfterIdleMs: 60_000 } });
    const first = await world.connected();
    const second = await world.connected();
    expect((await world.connected()).state).toBe('shaking hands');
    expect(world.engine.metrics).toMatchObject({ sessions: 2, dropped: { sessions_full: 1 } });
    await world.clock.advance(59_000);
    first.send(Buffer.from('awake'));
    await world.clock.advance(2_000);
    expect((await world.connected()).state).toBe('open');
    expect([first.alerts, second.alerts]).toEqual([[], ['close_notify']]);
    expect(world.ended).toMatchObject([{ reason: 'evicted' }]);
  });

  it('are limited for each credential: its new session evicts its least recently active one', async () => {
    const credentials = {
      psk: async (name: Uint8Array) => ({ key: PSK.key, credential: Buffer.from(name).toString() }),
    };
    const world = new World({ limits: { sessionsPerCredential: 2 }, credentials });
    const other = await world.connected({ psk: { ...PSK, identity: 'other' } });
    const clients = [await world.connected(), await world.connected()];
    await world.clock.advance(2_000);
    clients[0]?.send(Buffer.from('awake'));
    await world.clock.advance(1);
    for (let n = 0; n < 2; n++) clients.push(await world.connected());
    expect(clients.map(({ alerts }) => alerts)).toEqual([['close_notify'], ['close_notify'], [], []]);
    expect(world.ended.map(({ reason }) => reason)).toEqual(['evicted', 'evicted']);
    expect([other.alerts, world.engine.metrics.sessions]).toEqual([[], 3]);
    world.engine.endSessions(PSK.identity);
    expect(world.engine.metrics.sessions).toBe(1);
    expect((await world.connected()).state).toBe('open');
  });

  it('are limited for concurrent handshakes too: those that finish too late fail, and no session is evicted', async () => {
    const world = new World({ limits: { sessions: 2 } });
    const clients = [await world.connected(), world.client(), world.client(), world.client()];
    for (const client of clients.slice(1)) client.start();
    await world.clock.advance(10);
    expect(clients.map(({ state }) => state)).toEqual(['open', 'open', 'ended', 'ended']);
    expect(clients.map(({ alerts }) => alerts)).toEqual([[], [], ['internal_error'], ['internal_error']]);
    expect(world.ended).toEqual([]);
    expect(world.engine.metrics).toMatchObject({ sessions: 2, halfOpen: 0, dropped: { sessions_full: 2 } });
    expect(world.reports.at(-1)?.outcome).toMatchObject({ reason: 'the maximum number of sessions is reached' });
  });
});

/** The datagrams that carry the message of a datagram with one whole message, in pieces of at most `size` bytes. */
function fragmented(datagram: Buffer, size: number): Buffer[] {
  const [record] = parseRecords(datagram);
  if (!record) throw new Error('no record');
  const body = messageBody(record.fragment);
  const sequence = record.fragment.readUInt16BE(4);
  const pieces: Buffer[] = [];
  for (let offset = 0; offset < body.length; offset += size) {
    const piece = body.subarray(offset, offset + size);
    const type = HANDSHAKE.clientHello;
    const fragment = encodeFragment({ type, length: body.length, sequence, offset, body: piece });
    const header = { type: CONTENT.handshake, epoch: 0, sequence: record.sequence + pieces.length, cid: null };
    pieces.push(encodeRecord(header, fragment));
  }
  return pieces;
}

function never(): never {
  throw new Error('there is none');
}

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  collect();
  return process.memoryUsage().heapUsed;
}
