import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TcpTransport } from '../../src/coap/index.ts';
import { tlsSettings } from '../../src/composition/secure-transport.ts';
import { certificateVerifier, createServerIdentity, trustAnchor } from '../../src/dtls/index.ts';
import { type Authority, CA_EXTENSIONS, certify, START, withNegativeSerial } from '../dtls/certificates.ts';
import { ManualClock } from '../manual-clock.ts';

const root = certify('Root', null);

describe('over TLS, with the certificate checks of DTLS', () => {
  let transport: TcpTransport;
  const sockets: TLSSocket[] = [];

  beforeAll(async () => {
    const clock = new ManualClock();
    const pem = createServerIdentity({ commonName: 'server', names: ['localhost'], now: START, days: 10 });
    const certificate = certificateVerifier(
      {
        anchors: async () => [trustAnchor('root', root.certificate)],
        holder: async () => ({ credential: 'c', revoked: [] }),
      },
      clock,
    );
    const credentials = { psk: async () => null, rawPublicKey: async () => null, certificate };
    transport = await TcpTransport.bind({ hosts: ['127.0.0.1'], port: 0, clock, tls: tlsSettings(pem, credentials) });
  });

  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    await transport.close();
  });

  /** Resolves with `admitted` when the server sends its Capabilities and Settings Message. */
  async function outcome(device: Authority): Promise<'admitted' | 'refused'> {
    const socket = connect({
      port: transport.addresses[0]?.port ?? 0,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      ALPNProtocols: ['coap'],
      cert: new X509Certificate(device.certificate).toString(),
      key: device.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    });
    sockets.push(socket);
    const data = once(socket, 'data').then(() => 'admitted' as const);
    const closed = once(socket, 'close').then(() => 'refused' as const);
    return Promise.race([data.catch(() => closed), closed]);
  }

  it('admits a client with a P-256 key', async () => {
    expect(await outcome(certify('device', root))).toBe('admitted');
  });

  it.each([
    ['an RSA key', certify('d', root, { key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey })],
    ['an Ed25519 key', certify('d', root, { key: generateKeyPairSync('ed25519').privateKey })],
    ['the certificate of a CA', certify('d', root, { extensions: CA_EXTENSIONS })],
    ['a negative serial number', withNegativeSerial(certify('d', root), root)],
  ])('refuses a client with %s', async (_what, device) => {
    expect(await outcome(device)).toBe('refused');
  });
});
