import { X509Certificate } from 'node:crypto';

import { beforeEach, describe, expect, it } from 'vitest';

import type { CertificateVerdict, PskCredential } from '../../src/dtls/credential-source.ts';
import { CONTENT, parseRecords } from '../../src/dtls/record.ts';
import { createServerIdentity, loadServerIdentity } from '../../src/dtls/server-identity.ts';
import { certify, START } from './certificates.ts';
import type { Client } from './client.ts';
import { PSK, World } from './network.ts';

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

describe('an open session', () => {
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
      expect([world.engine.metrics.halfOpen, world.heard()]).toEqual([1, []]);
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
      expect(world.heard()).toEqual(counts ? ['again'] : []);
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
});
