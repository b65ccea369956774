import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Authority, certify } from '../dtls/certificates.ts';
import { freshInstallation, type Installation, runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { addTrustAnchor, handshakesOf, provision, readPath } from './provisioned.ts';
import {
  CoapDevice,
  gnutlsClient,
  opensslClient,
  requirePeer,
  ScriptedDevice,
  SessionPipe,
  type TlsLibrary,
} from './peers/index.ts';

/*
 * The server reads a device over the session that the device opened, asked through GraphQL. Neither the device's DTLS
 * nor its CoAP is ours. Leshan is read so in dtls-product.test.ts, node-dtls-client in test/e2e/dtls-device.test.ts.
 */

const DAY = 86_400_000;
/** What a record has beside its bytes: header, nonce and tag (RFC 6347 §4.1, RFC 6655 §3, RFC 5288 §3). */
const OVERHEAD = { 'AES-128-CCM-8': 13 + 8 + 8, 'AES-128-GCM': 13 + 8 + 16 };
/** With CBC: header, initialization vector, padding and MAC. */
const MOST_OVERHEAD = 13 + 16 + 16 + 32;

let installation: Installation;
let treeline: TreelineProcess;
let files: string;
let root: Authority;
const running: { kill(): Promise<void> }[] = [];

beforeAll(async () => {
  installation = await freshInstallation();
  files = await mkdtemp(join(tmpdir(), 'treeline-dtls-reads-'));
  treeline = await runTreeline(installation.settings);
  root = certify('Factory', null, validity());
  await addTrustAnchor(treeline, root.certificate);
});

afterEach(() => Promise.all(running.splice(0).map((peer) => peer.kill())));

afterAll(async () => {
  await treeline?.stop();
  await installation?.drop();
  if (files) await rm(files, { recursive: true });
});

/** A device that the product knows, and how it proves to a client program that it is this one. */
interface Known {
  readonly id: string;
  readonly endpoint: string;
  readonly words: readonly string[];
}

type Proof = 'psk' | 'rpk' | 'x509';

async function known(program: 'openssl' | 'gnutls', proof: Proof): Promise<Known> {
  const endpoint = `urn:dev:os:${program}-${proof}-${randomBytes(4).toString('hex')}`;
  if (proof === 'psk') {
    const { device, secret } = await provision(treeline, endpoint, { psk: {} });
    const [identity, key] = program === 'openssl' ? ['-psk_identity', '-psk'] : ['--pskusername', '--pskkey'];
    return { id: device.id, endpoint, words: [identity, endpoint, key, secret?.keyHex ?? ''] };
  }
  const { certificate, privateKey } = certify(endpoint, root, validity());
  const keyFile = await keep('device.key', privateKey.export({ format: 'pem', type: 'pkcs8' }));
  const publicKey = createPublicKey(privateKey);
  if (proof === 'rpk') {
    const spki = publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
    const { device } = await provision(treeline, endpoint, { rawPublicKey: { publicKey: spki } });
    const publicFile = await keep('device.pub', publicKey.export({ format: 'pem', type: 'spki' }));
    return { id: device.id, endpoint, words: ['--rawpkkeyfile', keyFile, '--rawpkfile', publicFile] };
  }
  const { device } = await provision(treeline, endpoint, { certificate: {} });
  const chain = await keep('device.pem', new X509Certificate(certificate).toString());
  const server = join(installation.settings['TREELINE_DATA_DIR'] ?? '', 'dtls-certificate.pem');
  const words =
    program === 'openssl'
      ? ['-cert', chain, '-key', keyFile, '-CAfile', server, '-verify_return_error']
      : ['--x509certfile', chain, '--x509keyfile', keyFile];
  return { id: device.id, endpoint, words };
}

function validity(): { readonly notBefore: number; readonly notAfter: number } {
  return { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY };
}

async function keep(name: string, content: string | Buffer): Promise<string> {
  const file = join(files, name);
  await writeFile(file, content);
  return file;
}

/** Registers a scripted device through a client program, reads it, and answers the suite of its only handshake. */
async function readThrough(
  program: 'openssl' | 'gnutls-cli',
  overhead: number,
  words: (port: number) => string[],
  { id, endpoint }: Known,
): Promise<string | null | undefined> {
  const pipe = await SessionPipe.start({ server: treeline.coaps.port, overhead }, program, words);
  running.push(pipe);
  const model = randomBytes(8).toString('hex');
  const device = new ScriptedDevice(pipe, { '/3/0/1': model });
  expect(await device.register(endpoint)).toMatch(/^\/rd\/./);
  expect(await readPath(treeline, id, '/3/0/1')).toEqual(answered(model));
  const [handshake, ...others] = await handshakesOf(treeline, id);
  expect(others).toEqual([]);
  expect(handshake).toMatchObject({ established: true, resumed: false });
  return handshake?.suite;
}

function answered(model: string): unknown {
  return { rpc: { status: 'SUCCESSFUL' }, values: [{ path: '/3/0/1', value: model }] };
}

requirePeer('openssl')('a device over OpenSSL is read', () => {
  it.each<[string, Proof, string]>([
    ['TLS_PSK_WITH_AES_128_CCM_8', 'psk', 'PSK-AES128-CCM8'],
    ['TLS_PSK_WITH_AES_128_GCM_SHA256', 'psk', 'PSK-AES128-GCM-SHA256'],
    ['TLS_PSK_WITH_AES_128_CBC_SHA256', 'psk', 'PSK-AES128-CBC-SHA256'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', 'x509', 'ECDHE-ECDSA-AES128-CCM8'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'x509', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256', 'x509', 'ECDHE-ECDSA-AES128-SHA256'],
  ])('over %s', async (suite, proof, cipher) => {
    const device = await known('openssl', proof);
    const words = (port: number): string[] => [...opensslClient(port, cipher), '-quiet', ...device.words];
    expect(await readThrough('openssl', MOST_OVERHEAD, words, device)).toBe(suite);
  });
});

requirePeer('openssl')('a device over OpenSSL that resumes its session and sends no Update', () => {
  it('goes on: its notifications and its Send count, and it is read', async () => {
    const { id, endpoint, words } = await known('openssl', 'psk');
    const session = join(files, 'session.pem');
    const connect = async (...resume: string[]): Promise<SessionPipe> => {
      const pipe = await SessionPipe.start(
        { server: treeline.coaps.port, overhead: MOST_OVERHEAD },
        'openssl',
        (port) => [...opensslClient(port, 'PSK-AES128-CCM8'), '-quiet', ...words, ...resume],
      );
      running.push(pipe);
      return pipe;
    };
    const first = await connect('-sess_out', session);
    const device = new ScriptedDevice(first, { '/3/0/1': 'model', '/3/0/9': '80' });
    await device.register(endpoint);
    await expect.poll(() => device.isObserved('/3/0/9'), { timeout: 20_000 }).toBe(true);
    await first.kill();
    running.splice(running.indexOf(first), 1);

    device.continueOver(await connect('-sess_in', session));
    device.notify('/3/0/9', '70');
    await expect.poll(() => batteryLevels(id), { timeout: 20_000 }).toContain(70);
    const sent = device.sendReadings([{ bn: '/3/0/', n: '9', v: 60 }]);
    await expect(sent).resolves.toBe('2.04');
    await expect.poll(() => batteryLevels(id), { timeout: 20_000 }).toContain(60);
    expect(await readPath(treeline, id, '/3/0/1')).toEqual(answered('model'));
    expect(await handshakesOf(treeline, id, { count: 2 })).toMatchObject([
      { established: true, resumed: true },
      { established: true, resumed: false },
    ]);
  });
});

async function batteryLevels(id: string): Promise<readonly number[]> {
  const { device } = await treeline.query<{
    device: { telemetry: { edges: { node: { numericValues: { battery_level: number } } }[] } };
  }>(
    `query ($id: ID!) {
      device(id: $id) { telemetry(metrics: ["battery_level"], first: 10) { edges { node { numericValues } } } }
    }`,
    { id },
  );
  return device.telemetry.edges.map(({ node }) => node.numericValues.battery_level);
}

requirePeer('gnutls')('a device over GnuTLS is read', () => {
  const RAW_PUBLIC_KEYS = '+ECDHE-ECDSA:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK';

  // It prints a record byte by byte, and only of an AEAD suite is the length known: CBC is read over OpenSSL.
  it.each<[string, Proof, string, keyof typeof OVERHEAD]>([
    ['TLS_PSK_WITH_AES_128_CCM_8', 'psk', '+PSK:+CTYPE-X509', 'AES-128-CCM-8'],
    ['TLS_PSK_WITH_AES_128_GCM_SHA256', 'psk', '+PSK:+CTYPE-X509', 'AES-128-GCM'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', 'rpk', RAW_PUBLIC_KEYS, 'AES-128-CCM-8'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256', 'rpk', RAW_PUBLIC_KEYS, 'AES-128-GCM'],
    ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8', 'x509', '+ECDHE-ECDSA:+CTYPE-X509', 'AES-128-CCM-8'],
  ])('over %s with %s', async (suite, proof, keyExchange, cipher) => {
    const device = await known('gnutls', proof);
    const quiet = ['--logfile', '/dev/null'];
    const words = (port: number): string[] => [...gnutlsClient(port, keyExchange, cipher), ...quiet, ...device.words];
    expect(await readThrough('gnutls-cli', OVERHEAD[cipher], words, device)).toBe(suite);
  });
});

requirePeer('libcoap')('a device on libcoap is read', () => {
  it.each<[TlsLibrary]>([['openssl'], ['gnutls']])('by its %s build', async (library) => {
    const endpoint = `urn:dev:os:libcoap-${library}`;
    const key = 'a key of 16 bytes or more';
    const { device } = await provision(treeline, endpoint, { psk: { key: Buffer.from(key).toString('hex') } });
    const model = randomBytes(8).toString('hex');
    const psk = { identity: endpoint, key };
    const peer = new CoapDevice(library, { port: treeline.coaps.port, psk, endpoint, model });
    running.push(peer);
    await peer.waitFor(/^REGISTERED \/rd\/./);
    expect(await readPath(treeline, device.id, '/3/0/1')).toEqual(answered(model));
    await peer.waitFor(/^READ$/);
    expect(await handshakesOf(treeline, device.id)).toMatchObject([{ established: true, resumed: false }]);
  });
});
