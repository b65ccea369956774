import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { codes, createCoapEndpoint, type CoapEndpoint, type Peer, type Transport } from '../../src/coap/index.ts';
import { createSpki } from '../../src/dtls/certificate.ts';
import {
  certificateVerifier,
  createServerIdentity,
  DEFAULT_LIMITS,
  DtlsServer,
  type DtlsServerOptions,
  type HandshakeReport,
  loadServerIdentity,
  trustAnchor,
} from '../../src/dtls/index.ts';
import { CA_EXTENSIONS, certify } from './certificates.ts';

export const PSK = { identity: 'client1', key: Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex') };

const DAY = 86_400_000;

/** In these tests all devices share one credential, and many connect at once. */
const ONE_KEY_FOR_ALL = { ...DEFAULT_LIMITS, sessionsPerCredential: 1_000 };

/** A DTLS server on the loopback interface, with credentials for devices as values and as files. */
export class Serving {
  readonly reports: readonly HandshakeReport[];
  readonly #heard: EventEmitter;
  readonly server: DtlsServer;
  readonly files: string;

  private constructor(server: DtlsServer, files: string, reports: HandshakeReport[], heard: EventEmitter) {
    this.#heard = heard;
    this.server = server;
    this.files = files;
    this.reports = reports;
  }

  static async start(options: Partial<DtlsServerOptions> = {}): Promise<Serving> {
    const now = Date.now();
    const valid = { notBefore: now - DAY, notAfter: now + DAY };
    const root = certify('Root', null, valid);
    const factory = certify('Factory', root, { ...valid, extensions: CA_EXTENSIONS });
    const device = certify('device', factory, valid);
    const expired = certify('device', factory, { notBefore: now - 2 * DAY, notAfter: now - DAY });
    const pem = createServerIdentity({ commonName: 'localhost', names: ['localhost', '127.0.0.1'], now, days: 2 });
    const identity = loadServerIdentity(pem);
    const anchors = [trustAnchor('root', root.certificate)];
    const spki = createSpki(device.privateKey);
    const reports: HandshakeReport[] = [];
    const heard = new EventEmitter();
    const server = await DtlsServer.bind({
      hosts: ['127.0.0.1'],
      port: 0,
      credentials: {
        psk: async (name) =>
          Buffer.from(name).toString() === PSK.identity ? { key: PSK.key, credential: 'psk' } : null,
        rawPublicKey: async (key) => (spki.equals(key) ? { credential: 'rpk' } : null),
        certificate: certificateVerifier({
          anchors: async () => anchors,
          holder: async ({ commonName }) => (commonName === 'device' ? { credential: 'x509', revoked: [] } : null),
        }),
      },
      onHandshake: (report) => {
        reports.push(report);
        heard.emit('report');
      },
      ...options,
      settings: { identity, limits: ONE_KEY_FOR_ALL, ...options.settings },
    });
    const files = mkdtempSync(join(tmpdir(), 'treeline-dtls-'));
    const write = (name: string, content: string | Buffer): void => writeFileSync(join(files, name), content);
    write('root.pem', pemOf(root.certificate));
    write('server.pem', pem.certificates);
    write('server.der', identity.chain[0] ?? Buffer.alloc(0));
    write('server-spki.der', identity.spki);
    write('factory.pem', pemOf(factory.certificate));
    write('device.pem', pemOf(device.certificate));
    write('chain.pem', pemOf(device.certificate) + pemOf(factory.certificate));
    write('device.key', keyPem(device.privateKey));
    write('device-key.der', device.privateKey.export({ format: 'der', type: 'pkcs8' }));
    write('device-spki.der', spki);
    write('device-spki.pem', createPublicKey(device.privateKey).export({ format: 'pem', type: 'spki' }).toString());
    write('expired.pem', pemOf(expired.certificate));
    write('expired.key', keyPem(expired.privateKey));
    // Leshan sends one certificate without intermediates.
    const direct = certify('device', root, valid);
    write('direct.der', direct.certificate);
    write('direct-key.der', direct.privateKey.export({ format: 'der', type: 'pkcs8' }));
    return new Serving(server, files, reports, heard);
  }

  get port(): number {
    return this.server.addresses[0]?.port ?? 0;
  }

  file(name: string): string {
    return join(this.files, name);
  }

  /** Resolves when this many handshakes have ended, established or failed. */
  async handshakes(count: number): Promise<void> {
    while (this.reports.length < count) await once(this.#heard, 'report');
  }

  async stop(): Promise<void> {
    await this.server.close();
    rmSync(this.files, { recursive: true });
  }
}

/** A minimal registration interface for devices. `next` resolves to the next device that registers. */
export function serveRegistrations(transport: Transport): { readonly endpoint: CoapEndpoint; next(): Promise<Peer> } {
  const endpoint = createCoapEndpoint({ transport });
  const registered: Peer[] = [];
  const waiting: ((peer: Peer) => void)[] = [];
  endpoint.onRequest(async ({ peer, method, path }) => {
    if (method === 'DELETE') return { code: codes.deleted };
    const waiter = waiting.shift();
    if (waiter) waiter(peer);
    else registered.push(peer);
    return path.length === 1 ? { code: codes.created, locationPath: ['rd', '1'] } : { code: codes.changed };
  });
  return {
    endpoint,
    next: () => {
      const peer = registered.shift();
      return peer ? Promise.resolve(peer) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

function pemOf(certificate: Buffer): string {
  return new X509Certificate(certificate).toString();
}

function keyPem(key: KeyObject): string {
  return key.export({ format: 'pem', type: 'pkcs8' }).toString();
}
