import { beforeEach, describe, expect, it } from 'vitest';

import { encodeAlert } from '../../src/dtls/alert.ts';
import { CONTENT, encodeRecord } from '../../src/dtls/record.ts';
import { restoreSessions, saveSessions } from '../../src/dtls/saved-sessions.ts';
import type { Client } from './client.ts';
import { World } from './network.ts';

const CID = Buffer.from('c0c1c2c3c4c5c6c7', 'hex');

let world: World;

beforeEach(() => {
  world = new World();
});

/** Returns the datagrams that the server sent to the client's address. */
function sentTo(client: Client): Buffer[] {
  const address = world.addressOf(client);
  return world.sent
    .filter((delivery) => !delivery.toServer && delivery.address.port === address.port)
    .map(({ datagram }) => datagram);
}

describe('a session with a Connection ID', () => {
  it('follows the device to a new address under the same key', async () => {
    world.echo = true;
    const client = await world.connected({ cid: CID });
    expect(client.serverCid).toHaveLength(8);
    await world.say(client, 'here');
    world.place(client, world.address('198.51.100.7'));
    await world.say(client, 'there');
    expect(world.heard()).toEqual(['here', 'there']);
    expect(client.received.map(String)).toEqual(['here', 'there']);
    const [before, after] = world.received.map(({ peer }) => peer);
    expect(after?.key).toBe(before?.key);
    expect(after?.address).toBe('198.51.100.7');
    expect(world.engine.metrics).toMatchObject({ addressChanges: 1, sessions: 1 });
    expect(world.engine.metrics.handshakes).toHaveLength(1);
  });

  it('accepts a zero-length Connection ID of the device', async () => {
    world.echo = true;
    const client = await world.connected({ cid: Buffer.alloc(0) });
    await world.say(client, 'reading');
    expect(client.received.map(String)).toEqual(['reading']);
    expect(sentTo(client).at(-1)?.[0]).toBe(CONTENT.applicationData);
  });

  it('keeps its address after a replayed, forged or older record', async () => {
    const client = await world.connected({ cid: CID });
    const old = client.seal(Buffer.from('old'));
    const record = client.seal(Buffer.from('new'));
    world.carry(world.addressOf(client), record);
    await world.clock.advance(1);
    const thief = world.address('203.0.113.66');
    const forged = Buffer.from(record);
    forged.writeUIntBE(99, 5, 6);
    for (const stolen of [record, forged, old]) world.carry(thief, stolen);
    await world.clock.advance(1);
    // The old record is authentic, so it is received. RFC 9146 §6: only a newer one changes the address.
    expect(world.heard()).toEqual(['new', 'old']);
    expect(world.engine.metrics).toMatchObject({ addressChanges: 0, dropped: { replayed: 1, forged: 1 } });
    const key = world.received[0]?.peer.key ?? '';
    world.engine.send(key, Buffer.from('answer'));
    expect(world.sent.at(-1)?.address).toEqual(world.addressOf(client));
  });

  it('refuses a record without its Connection ID', async () => {
    const client = await world.connected({ cid: CID });
    const plain = encodeRecord({ type: CONTENT.applicationData, epoch: 1, sequence: 7, cid: null }, Buffer.alloc(24));
    world.carry(world.addressOf(client), plain);
    await world.clock.advance(1);
    expect(world.engine.metrics.dropped).toEqual({ without_cid: 1 });
  });

  it('sends a new address at most three times the bytes that came from it, until the device has answered', async () => {
    const client = await world.connected({ cid: CID });
    await world.say(client, 'here');
    const key = world.received[0]?.peer.key ?? '';
    const victim = world.address('203.0.113.9');
    const record = client.seal(Buffer.from('moved'));
    world.carry(victim, record);
    await world.clock.advance(1);
    for (let n = 0; n < 20; n++) world.engine.send(key, Buffer.from('a longer answer'));
    const bytes = world.sent
      .filter(({ toServer, address }) => !toServer && address.port === victim.port)
      .reduce((sum, { datagram }) => sum + datagram.length, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(3 * record.length);
    expect(world.engine.metrics.dropped['unproven_address']).toBeGreaterThan(0);
    world.place(client, victim);
    await world.say(client, 'it is me');
    world.engine.send(key, Buffer.alloc(1_000));
    await world.clock.advance(1);
    expect(client.received.at(-1)).toHaveLength(1_000);
  });

  it('does not take the address of a session without one: not by a spoofed record, a restart or its end', async () => {
    const device = await world.connected();
    const address = world.addressOf(device);
    const other = await world.connected({ cid: CID });
    world.carry(address, other.seal(Buffer.from('spoofed')));
    await world.say(device, 'from the device');
    await world.say(other, 'from the other');
    world.carry(address, other.seal(Buffer.from('spoofed again')));
    await world.clock.advance(1);
    expect(world.heard()).toEqual(['spoofed', 'from the device', 'from the other', 'spoofed again']);
    const key = Buffer.alloc(32);
    const saved = saveSessions(world.engine, key, world.clock.now());
    world = new World();
    await restoreSessions(world.engine, saved, key, world.clock);
    world.carry(address, device.seal(Buffer.from('after the restart')));
    world.carry(address, other.seal(encodeAlert('warning', 'close_notify'), CONTENT.alert));
    world.carry(address, device.seal(Buffer.from('alone')));
    await world.clock.advance(1);
    expect(world.heard()).toEqual(['after the restart', 'alone']);
    expect(world.ended).toMatchObject([{ reason: 'closed' }]);
  });

  it('stays open when another device has its old address', async () => {
    const address = world.address();
    world = new World({
      credentials: { psk: async (name) => ({ key: Buffer.alloc(16, 5), credential: Buffer.from(name).toString() }) },
    });
    const first = await world.connected({ cid: CID, psk: { identity: 'first', key: Buffer.alloc(16, 5) } }, address);
    const second = await world.connected({ cid: CID, psk: { identity: 'second', key: Buffer.alloc(16, 5) } }, address);
    world.place(first, world.address());
    await world.say(first, 'first');
    world.place(second, address);
    await world.say(second, 'second');
    expect(world.received.map(({ peer }) => peer.security.name)).toEqual(['first', 'second']);
  });
});
