import { X509Certificate } from 'node:crypto';

import { beforeEach, describe, expect, it } from 'vitest';

import { encodeAlert } from '../../src/dtls/alert.ts';
import type { CertificateVerdict, PskCredential } from '../../src/dtls/credential-source.ts';
import { encodeMessage, HANDSHAKE } from '../../src/dtls/messages.ts';
import { CONTENT, encodeRecord, parseRecords } from '../../src/dtls/record.ts';
import { restoreSessions, saveSessions } from '../../src/dtls/saved-sessions.ts';
import { createServerIdentity, loadServerIdentity } from '../../src/dtls/server-identity.ts';
import { certify, START } from './certificates.ts';
import type { Client } from './client.ts';
import { PSK, World } from './network.ts';

const CID = Buffer.from('c0c1c2c3c4c5c6c7', 'hex');

const identity = loadServerIdentity(createServerIdentity({ commonName: 'server', names: [], now: START, days: 30 }));

let world: World;

beforeEach(() => {
  world = new World();
});

function withCertificate(name: string): Promise<Client> {
  const { certificate, privateKey } = certify(name, null);
  const suites = ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8'] as const;
  return world.connected({ suites, certificate: { privateKey, chain: [certificate] } });
}

async function say(client: Client, text: string): Promise<void> {
  client.send(Buffer.from(text));
  await world.clock.advance(1);
}

function heard(): string[] {
  return world.received.map(({ data }) => data.toString());
}

/** Returns the datagrams that the server sent to the client's address. */
function sentTo(client: Client): Buffer[] {
  const address = world.addressOf(client);
  return world.sent
    .filter((delivery) => !delivery.toServer && delivery.address.port === address.port)
    .map(({ datagram }) => datagram);
}

