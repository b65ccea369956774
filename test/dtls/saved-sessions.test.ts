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
});
