import { generateKeyPairSync } from 'node:crypto';

import { beforeEach, describe, expect, it } from 'vitest';

import { basicConstraints, createSpki, extendedKeyUsage, keyUsage } from '../../src/dtls/certificate.ts';
import { trustAnchor } from '../../src/dtls/certificate-path.ts';
import { certificateVerifier } from '../../src/dtls/certificate-trust.ts';
import type { PskCredential } from '../../src/dtls/credential-source.ts';
import { encodeExtension, EXTENSION } from '../../src/dtls/extensions.ts';
import { HANDSHAKE } from '../../src/dtls/messages.ts';
import { CONTENT, encodeRecord, parseRecords } from '../../src/dtls/record.ts';
import { createServerIdentity, loadServerIdentity } from '../../src/dtls/server-identity.ts';
import { SUITES } from '../../src/dtls/suites.ts';
import { vector } from '../../src/dtls/wire.ts';
import { type Authority, CA_EXTENSIONS, certify, START } from './certificates.ts';
import { type ClientOptions, keyName } from './client.ts';
import { PSK, World } from './network.ts';

const identity = loadServerIdentity(
  createServerIdentity({ commonName: 'server', names: ['localhost', '::1'], now: START, days: 30 }),
);
const root = certify('Root', null);
const anchors = [trustAnchor('tenant', root.certificate)];
const device = certify('urn:dev:1', root);
const spki = createSpki(device.privateKey);
const ECDHE = 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8';
const DAY = 86_400_000;

let world: World;

beforeEach(() => {
  world = new World({
    settings: { identity },
    credentials: {
      rawPublicKey: async (key) => (spki.equals(key) ? { credential: 'rpk-1' } : null),
      certificate: async (chain) =>
        certificateVerifier(
          {
            anchors: async () => anchors,
            holder: async ({ commonName }) =>
              commonName === 'urn:dev:1' ? { credential: 'x509-1', revoked: [] } : null,
          },
          world.clock,
        )(chain),
    },
  });
});

function holding(authority: Authority, ...issuers: readonly Authority[]): Partial<ClientOptions> {
  const chain = [authority, ...issuers].map(({ certificate }) => certificate);
  return { suites: [ECDHE], certificate: { privateKey: authority.privateKey, chain } };
}

describe('a device that did not receive the last flight of the server', () => {
  it.each<[string, Partial<ClientOptions>]>([
    ['PSK', {}],
    ['PSK and a Connection ID', { cid: Buffer.from('c0c1c2c3c4c5c6c7', 'hex') }],
    ['a certificate', holding(device)],
  ])('gets it again when it repeats its flight with an old Finished, over %s', async (_what, options) => {
    let lost = 0;
    world.weather = ({ toServer, datagram }) => {
      const [first] = parseRecords(datagram);
      // The server's flight is lost once; then the Finished of the device is an old record, which is not accepted again.
      if (!toServer && first?.type === CONTENT.changeCipherSpec && lost++ === 0) return [];
      if (toServer && lost > 0 && first)
        datagram.writeUInt8(datagram.readUInt8(datagram.length - 1) ^ 1, datagram.length - 1);
      return [0];
    };
    const client = await world.connected(options);
    expect([client.state, world.engine.metrics.sessions]).toEqual(['shaking hands', 1]);
    await world.clock.advance(3_000);
    expect(client.state).toBe('open');
  });
});

