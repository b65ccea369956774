import { randomBytes } from 'node:crypto';

import { afterEach, beforeEach, expect, it } from 'vitest';

import { codes, createCoapEndpoint } from '../../src/coap/index.ts';
import type { DtlsServerOptions } from '../../src/dtls/index.ts';
import { Relay } from '../dtls/relay.ts';
import { PSK, serveRegistrations, Serving } from '../dtls/serving.ts';
import { coapClient, gnutlsClient, LeshanDevice, opensslClient, PeerProcess, requirePeer } from './peers/index.ts';

const KEY = PSK.key.toString('hex');

let serving: Serving;
const running: PeerProcess[] = [];

beforeEach(async () => {
  serving = await Serving.start();
});

afterEach(async () => {
  await Promise.all(running.splice(0).map((peer) => peer.kill()));
  await serving.stop();
});

async function restart(options: Partial<DtlsServerOptions>): Promise<void> {
  await serving.stop();
  serving = await Serving.start(options);
}

function run(command: string, args: readonly string[]): PeerProcess {
  const peer = new PeerProcess(command, command, args);
  running.push(peer);
  return peer;
}

/** The device speaks first, then the server asks and the device answers. */
async function converse(peer: PeerProcess): Promise<void> {
  const heard: string[] = [];
  const answered = new Promise<void>((resolve) => {
    serving.server.onDatagram((from, data) => {
      heard.push(Buffer.from(data).toString().trim());
      if (heard.length === 1) serving.server.send(from, Buffer.from('read 3303/0/5700\n'));
      else resolve();
    });
  });
  peer.write('register');
  await peer.waitFor(/^read 3303\/0\/5700$/);
  peer.write('21.5');
  await answered;
  expect(heard).toEqual(['register', '21.5']);
}

function openssl(port: number, cipher: string, ...args: string[]): PeerProcess {
  return run('openssl', [...opensslClient(port, cipher), '-quiet', '-no_ign_eof', ...args]);
}

function withPsk(): string[] {
  return ['-psk_identity', PSK.identity, '-psk', KEY];
}

function withCertificate(name = 'device'): string[] {
  const files = { cert: `${name}.pem`, cert_chain: 'factory.pem', key: `${name}.key`, CAfile: 'server.pem' };
  return [
    ...Object.entries(files).flatMap(([option, file]) => [`-${option}`, serving.file(file)]),
    '-verify_return_error',
  ];
}