describe('an open session', () => {
  it('refuses a replayed record', async () => {
    const client = await world.connected();
    const record = client.seal(Buffer.from('once'));
    world.carry(world.addressOf(client), record);
    world.carry(world.addressOf(client), record);
    await world.clock.advance(1);
    expect(heard()).toEqual(['once']);
    expect(world.engine.metrics.dropped).toEqual({ replayed: 1 });
  });

  it('accepts records out of order', async () => {
    const client = await world.connected();
    const records = ['a', 'b', 'c'].map((text) => client.seal(Buffer.from(text)));
    for (const record of records.reverse()) world.carry(world.addressOf(client), record);
    await world.clock.advance(1);
    expect(heard()).toEqual(['c', 'b', 'a']);
  });

  it('accepts several records in one datagram', async () => {
    const client = await world.connected();
    const records = ['a', 'b'].map((text) => client.seal(Buffer.from(text)));
    world.carry(world.addressOf(client), Buffer.concat(records));
    await world.clock.advance(1);
    expect(heard()).toEqual(['a', 'b']);
  });

  it('refuses forged and truncated records, stays open, and raises an alarm at many', async () => {
    const client = await world.connected();
    const address = world.addressOf(client);
    const record = client.seal(Buffer.from('genuine'));
    world.carry(address, record.subarray(0, -1));
    for (let n = 0; n < 200; n++) {
      const forged = Buffer.from(record);
      forged.writeUInt8(n, 12 + 8);
      world.carry(address, Buffer.concat([forged.subarray(0, -1), Buffer.from([(record.at(-1) ?? 0) ^ 1])]));
    }
    await world.clock.advance(1);
    expect(world.engine.metrics.dropped).toEqual({ malformed: 1, forged: 200 });
    expect(world.alarms).toEqual([128]);
    world.carry(address, record);
    await world.clock.advance(1);
    expect(heard()).toEqual(['genuine']);
  });

  it('refuses records of epoch 0: data, alerts and handshake messages', async () => {
    const client = await world.connected();
    for (const [type, body] of [
      [CONTENT.applicationData, Buffer.from('plain')],
      [CONTENT.alert, encodeAlert('fatal', 'internal_error')],
      [CONTENT.alert, encodeAlert('warning', 'close_notify')],
      [CONTENT.handshake, encodeMessage(HANDSHAKE.finished, 3, Buffer.alloc(12))],
    ] as const) {
      world.carry(world.addressOf(client), encodeRecord({ type, epoch: 0, sequence: 90, cid: null }, body));
    }
    await say(client, 'still here');
    expect(heard()).toEqual(['still here']);
    expect(world.engine.metrics.dropped).toEqual({ out_of_place: 4 });
  });

  it('refuses oversized records: a plaintext above 2^14 bytes, and a fragment above the longest ciphertext', async () => {
    const client = await world.connected();
    client.send(Buffer.alloc(2 ** 14 + 1));
    const header = { type: CONTENT.applicationData, epoch: 1, sequence: 90, cid: null };
    world.carry(world.addressOf(client), encodeRecord(header, Buffer.alloc(2 ** 14 + 2_049)));
    client.send(Buffer.alloc(2 ** 14));
    await world.clock.advance(1);
    expect(heard()).toEqual(['\0'.repeat(2 ** 14)]);
    expect(world.engine.metrics.dropped).toEqual({ malformed: 2 });
  });

  it('drops records of other epochs', async () => {
    const client = await world.connected();
    const record = client.seal(Buffer.from('x'));
    record.writeUInt16BE(2, 3);
    world.carry(world.addressOf(client), record);
    await world.clock.advance(1);
    expect(world.engine.metrics.dropped).toEqual({ wrong_epoch: 1 });
  });

  it('refuses renegotiation with a warning and stays open', async () => {
    const client = await world.connected();
    const hello = encodeMessage(HANDSHAKE.clientHello, 4, Buffer.alloc(40));
    client.send(hello, CONTENT.handshake);
    await say(client, 'still here');
    expect(client.alerts).toEqual(['no_renegotiation']);
    expect(heard()).toEqual(['still here']);
  });

  it('ends with a close_notify of the device or the server', async () => {
    const client = await world.connected();
    client.close();
    await world.clock.advance(1);
    expect(world.ended).toMatchObject([{ reason: 'closed' }]);
    const other = await world.connected();
    world.engine.shutDown();
    await world.clock.advance(1);
    expect(other.alerts).toEqual(['close_notify']);
    expect(world.engine.metrics.sessions).toBe(0);
  });

  it('ends with a fatal alert and can not be resumed afterwards', async () => {
    const client = await world.connected();
    client.send(encodeAlert('fatal', 'internal_error'), CONTENT.alert);
    await world.clock.advance(1);
    expect(world.ended).toMatchObject([{ reason: 'alert' }]);
    expect(world.engine.metrics).toMatchObject({ resumable: 0, alertsReceived: { internal_error: 1 } });
  });

  it('ends when its credential is revoked, and can not be resumed', async () => {
    const client = await world.connected();
    world.engine.endSessions('another');
    expect(world.engine.metrics.sessions).toBe(1);
    world.engine.endSessions('psk-1');
    await world.clock.advance(1);
    expect(client.alerts).toEqual(['access_denied']);
    expect(world.ended).toMatchObject([{ reason: 'revoked' }]);
    expect(world.engine.metrics).toMatchObject({ sessions: 0, resumable: 0 });
  });

  it('does not open when its credential is revoked during the look-up', async () => {
    const onFile = [{ key: PSK.key, credential: 'psk-1' }];
    const psk = async (): Promise<PskCredential | null> => {
      const found = onFile.pop() ?? null;
      return new Promise((resolve) => world.clock.after(100, () => resolve(found)));
    };
    world = new World({ credentials: { psk } });
    const client = await world.connected();
    world.engine.endSessions('psk-1');
    await world.clock.advance(300);
    expect([client.state, client.alerts]).toEqual(['ended', ['access_denied']]);
    expect(world.engine.metrics).toMatchObject({ sessions: 0, resumable: 0, handshakes: [{ result: 'failed' }] });
    expect(world.reports.at(-1)?.outcome).toMatchObject({ reason: 'the credential was revoked during the handshake' });
  });

  it.each([
    ['is still valid', true],
    ['was revoked', false],
  ])(
    'waits for a new look-up when there was a revocation during its handshake: its certificate %s',
    async (_what, counts) => {
      const answers: (() => void)[] = [];
      let valid = true;
      let isSlow = false;
      const certificate = async (): Promise<CertificateVerdict> => {
        const verdict: CertificateVerdict = valid
          ? { credential: 'x509' }
          : { refused: 'certificate_revoked', reason: 'stolen' };
        if (isSlow) await new Promise<void>((resolve) => answers.push(resolve));
        return verdict;
      };
      world = new World({ settings: { identity }, credentials: { certificate } });
      const { certificate: own, privateKey } = certify('device', null);
      const suites = ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8'] as const;
      const options = { suites, certificate: { privateKey, chain: [own] } };
      const { session } = await world.connected(options);
      isSlow = true;
      const client = world.client({ ...options, resume: session });
      client.start();
      await world.clock.advance(10);
      valid = counts;
      isSlow = false;
      await world.engine.recheckCertificates();
      isSlow = true;
      answers.pop()?.();
      await world.clock.advance(10);
      client.send(Buffer.from('reading'));
      await world.clock.advance(10);
      expect([world.engine.metrics.halfOpen, heard()]).toEqual([1, []]);
      // Another revocation during the look-up makes its answer outdated too.
      world.engine.endSessions('another');
      answers.pop()?.();
      await world.clock.advance(10);
      expect(world.engine.metrics.halfOpen).toBe(counts ? 1 : 0);
      answers.pop()?.();
      await world.clock.advance(10);
      client.send(Buffer.from('again'));
      await world.clock.advance(10);
      expect(client.alerts).toEqual(counts ? [] : ['access_denied']);
      expect(heard()).toEqual(counts ? ['again'] : []);
      expect(world.engine.metrics.sessions).toBe(counts ? 1 : 0);
    },
  );

  it('ends when its certificate is no longer valid or can not be looked up; other sessions stay open', async () => {
    const answers = new Map<string, () => CertificateVerdict>();
    world = new World({
      settings: { identity },
      credentials: {
        certificate: async ([own]) => answers.get(new X509Certificate(own ?? '').subject)?.() ?? { credential: 'x509' },
      },
    });
    await world.connected();
    const [kept, revoked, unknown] = await Promise.all(['kept', 'revoked', 'unknown'].map(withCertificate));
    answers.set('CN=revoked', () => ({ refused: 'certificate_revoked', reason: 'it was stolen' }));
    answers.set('CN=unknown', () => {
      throw new Error('the database is gone');
    });
    const rechecked = world.engine.recheckCertificates();
    await world.clock.advance(1_999);
    expect(unknown?.alerts).toEqual([]);
    await world.clock.advance(1);
    await rechecked;
    await world.clock.advance(1);
    expect([kept, revoked, unknown].map((client) => client?.alerts)).toEqual([
      [],
      ['access_denied'],
      ['access_denied'],
    ]);
    expect(world.engine.metrics).toMatchObject({ sessions: 2 });
  });

  it('stays open when the third look-up of its certificate succeeds, even when look-ups for devices are at their limit', async () => {
    let failures = 0;
    world = new World({
      settings: { identity },
      limits: { lookUps: 1 },
      credentials: {
        certificate: async () => (failures-- > 0 ? Promise.reject(new Error('busy')) : { credential: 'x509' }),
        psk: () => new Promise(() => {}),
      },
    });
    const client = await withCertificate('device');
    await world.connected({ psk: { identity: 'stranger', key: PSK.key } });
    expect(world.engine.metrics.lookUps).toBe(1);
    failures = 2;
    const rechecked = world.engine.recheckCertificates();
    await world.clock.advance(3_000);
    await rechecked;
    expect(failures).toBe(-1);
    expect([client.alerts, world.engine.metrics.sessions]).toEqual([[], 1]);
  });

  it('does not open when its credential is revoked during the handshake', async () => {
    const client = world.client();
    world.weather = ({ toServer, datagram }) => {
      const [keyExchange, changeCipherSpec] = parseRecords(datagram);
      if (!toServer || changeCipherSpec?.type !== CONTENT.changeCipherSpec || !keyExchange) return [0];
      // The first time, the server receives only the key exchange.
      world.weather = () => [0];
      world.engine.receive(world.addressOf(client), datagram.subarray(0, 13 + keyExchange.fragment.length));
      return [];
    };
    client.start();
    await world.clock.advance(10);
    expect(world.engine.metrics).toMatchObject({ halfOpen: 1, sessions: 0 });
    world.engine.endSessions('psk-1');
    await world.clock.advance(1_500);
    expect(client.alerts).toEqual(['bad_record_mac']);
    expect(world.reports).toMatchObject([
      { credential: 'psk-1', outcome: { established: false, reason: 'the credential was revoked' } },
    ]);
    expect(world.engine.metrics).toMatchObject({ halfOpen: 0, sessions: 0 });
  });

  it('stays open during another handshake from its address, and is replaced only when that handshake succeeds', async () => {
    const address = world.address();
    const device = await world.connected({}, address);
    const stranger = await world.connected({ psk: { identity: 'nobody', key: Buffer.alloc(16) } }, address);
    expect(stranger.state).toBe('shaking hands');
    world.carry(address, device.seal(Buffer.from('still here')));
    await world.clock.advance(1);
    expect(heard()).toEqual(['still here']);
    const again = await world.connected({}, address);
    expect(again.state).toBe('open');
    expect(world.ended).toMatchObject([{ reason: 'replaced' }]);
    expect(world.engine.metrics.sessions).toBe(1);
  });

  it('is not restarted by a late copy of its ClientHello', async () => {
    const client = await world.connected();
    const hellos = world.sent.filter(({ toServer, datagram }) => toServer && datagram[13] === HANDSHAKE.clientHello);
    world.carry(world.addressOf(client), hellos.at(-1)?.datagram ?? Buffer.alloc(0));
    await world.clock.advance(1);
    expect(world.engine.metrics).toMatchObject({ halfOpen: 0, dropped: { replayed: 1 } });
  });
});

