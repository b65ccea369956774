import { describe, expect, it } from 'vitest';

import { PSK, World } from './network.ts';

const CID = Buffer.from('c0c1c2c3c4c5c6c7', 'hex');

describe('a resumption', () => {
  it('opens a new session with a new Connection ID in place of the old one', async () => {
    const world = new World();
    world.echo = true;
    const first = await world.connected({ cid: CID });
    const second = await world.connected({ cid: CID, resume: first.session });
    expect([second.state, second.isResumed]).toEqual(['open', true]);
    expect(second.serverCid).not.toEqual(first.serverCid);
    second.send(Buffer.from('reading'));
    await world.clock.advance(1);
    expect(second.received.map(String)).toEqual(['reading']);
    expect(world.ended).toMatchObject([{ reason: 'replaced' }]);
    expect(world.engine.metrics).toMatchObject({ sessions: 1, resumable: 1 });
    expect(world.reports.map(({ resumed }) => resumed)).toEqual([false, true]);
  });

  it('can be repeated until the full handshake is too old', async () => {
    const world = new World({ limits: { resumableMs: 60_000 } });
    let client = await world.connected();
    client = await world.connected({ resume: client.session });
    await world.clock.advance(30_000);
    client = await world.connected({ resume: client.session });
    expect(client.isResumed).toBe(true);
    await world.clock.advance(30_000);
    client = await world.connected({ resume: client.session });
    expect([client.state, client.isResumed]).toEqual(['open', false]);
  });

  it.each([
    ['the key has changed', { key: Buffer.alloc(16, 1), credential: 'psk-1' }],
    ['the identity has another credential', { key: Buffer.alloc(16), credential: 'psk-2' }],
    ['the identity is gone', null],
  ])('becomes a full handshake when %s', async (_what, now) => {
    let found: { key: Buffer; credential: string } | null = { key: Buffer.alloc(16), credential: 'psk-1' };
    const world = new World({ credentials: { psk: async () => found } });
    const psk = { identity: 'device', key: Buffer.alloc(16) };
    const first = await world.connected({ psk });
    found = now;
    const second = await world.connected({ psk: { ...psk, key: now?.key ?? psk.key }, resume: first.session });
    expect([second.state, second.isResumed]).toEqual([now === null ? 'shaking hands' : 'open', false]);
  });

  it.each([
    ['with another suite', {}],
    ['with another suite and without extended master secret', { extendedMasterSecret: false }],
  ])('becomes a full handshake %s', async (_what, options) => {
    const world = new World();
    const first = await world.connected();
    const suites = ['TLS_PSK_WITH_AES_128_GCM_SHA256'] as const;
    const second = await world.connected({ ...options, suites, resume: first.session });
    expect([second.state, second.isResumed]).toEqual(['open', false]);
  });

  it('is aborted without extended master secret', async () => {
    const world = new World();
    const first = await world.connected();
    const second = await world.connected({ extendedMasterSecret: false, resume: first.session });
    expect([second.state, second.alerts]).toEqual(['ended', ['handshake_failure']]);
    expect(world.engine.metrics).toMatchObject({ sessions: 1, resumable: 1 });
    const stranger = await world.connected({
      extendedMasterSecret: false,
      resume: { ...first.session, sessionId: Buffer.alloc(32, 1) },
    });
    expect(stranger.state).toBe('open');
  });

  it('fails for a client that knows the session id but not the master secret', async () => {
    const world = new World();
    const first = await world.connected();
    const thief = await world.connected({ resume: { ...first.session, master: Buffer.alloc(48) } });
    await world.clock.advance(70_000);
    expect(thief.state).not.toBe('open');
    expect(world.ended).toEqual([]);
    expect(world.reports.at(-1)).toMatchObject({ resumed: true, outcome: { established: false } });
  });

  it('is possible for a limited number of sessions; the least recently used is dropped first', async () => {
    const world = new World({ limits: { resumable: 2 } });
    const clients = [await world.connected(), await world.connected(), await world.connected()];
    expect(world.engine.metrics.resumable).toBe(2);
    const again = await world.connected({ resume: clients[0]?.session });
    expect(again.isResumed).toBe(false);
  });

  it('is possible for a limited number of sessions of a credential, which do not displace those of others', async () => {
    const credentials = {
      psk: async (name: Uint8Array) => ({ key: PSK.key, credential: Buffer.from(name).toString() }),
    };
    const world = new World({ limits: { resumable: 10, sessionsPerCredential: 4 }, credentials });
    const other = await world.connected({ psk: { ...PSK, identity: 'other' } });
    const clients = [];
    for (let n = 0; n < 12; n++) clients.push(await world.connected());
    expect(world.engine.metrics.resumable).toBe(5);
    expect((await world.connected({ psk: { ...PSK, identity: 'other' }, resume: other.session })).isResumed).toBe(true);
    expect((await world.connected({ resume: clients[8]?.session })).isResumed).toBe(true);
    expect((await world.connected({ resume: clients[7]?.session })).isResumed).toBe(false);
    world.engine.endSessions('other');
    expect((await world.connected({ psk: { ...PSK, identity: 'other' }, resume: other.session })).isResumed).toBe(
      false,
    );
  });

  it('of the credential with the most sessions is dropped first', async () => {
    const credentials = {
      psk: async (name: Uint8Array) => ({ key: PSK.key, credential: Buffer.from(name).toString() }),
    };
    const world = new World({ limits: { resumable: 4 }, credentials });
    const first = await world.connected({ psk: { ...PSK, identity: 'first' } });
    for (let n = 0; n < 3; n++) await world.connected();
    await world.connected({ psk: { ...PSK, identity: 'second' } });
    expect((await world.connected({ psk: { ...PSK, identity: 'first' }, resume: first.session })).isResumed).toBe(true);
  });

  it("survives the loss of the device's Finished: the server retransmits its flight, and the device answers again", async () => {
    const world = new World();
    const first = await world.connected();
    let lost = 0;
    world.weather = ({ toServer, datagram }) => {
      if (!toServer || datagram[0] !== 20 || lost === 1) return [0];
      lost++;
      return [];
    };
    const second = await world.connected({ resume: first.session });
    expect([second.state, world.engine.metrics.halfOpen]).toEqual(['open', 1]);
    await world.clock.advance(1_000);
    expect(world.engine.metrics).toMatchObject({ halfOpen: 0, sessions: 1 });
    expect(world.reports.at(-1)).toMatchObject({ resumed: true, outcome: { established: true } });
  });
});