describe('a handshake', () => {
  it.each(SUITES.map((suite) => suite.name))(
    'opens a session that carries data in both directions with %s',
    async (name) => {
      world.echo = true;
      const client = await world.connected({ ...holding(device), suites: [name] });
      expect(client.state).toBe('open');
      client.send(Buffer.from('reading'));
      await world.clock.advance(1);
      expect(client.received.map(String)).toEqual(['reading']);
      expect(world.engine.metrics).toMatchObject({ sessions: 1, halfOpen: 0 });
      expect(world.engine.metrics.handshakes).toEqual([{ suite: name, result: 'full', count: 1 }]);
    },
  );

  it('identifies the device by its PSK identity', async () => {
    const client = await world.connected();
    client.send(Buffer.from('hello'));
    await world.clock.advance(1);
    expect(world.received[0]?.peer.security).toEqual({ kind: 'psk', name: 'client1', credential: 'psk-1' });
    expect(world.reports).toMatchObject([
      { claim: { kind: 'psk', name: 'client1' }, credential: 'psk-1', outcome: { established: true } },
    ]);
  });

  it("identifies the device by its raw public key, and sends the server's raw public key", async () => {
    const client = await world.connected({ ...holding(device), certificateType: 'RawPublicKey' });
    expect(client.serverSpki?.equals(identity.spki)).toBe(true);
    client.send(Buffer.from('hello'));
    await world.clock.advance(1);
    expect(world.received[0]?.peer.security).toEqual({ kind: 'rpk', name: keyName(spki), credential: 'rpk-1' });
  });

  it('identifies the device by its certificate', async () => {
    const client = await world.connected(holding(device));
    client.send(Buffer.from('hello'));
    await world.clock.advance(1);
    expect(world.received[0]?.peer.security).toEqual({ kind: 'x509', name: 'CN=urn:dev:1', credential: 'x509-1' });
  });

  it('continues without extended master secret when the device does not offer it', async () => {
    const client = await world.connected({ extendedMasterSecret: false });
    expect(client.state).toBe('open');
    expect(world.engine.metrics.resumable).toBe(0);
  });

  it('chooses the first suite in its own order that the device offers', async () => {
    const gcm = 'TLS_PSK_WITH_AES_128_GCM_SHA256';
    world = new World({ settings: { suites: [gcm, 'TLS_PSK_WITH_AES_128_CCM_8'] } });
    expect((await world.connected({ suites: ['TLS_PSK_WITH_AES_128_CCM_8', gcm] })).suite).toBe(gcm);
  });

  it('keeps records that arrive before the look-up for their keys is finished', async () => {
    const asked: ((found: PskCredential) => void)[] = [];
    world = new World({ credentials: { psk: () => new Promise((answer) => void asked.push(answer)) } });
    const client = await world.connected();
    expect(client.state).toBe('shaking hands');
    expect(world.engine.metrics.lookUps).toBe(1);
    asked[0]?.({ key: PSK.key, credential: 'psk-1' });
    await world.clock.advance(1);
    expect(client.state).toBe('open');
    expect(world.engine.metrics.lookUps).toBe(0);
  });

  it('keeps at most 2 KiB of records that arrive before their keys', async () => {
    const world = new World();
    world.weather = ({ toServer, datagram }) => (toServer || datagram[13] === HANDSHAKE.helloVerifyRequest ? [0] : []);
    const address = world.address();
    (await world.connected({}, address)).stop();
    const before = process.memoryUsage().arrayBuffers;
    const datagram = encodeRecord({ type: 23, epoch: 1, sequence: 0, cid: null }, Buffer.alloc(2 ** 14));
    for (let n = 0; n < 8; n++) world.engine.receive(address, datagram);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 * datagram.length);
    world.engine.shutDown();
  });

  it('retransmits its last flight when the device repeats its Finished', async () => {
    let lost = 0;
    world.weather = ({ toServer, datagram }) => {
      // The server's final flight begins with its ChangeCipherSpec.
      if (toServer || datagram[0] !== 20 || lost === 1) return [0];
      lost++;
      return [];
    };
    const client = await world.connected();
    expect([client.state, world.engine.metrics.sessions]).toEqual(['shaking hands', 1]);
    await world.clock.advance(1_000);
    expect(client.state).toBe('open');
  });

  it('retransmits its flight after 1, 2, 4, 8 and 16 seconds with new sequence numbers, and fails at the deadline', async () => {
    const times: number[] = [];
    const sequences: number[] = [];
    const start = world.clock.now();
    const silent = world.client();
    world.weather = ({ toServer, datagram }) => {
      if (toServer) return [0];
      if (datagram[13] === HANDSHAKE.serverHello) {
        silent.stop();
        times.push(world.clock.now() - start);
        sequences.push(datagram.readUIntBE(5, 6));
        return [];
      }
      return [0];
    };
    silent.start();
    await world.clock.advance(70_000);
    expect(times).toEqual([0, 1_000, 3_000, 7_000, 15_000, 31_000]);
    expect(new Set(sequences).size).toBe(6);
    expect(world.reports).toMatchObject([{ outcome: { alert: null, reason: 'the device stopped responding' } }]);
    expect(world.engine.metrics.halfOpen).toBe(0);
    expect(world.clock.pendingCount).toBe(0);
  });
});