requirePeer('openssl')('DTLS with OpenSSL', () => {
  it.each([
    ['PSK-AES128-CCM8', 'TLS_PSK_WITH_AES_128_CCM_8'],
    ['PSK-AES128-CCM', 'TLS_PSK_WITH_AES_128_CCM'],
    ['PSK-AES128-GCM-SHA256', 'TLS_PSK_WITH_AES_128_GCM_SHA256'],
    ['PSK-AES128-CBC-SHA256', 'TLS_PSK_WITH_AES_128_CBC_SHA256'],
  ])('converses over %s', async (cipher, suite) => {
    await converse(openssl(serving.port, cipher, ...withPsk()));
    expect(serving.reports).toMatchObject([{ suite, credential: 'psk', outcome: { established: true } }]);
  });

  it.each([
    ['ECDHE-ECDSA-AES128-CCM8', 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8'],
    ['ECDHE-ECDSA-AES128-CCM', 'TLS_ECDHE_ECDSA_WITH_AES_128_CCM'],
    ['ECDHE-ECDSA-AES128-GCM-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
    ['ECDHE-ECDSA-AES128-SHA256', 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256'],
  ])('converses over %s with certificates, each side verifying the other', async (cipher, suite) => {
    await converse(openssl(serving.port, cipher, ...withCertificate()));
    expect(serving.reports).toMatchObject([{ suite, credential: 'x509', outcome: { established: true } }]);
  });

  it('converses over CBC without encrypt-then-MAC where the settings allow it', async () => {
    await restart({ settings: { macThenEncrypt: true } });
    await converse(openssl(serving.port, 'PSK-AES128-CBC-SHA256', '-no_etm', ...withPsk()));
  });

  it('converses with a client whose MTU of 256 bytes makes it send its ClientHello in fragments', async () => {
    const padding = ['-servername', `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example`];
    const cipher = 'ECDHE-ECDSA-AES128-CCM8';
    await converse(openssl(serving.port, cipher, '-mtu', '256', ...padding, ...withCertificate()));
    expect(serving.reports).toMatchObject([{ credential: 'x509', outcome: { established: true } }]);
  });

  it('sends no record above a maximum fragment length of 512 bytes, also after a resumption', async () => {
    const cipher = 'ECDHE-ECDSA-AES128-CCM8';
    const session = serving.file('short.pem');
    const first = openssl(serving.port, cipher, '-maxfraglen', '512', '-sess_out', session, ...withCertificate());
    await converse(first);
    await first.stop();
    const second = openssl(serving.port, cipher, '-maxfraglen', '512', '-sess_in', session, ...withCertificate());
    const line = 'x'.repeat(511);
    serving.server.onDatagram((from) => {
      expect(serving.server.limitsOf(from).messageBytes).toBe(512);
      serving.server.send(from, Buffer.from(`${'y'.repeat(600)}\n`));
      serving.server.send(from, Buffer.from(`${line}\n`));
    });
    second.write('register');
    expect((await second.waitFor(/^[xy]{500,}$/))[0]).toBe(line);
    expect(serving.reports.map(({ resumed }) => resumed)).toEqual([false, true]);
  });

  it('tells an expired certificate why it is refused', async () => {
    const peer = openssl(serving.port, 'ECDHE-ECDSA-AES128-CCM8', ...withCertificate('expired'));
    await peer.waitFor(/alert certificate expired/);
    expect(serving.reports).toMatchObject([{ outcome: { alert: 'certificate_expired' } }]);
  });

  it('resumes a session', async () => {
    const session = serving.file('session.pem');
    const first = openssl(serving.port, 'PSK-AES128-CCM8', '-sess_out', session, ...withPsk());
    await converse(first);
    await first.stop();
    await converse(openssl(serving.port, 'PSK-AES128-CCM8', '-sess_in', session, ...withPsk()));
    expect(serving.reports.map(({ resumed }) => resumed)).toEqual([false, true]);
  });
});

function gnutls(keyExchange: string, cipher: string, ...args: string[]): PeerProcess {
  return run('gnutls-cli', [...gnutlsClient(serving.port, keyExchange, cipher), ...args]);
}

requirePeer('gnutls')('DTLS with GnuTLS', () => {
  const CIPHERS = ['AES-128-CCM-8', 'AES-128-GCM', 'AES-128-CBC'];

  it.each(CIPHERS)('converses over PSK and %s', async (cipher) => {
    await converse(gnutls('+PSK:+CTYPE-X509', cipher, '--pskusername', PSK.identity, '--pskkey', KEY));
    expect(serving.reports).toMatchObject([{ credential: 'psk', outcome: { established: true } }]);
  });

  it.each(CIPHERS)('converses over raw public keys and %s', async (cipher) => {
    const keys = ['--rawpkkeyfile', serving.file('device.key'), '--rawpkfile', serving.file('device-spki.pem')];
    await converse(gnutls('+ECDHE-ECDSA:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK', cipher, ...keys));
    expect(serving.reports).toMatchObject([{ credential: 'rpk', outcome: { established: true } }]);
  });

  it('converses over certificates', async () => {
    const files = ['--x509keyfile', serving.file('device.key'), '--x509certfile', serving.file('chain.pem')];
    await converse(gnutls('+ECDHE-ECDSA:+CTYPE-X509', 'AES-128-CCM-8', ...files));
    expect(serving.reports).toMatchObject([{ credential: 'x509', outcome: { established: true } }]);
  });
});

requirePeer('libcoap')('CoAP over DTLS with libcoap', () => {
  it.each(['openssl', 'gnutls'] as const)('asks with PSK by its %s build, block-wise', async (library) => {
    await restart({
      credentials: {
        psk: async () => ({ key: Buffer.from('a secret'), credential: 'psk' }),
        rawPublicKey: async () => null,
        certificate: async () => ({ refused: 'unknown_ca', reason: 'no anchors' }),
      },
    });
    const endpoint = createCoapEndpoint({ transport: serving.server });
    const body = Buffer.alloc(3_000, 'reading ');
    endpoint.onRequest(async ({ path, peer }) => ({
      code: path[0] === 'x' && peer.security?.credential === 'psk' ? codes.content : codes.notFound,
      payload: body,
    }));
    const answer = await coapClient({
      method: 'get',
      uri: `coaps://127.0.0.1:${serving.port}/x`,
      psk: { identity: 'device', key: 'a secret' },
      library,
    });
    expect(Buffer.from(answer.payload).equals(body)).toBe(true);
  });
});

function leshan(port: number, options: Partial<ConstructorParameters<typeof LeshanDevice>[0]>): LeshanDevice {
  const device = new LeshanDevice({ serverUri: `coaps://127.0.0.1:${port}`, endpoint: 'device', ...options });
  running.push(device);
  return device;
}

requirePeer('leshan')('LwM2M over DTLS with the Leshan client', () => {
  const kinds: [string, () => Partial<ConstructorParameters<typeof LeshanDevice>[0]>, string][] = [
    ['PSK', () => ({ psk: { identity: PSK.identity, keyHex: KEY } }), 'psk'],
    ['PSK and a Connection ID', () => ({ psk: { identity: PSK.identity, keyHex: KEY }, connectionIdLength: 6 }), 'psk'],
    ['PSK from Leshan 1', () => ({ psk: { identity: PSK.identity, keyHex: KEY }, lwm2m: '1.0' }), 'psk'],
    [
      'raw public keys',
      () => ({
        rawPublicKey: {
          publicKey: serving.file('device-spki.der'),
          privateKey: serving.file('device-key.der'),
          serverPublicKey: serving.file('server-spki.der'),
        },
      }),
      'rpk',
    ],
    [
      'certificates',
      () => ({
        certificate: {
          own: serving.file('direct.der'),
          privateKey: serving.file('direct-key.der'),
          server: serving.file('server.der'),
        },
      }),
      'x509',
    ],
  ];

  it.each(kinds)('registers over %s and is read', async (_what, options, credential) => {
    const { endpoint, next } = serveRegistrations(serving.server);
    const device = leshan(serving.port, options());
    const peer = await next();
    await device.registered();
    expect(peer.security?.credential).toBe(credential);
    const { code } = await endpoint.request(peer, { method: 'GET', path: ['3', '0', '0'] });
    expect(code).toBe(codes.content);
    await device.waitFor(/^READ \/3\/0\/0/);
  });

  it('changes its port in mid-session with a Connection ID and goes on without a new handshake', async () => {
    const relay = await Relay.start(serving.port);
    try {
      const { endpoint, next } = serveRegistrations(serving.server);
      const device = leshan(relay.port, { psk: { identity: PSK.identity, keyHex: KEY }, connectionIdLength: 6 });
      const before = await next();
      await device.registered();
      await relay.rebind();
      device.write('update');
      const after = await next();
      expect(after.key).toBe(before.key);
      expect(after.port).not.toBe(before.port);
      const { code } = await endpoint.request(after, { method: 'GET', path: ['3', '0', '1'] });
      expect(code).toBe(codes.content);
      expect(serving.reports).toHaveLength(1);
      expect(serving.server.metrics.addressChanges).toBe(1);
    } finally {
      relay.stop();
    }
  });

  it('goes on after a planned restart without a new handshake', async () => {
    const { next } = serveRegistrations(serving.server);
    const device = leshan(serving.port, { psk: { identity: PSK.identity, keyHex: KEY } });
    const before = await next();
    await device.registered();
    const key = randomBytes(32);
    const { port } = serving;
    const sessions = await serving.server.suspend(key);
    await restart({ port, saved: { sessions, key } });
    const { endpoint, next: nextOfSecond } = serveRegistrations(serving.server);
    device.write('update');
    const after = await nextOfSecond();
    expect(after.key).toBe(before.key);
    const { code } = await endpoint.request(after, { method: 'GET', path: ['3', '0', '0'] });
    expect(code).toBe(codes.content);
    expect(serving.reports).toEqual([]);
  });
});