describe('a session with a Connection ID', () => {
  it('follows the device to a new address under the same key', async () => {
    world.echo = true;
    const client = await world.connected({ cid: CID });
    expect(client.serverCid).toHaveLength(8);
    await say(client, 'here');
    world.place(client, world.address('198.51.100.7'));
    await say(client, 'there');
    expect(heard()).toEqual(['here', 'there']);
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
    await say(client, 'reading');
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
    expect(heard()).toEqual(['new', 'old']);
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
    await say(client, 'here');
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
    await say(client, 'it is me');
    world.engine.send(key, Buffer.alloc(1_000));
    await world.clock.advance(1);
    expect(client.received.at(-1)).toHaveLength(1_000);
  });

  it('does not take the address of a session without one: not by a spoofed record, a restart or its end', async () => {
    const device = await world.connected();
    const address = world.addressOf(device);
    const other = await world.connected({ cid: CID });
    world.carry(address, other.seal(Buffer.from('spoofed')));
    await say(device, 'from the device');
    await say(other, 'from the other');
    world.carry(address, other.seal(Buffer.from('spoofed again')));
    await world.clock.advance(1);
    expect(heard()).toEqual(['spoofed', 'from the device', 'from the other', 'spoofed again']);
    const key = Buffer.alloc(32);
    const saved = saveSessions(world.engine, key, world.clock.now());
    world = new World();
    await restoreSessions(world.engine, saved, key, world.clock);
    world.carry(address, device.seal(Buffer.from('after the restart')));
    world.carry(address, other.seal(encodeAlert('warning', 'close_notify'), CONTENT.alert));
    world.carry(address, device.seal(Buffer.from('alone')));
    await world.clock.advance(1);
    expect(heard()).toEqual(['after the restart', 'alone']);
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
    await say(first, 'first');
    world.place(second, address);
    await say(second, 'second');
    expect(world.received.map(({ peer }) => peer.security.name)).toEqual(['first', 'second']);
  });
});

describe('a record of an unknown session', () => {
  it('gets a fatal alert, at a limited rate and never longer than the record', async () => {
    const client = await world.connected();
    const gone = Array.from({ length: 200 }, () => client.seal(Buffer.from('anyone there?')));
    world = new World();
    const address = world.address();
    for (const record of gone) world.carry(address, record);
    await world.clock.advance(1);
    const answers = world.sent.filter(({ toServer }) => !toServer);
    expect(answers).toHaveLength(50);
    expect(answers[0]?.datagram.subarray(13)).toEqual(encodeAlert('fatal', 'bad_record_mac'));
    expect(answers[0]?.datagram.length).toBeLessThan(gone[0]?.length ?? 0);
    await world.clock.advance(1_000);
    world.carry(address, gone[0] ?? Buffer.alloc(0));
    await world.clock.advance(1);
    expect(world.sent.filter(({ toServer }) => !toServer)).toHaveLength(51);
  });
});
