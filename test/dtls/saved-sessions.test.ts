import { createCipheriv, createDecipheriv } from 'node:crypto';
import { deserialize, serialize } from 'node:v8';

import { describe, expect, it } from 'vitest';

import { restoreSessions, saveSessions } from '../../src/dtls/saved-sessions.ts';
import { PSK, World } from './network.ts';

const KEY = Buffer.alloc(32, 3);
const CID = Buffer.from('c0c1c2c3c4c5c6c7', 'hex');

/** Makes a second server that restores the sessions of the first one at the same time. */
async function restarted(world: World, options: ConstructorParameters<typeof World>[0] = {}): Promise<World> {
  const saved = saveSessions(world.engine, KEY, world.clock.now());
  world.engine.suspend();
  const next = new World(options);
  await next.clock.advance(world.clock.now() - next.clock.now());
  await restoreSessions(next.engine, saved, KEY, next.clock);
  return next;
}

describe('saved sessions', () => {
  it('continue in the next server with the same sequence numbers', async () => {
    const world = new World();
    const clients = [await world.connected(), await world.connected({ cid: CID })];
    const records = clients.map((client) => client.seal(Buffer.from('before')));
    clients.forEach((client, i) => world.carry(world.addressOf(client), records[i] ?? Buffer.alloc(0)));
    await world.clock.advance(1);
    const keys = world.received.map(({ peer }) => peer.key);
    const next = await restarted(world);
    expect(clients.flatMap(({ alerts }) => alerts)).toEqual([]);
    next.echo = true;
    for (const [i, client] of clients.entries()) {
      const address = world.addressOf(client);
      next.place(client, address);
      next.carry(address, records[i] ?? Buffer.alloc(0));
      next.carry(address, client.seal(Buffer.from('after')));
    }
    await next.clock.advance(1);
    expect(next.received.map(({ peer, data }) => [peer.key, data.toString()])).toEqual([
      [keys[0], 'after'],
      [keys[1], 'after'],
    ]);
    expect(clients.map(({ received }) => received.map(String))).toEqual([['after'], ['after']]);
    expect(next.engine.metrics.dropped).toEqual({ replayed: 2 });
  });

  it('can still be resumed', async () => {
    const world = new World();
    const first = await world.connected();
    const next = await restarted(world);
    const second = await next.connected({ resume: first.session });
    expect([second.state, second.isResumed]).toEqual(['open', true]);
    expect(next.ended).toMatchObject([{ reason: 'replaced' }]);
  });

  it('share no memory with each other', async () => {
    const world = new World();
    for (let n = 0; n < 3; n++) await world.connected({ cid: CID });
    const { sessions, resumables } = (await restarted(world)).engine;
    const buffers = [...sessions.all()].flatMap(({ parts }) => {
      const { readKeys, writeKeys, readCid, writeCid } = parts.channel.state;
      const keys = [readKeys, writeKeys].flatMap((direction) => Object.values(direction));
      return [parts.clientRandom, parts.sessionId, ...Object.values(parts.proof), ...keys, readCid, writeCid];
    });
    buffers.push(...[...resumables.all()].flatMap((resumable) => [resumable.master, resumable.sessionId]));
    const shared = buffers.filter((bytes) => Buffer.isBuffer(bytes) && bytes.buffer.byteLength > bytes.length);
    expect(shared).toEqual([]);
  });

  it('send as much as there is to an address that had proved itself', async () => {
    const world = new World();
    const client = await world.connected({ cid: CID });
    client.send(Buffer.from('hello'));
    await world.clock.advance(1);
    const next = await restarted(world);
    next.engine.send(world.received[0]?.peer.key ?? '', Buffer.alloc(1_000));
    expect(next.sent).toMatchObject([{ toServer: false, address: world.addressOf(client) }]);
    expect(next.engine.metrics.dropped).toEqual({});
  });

  it('keep the limit for an unverified address', async () => {
    const world = new World();
    const client = await world.connected({ cid: CID });
    const [victim, home] = [world.address('203.0.113.9'), world.addressOf(client)];
    world.carry(victim, client.seal(Buffer.from('moved')));
    await world.clock.advance(1);
    const key = world.received[0]?.peer.key ?? '';
    const next = await restarted(world);
    next.engine.send(key, Buffer.alloc(1_000));
    expect(next.sent).toEqual([]);
    expect(next.engine.metrics.dropped).toEqual({ unproven_address: 1 });
    next.carry(home, client.seal(Buffer.from('back')));
    await next.clock.advance(1);
    next.engine.send(key, Buffer.alloc(8));
    next.carry(home, client.seal(Buffer.from('again')));
    await next.clock.advance(1);
    next.engine.send(key, Buffer.alloc(1_000));
    expect(next.sent.filter(({ toServer }) => !toServer)).toHaveLength(2);
  });

  it.each([
    ['is gone', async () => null],
    ['has another key', async () => ({ key: Buffer.alloc(16), credential: 'psk-1' })],
    ['belongs to another device', async () => ({ key: PSK.key, credential: 'psk-2' })],
    ["can't be looked up", async () => Promise.reject(new Error('no database'))],
  ])(
    'are not restored when their credential %s, and the next record of the device gets an alert',
    async (_what, psk) => {
      const world = new World();
      const client = await world.connected();
      const next = await restarted(world, { credentials: { psk } });
      expect(next.engine.metrics.sessions).toBe(0);
      next.carry(world.addressOf(client), client.seal(Buffer.from('still here?')));
      await next.clock.advance(1);
      expect(next.engine.metrics).toMatchObject({ alertsSent: { bad_record_mac: 1 }, dropped: { unknown_session: 1 } });
    },
  );

  it('contain no readable secret and are refused after any change', async () => {
    const world = new World();
    const client = await world.connected();
    const saved = saveSessions(world.engine, KEY, world.clock.now());
    expect(saved.includes(client.session.master)).toBe(false);
    const restore = (bytes: Buffer, key = KEY) => restoreSessions(new World().engine, bytes, key, world.clock);
    const refusal = expect.objectContaining({ code: 'saved_sessions' });
    for (const at of [0, 7, 10, 200, saved.length - 1]) {
      const changed = Buffer.from(saved);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      await expect(restore(changed)).rejects.toEqual(refusal);
    }
    await expect(restore(saved.subarray(0, 20))).rejects.toEqual(refusal);
    await expect(restore(saved, Buffer.alloc(32, 4))).rejects.toEqual(refusal);
    await expect(restore(saved, Buffer.alloc(16, 4))).rejects.toEqual(refusal);
    expect(await restore(saved)).toEqual({ restored: 1, refused: 0 });
    await world.clock.advance(16 * 60_000);
    await expect(restore(saved)).rejects.toEqual(refusal);
  });

  it('of another format are refused', async () => {
    const world = new World();
    await world.connected();
    const saved = saveSessions(world.engine, KEY, world.clock.now());
    const restore = (bytes: Buffer) => restoreSessions(new World().engine, bytes, KEY, world.clock);
    expect(await restore(changed(saved, (content) => content))).toEqual({ restored: 1, refused: 0 });
    for (const format of [undefined, 1, 3]) {
      const other = changed(saved, (content) => ({ ...content, format }));
      await expect(restore(other)).rejects.toMatchObject({ code: 'saved_sessions' });
    }
  });

  it('are restored up to 15 minutes later, and not after that', async () => {
    const world = new World();
    await world.connected();
    const saved = saveSessions(world.engine, KEY, world.clock.now());
    const restore = () => restoreSessions(new World().engine, saved, KEY, world.clock);
    await world.clock.advance(15 * 60_000);
    expect(await restore()).toEqual({ restored: 1, refused: 0 });
    await world.clock.advance(1);
    await expect(restore()).rejects.toMatchObject({ code: 'saved_sessions' });
  });

  it.each([0, 16, 31, 33])('are not sealed with a key of %i bytes', (length) => {
    expect(() => saveSessions(new World().engine, Buffer.alloc(length), 0)).toThrow(
      expect.objectContaining({ code: 'saved_sessions' }),
    );
  });

  it('keep their order and are looked up 32 at a time', async () => {
    const world = new World({ limits: { sessionsPerCredential: 100 } });
    for (let n = 0; n < 70; n++) await world.connected();
    const keys = [...world.engine.sessions.all()].map(({ peer }) => peer.key);
    let [underWay, most, asked] = [0, 0, 0];
    const psk = async () => {
      const turn = asked++;
      most = Math.max(most, ++underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay--;
      return turn % 10 === 3 ? null : { key: PSK.key, credential: 'psk-1' };
    };
    const saved = saveSessions(world.engine, KEY, world.clock.now());
    const next = new World({ credentials: { psk }, limits: { sessionsPerCredential: 100 } });
    expect(await restoreSessions(next.engine, saved, KEY, next.clock)).toEqual({ restored: 63, refused: 7 });
    expect([...next.engine.sessions.all()].map(({ peer }) => peer.key)).toEqual(keys.filter((_, n) => n % 10 !== 3));
    expect([asked, most]).toEqual([70, 32]);
  });
});

interface Content {
  readonly format: unknown;
}

/** The same file with other contents, sealed again: 8 bytes of time, a nonce of 12, AES-256-GCM, its tag of 16. */
function changed(saved: Buffer, change: (content: Content) => Content): Buffer {
  const [head, nonce, tag] = [saved.subarray(0, 8), saved.subarray(8, 20), saved.subarray(-16)];
  const opened = createDecipheriv('aes-256-gcm', KEY, nonce).setAAD(head).setAuthTag(tag);
  const content: Content = deserialize(Buffer.concat([opened.update(saved.subarray(20, -16)), opened.final()]));
  const sealed = createCipheriv('aes-256-gcm', KEY, nonce).setAAD(head);
  const body = Buffer.concat([sealed.update(serialize(change(content))), sealed.final()]);
  return Buffer.concat([head, nonce, body, sealed.getAuthTag()]);
}