describe('a handshake fails', () => {
  it('for an unknown identity in the same way as for a wrong key', async () => {
    const stranger = await refused({ psk: { identity: 'nobody', key: PSK.key } }, 70);
    expect(stranger.outcome).toMatchObject({ alert: null, reason: "identity 'nobody' is not known" });
    const toStranger = answers();
    world = new World();
    const wrong = await refused({ psk: { identity: 'client1', key: Buffer.alloc(16) } }, 70);
    expect(wrong.outcome).toMatchObject({
      alert: null,
      reason: "the device's key for identity 'client1' does not match the stored key",
    });
    expect(answers()).toEqual(toStranger);
  });

  it('and is reported at once when the device starts a new handshake', async () => {
    const address = world.address();
    await world.connected({ psk: { identity: 'nobody', key: PSK.key } }, address);
    await world.connected({}, address);
    expect(world.reports.map(({ outcome }) => outcome)).toMatchObject([
      { reason: "identity 'nobody' is not known; the device started a new handshake" },
      { established: true },
    ]);
  });

  it('for an identity of more than 128 bytes, without a look-up', async () => {
    const asked: Uint8Array[] = [];
    world = new World({ credentials: { psk: async (name) => (asked.push(name), null) } });
    await refused({ psk: { identity: 'x'.repeat(129), key: PSK.key } }, 70);
    expect(asked).toEqual([]);
  });

  it('for an unknown raw public key', async () => {
    const stranger = certify('stranger', null);
    expect(await refused({ ...holding(stranger), certificateType: 'RawPublicKey' })).toMatchObject({
      alerts: ['certificate_unknown'],
      outcome: { reason: expect.stringMatching(/^raw public key [0-9a-f]{64} is not known$/) },
    });
  });

  it.each([
    ['expired', certify('urn:dev:1', root, { notAfter: START - DAY }), 'certificate_expired', 'expired 2025-12-31'],
    ['of an unknown anchor', certify('urn:dev:1', certify('Root', null)), 'unknown_ca', 'no trust anchor'],
    [
      'with the wrong extended key usage',
      certify('urn:dev:1', root, { extensions: [extendedKeyUsage('serverAuth')] }),
      'unsupported_certificate',
      'does not allow client authentication',
    ],
    ['with an unknown name', certify('urn:dev:2', root), 'certificate_unknown', 'does not belong to any device'],
  ])('for a certificate %s', async (_what, authority, alert, reason) => {
    expect(await refused(holding(authority))).toMatchObject({
      alerts: [alert],
      outcome: { alert, reason: expect.stringContaining(reason) },
    });
  });

  it('for a certificate with a path that is too long', async () => {
    const last = certify('Last', root, { extensions: [basicConstraints(true, 0), keyUsage('keyCertSign')] });
    const below = certify('Below', last, { extensions: CA_EXTENSIONS });
    expect(await refused(holding(certify('urn:dev:1', below), below, last))).toMatchObject({
      alerts: ['bad_certificate'],
      outcome: { alert: 'bad_certificate', reason: expect.stringContaining('too long') },
    });
  });

  it('for a device without a certificate', async () => {
    expect(await refused({ suites: [ECDHE], certificate: { privateKey: device.privateKey, chain: [] } })).toMatchObject(
      {
        alerts: ['handshake_failure'],
        outcome: { reason: 'the device sent no certificate' },
      },
    );
  });

  it("for a device without its certificate's private key", async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(await refused({ suites: [ECDHE], certificate: { privateKey, chain: [device.certificate] } })).toMatchObject({
      alerts: ['decrypt_error'],
      outcome: { reason: expect.stringContaining('does not hold') },
    });
  });

  it('for a key on a small curve', async () => {
    const small = certify('urn:dev:1', root, { curve: 'secp224r1' });
    expect(await refused(holding(small))).toMatchObject({ alerts: ['unsupported_certificate'] });
  });

  it('for a Finished that does not match the handshake messages', async () => {
    expect(
      await refused({ mangle: (type, body) => (type === HANDSHAKE.finished ? Buffer.alloc(body.length) : body) }),
    ).toMatchObject({ alerts: ['decrypt_error'] });
  });

  it('for an ephemeral key that is not on the curve', async () => {
    const point = Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]);
    expect(
      await refused({
        ...holding(device),
        mangle: (type, body) => (type === HANDSHAKE.clientKeyExchange ? vector(1, point) : body),
      }),
    ).toMatchObject({ alerts: ['illegal_parameter'] });
  });

  it('for a message longer than 16 KiB', async () => {
    const chain = Array.from({ length: 60 }, () => device.certificate);
    expect(await refused({ suites: [ECDHE], certificate: { privateKey: device.privateKey, chain } })).toMatchObject({
      alerts: ['illegal_parameter'],
      outcome: { reason: expect.stringContaining('too long') },
    });
  });

  it('for a device that offers no enabled suite', async () => {
    world = new World({ settings: { suites: ['TLS_PSK_WITH_AES_128_GCM_SHA256'] } });
    expect(await refused({})).toMatchObject({
      alerts: ['handshake_failure'],
      outcome: { reason: 'the device offers no enabled cipher suite' },
    });
  });

  it('for CBC without encrypt-then-MAC, unless the settings allow it', async () => {
    const options = { suites: ['TLS_PSK_WITH_AES_128_CBC_SHA256'], encryptThenMac: false } as const;
    expect((await refused(options)).outcome).toMatchObject({
      reason: expect.stringContaining('does not offer encrypt-then-MAC'),
    });
    world = new World({ settings: { macThenEncrypt: true } });
    expect((await world.connected(options)).state).toBe('open');
  });

  it('for a device with DTLS 1.0', async () => {
    expect(await refused({ version: 0xfeff })).toMatchObject({ alerts: ['protocol_version'] });
  });

  it('for a ClientHello that renegotiates', async () => {
    const renegotiation = encodeExtension(EXTENSION.renegotiationInfo, vector(1, Buffer.alloc(12)));
    expect(await refused({ extraExtensions: renegotiation })).toMatchObject({
      alerts: ['handshake_failure'],
      outcome: { reason: 'renegotiation is not supported' },
    });
  });

  it('when the look-up fails, and the report does not contain the cause', async () => {
    world = new World({ credentials: { psk: () => Promise.reject(new Error('password of the database')) } });
    expect(await refused({})).toMatchObject({
      alerts: ['internal_error'],
      outcome: { reason: 'the credential look-up failed' },
    });
  });

  it('when the look-up times out', async () => {
    world = new World({ credentials: { psk: () => new Promise(() => {}) } });
    expect(await refused({}, 11)).toMatchObject({ outcome: { reason: 'the credential look-up timed out' } });
  });

  it('when too many look-ups are in progress', async () => {
    world = new World({ limits: { lookUps: 1 }, credentials: { psk: () => new Promise(() => {}) } });
    await world.connected();
    await world.connected();
    expect(world.reports).toMatchObject([{ outcome: { reason: 'too many credential look-ups are in progress' } }]);
  });
});

async function refused(options: Partial<ClientOptions>, seconds = 0) {
  const client = await world.connected(options);
  await world.clock.advance(seconds * 1_000);
  expect(client.state).not.toBe('open');
  expect(world.engine.metrics).toMatchObject({ sessions: 0, halfOpen: 0 });
  return { alerts: client.alerts, outcome: world.reports.at(-1)?.outcome };
}

/** Returns the lengths of the server's datagrams. */
function answers(): number[] {
  return world.sent.filter(({ toServer }) => !toServer).map(({ datagram }) => datagram.length);
}
