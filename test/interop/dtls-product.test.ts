import { createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { certify } from '../dtls/certificates.ts';
import { Relay } from '../dtls/relay.ts';
import { freshInstallation, type Installation, runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { etsName } from './ets/catalogue.ts';
import { addTrustAnchor, handshakesOf, type HandshakeSeen, provision, readPath } from './provisioned.ts';
import { coapClient, LeshanDevice, type LeshanOptions, PeerProcess, requirePeer } from './peers/index.ts';

const DAY = 86_400_000;
/** How long the server waits for the Finished of a device with the wrong key, and more. */
const HANDSHAKE_MS = 100_000;

let installation: Installation;
let port: number;
let treeline: TreelineProcess;
let files: string;
const running: LeshanDevice[] = [];

beforeAll(async () => {
  installation = await freshInstallation();
  files = await mkdtemp(join(tmpdir(), 'treeline-dtls-product-'));
  port = await freeUdpPort();
  await start();
  const dataDir = installation.settings['TREELINE_DATA_DIR'] ?? '';
  const server = new X509Certificate(await readFile(join(dataDir, 'dtls-certificate.pem')));
  await keep('server.der', server.raw);
  await keep('server-key.der', server.publicKey.export({ format: 'der', type: 'spki' }));
});

afterEach(() => Promise.all(running.splice(0).map((device) => device.kill())));

afterAll(async () => {
  await treeline?.stop();
  await installation?.drop();
  if (files) await rm(files, { recursive: true });
});

async function start(): Promise<void> {
  treeline = await runTreeline({ ...installation.settings, TREELINE_COAPS_PORT: String(port) });
}

/** The server comes back on the same one, as it does where it is installed. */
async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port: free } = socket.address();
  socket.close();
  await once(socket, 'close');
  return free;
}

async function keep(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(join(files, name), bytes);
  return join(files, name);
}

interface Peer {
  readonly id: string;
  readonly credential: string;
  readonly endpoint: string;
  readonly proof: Partial<LeshanOptions>;
  /** `registration.security` in GraphQL. */
  readonly security: { readonly kind: string; readonly name: string };
}

async function withPsk(endpoint: string): Promise<Peer> {
  const { device, credential, secret } = await provision(treeline, endpoint, { psk: {} });
  const security = { kind: 'PSK', name: endpoint };
  return { id: device.id, credential: credential.id, endpoint, proof: { ...(secret && { psk: secret }) }, security };
}

async function withRawPublicKey(endpoint: string): Promise<Peer> {
  const { privateKey } = certify(endpoint, null);
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  const { device, credential } = await provision(treeline, endpoint, {
    rawPublicKey: { publicKey: spki.toString('base64') },
  });
  const rawPublicKey = {
    publicKey: await keep('device-public.der', spki),
    privateKey: await keep('device-private.der', privateKey.export({ format: 'der', type: 'pkcs8' })),
    serverPublicKey: join(files, 'server-key.der'),
  };
  const security = { kind: 'RPK', name: expect.stringMatching(/^[0-9a-f]{64}$/) };
  return { id: device.id, credential: credential.id, endpoint, proof: { rawPublicKey }, security };
}

async function withCertificate(endpoint: string, { expired = false } = {}): Promise<Peer> {
  const now = Date.now();
  const root = certify(`Factory of ${endpoint}`, null, { notBefore: now - 2 * DAY, notAfter: now + DAY });
  const notAfter = expired ? now - DAY : now + DAY;
  const { certificate, privateKey } = certify(endpoint, root, { notBefore: now - 2 * DAY, notAfter });
  await addTrustAnchor(treeline, root.certificate);
  const { device, credential } = await provision(treeline, endpoint, { certificate: {} });
  const chosen = {
    own: await keep('device-certificate.der', certificate),
    privateKey: await keep('device-certified.der', privateKey.export({ format: 'der', type: 'pkcs8' })),
    server: join(files, 'server.der'),
  };
  const security = { kind: 'X509', name: expect.stringContaining(`CN=${endpoint}`) };
  return { id: device.id, credential: credential.id, endpoint, proof: { certificate: chosen }, security };
}

function device(
  { endpoint, proof }: Pick<Peer, 'endpoint' | 'proof'>,
  options: Partial<LeshanOptions> = {},
): LeshanDevice {
  const leshan = new LeshanDevice({ serverUri: `coaps://127.0.0.1:${port}`, endpoint, ...proof, ...options });
  running.push(leshan);
  return leshan;
}

interface Seen {
  readonly registration: { readonly address: string; readonly security: unknown } | null;
}

async function seen({ id }: Pick<Peer, 'id'>): Promise<Seen> {
  const { device: found } = await treeline.query<{ device: Seen }>(
    `query ($id: ID!) { device(id: $id) {
      registration { transport address security { kind name } }
    } }`,
    { id },
  );
  return found;
}

const read = ({ id }: Pick<Peer, 'id'>): Promise<unknown> => readPath(treeline, id, '/3/0/1');

const READ = { rpc: { status: 'SUCCESSFUL' }, values: [{ path: '/3/0/1', value: 'Leshan' }] };

/** What the log of a device's handshakes says, once it says as many. */
function handshakes({ id }: Pick<Peer, 'id'>, count: number): Promise<readonly HandshakeSeen[]> {
  return handshakesOf(treeline, id, { count, timeout: HANDSHAKE_MS });
}

/** How many handshakes the product's metrics call resumed. */
async function resumptions(): Promise<number> {
  const metrics = await treeline.metrics();
  const counts = metrics.matchAll(/^treeline_dtls_handshakes_total{.*result="resumed".*} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}

requirePeer('leshan')('the product over DTLS, with the Leshan client', () => {
  it.each([
    [`${etsName(401, 'Leshan', '1.1 over DTLS')}: registers with a pre-shared key and is read`, withPsk],
    ['registers with a raw public key and is read', withRawPublicKey],
    [`${etsName(402, 'Leshan', '1.1 over DTLS')}: registers with a certificate and is read`, withCertificate],
  ])('%s', async (what, provisioned) => {
    const peer = await provisioned(`urn:dev:os:${what.length}`);
    await device(peer).registered();
    expect(await read(peer)).toEqual(READ);
    const { registration } = await seen(peer);
    expect(registration).toMatchObject({ transport: 'DTLS', security: peer.security });
    expect(await handshakes(peer, 1)).toMatchObject([
      { established: true, resumed: false, reason: null, suite: expect.stringMatching(/^TLS_/) },
    ]);
  });

  it(`${etsName(403, 'Leshan', '1.1 over DTLS')}: it expects another and does not register`, async () => {
    const peer = await withCertificate('urn:dev:os:403');
    const other = certify('localhost', null, { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY });
    const server = await keep('other-server.der', other.certificate);
    const certificate = peer.proof.certificate && { ...peer.proof.certificate, server };
    await device(peer, { ...(certificate && { certificate }) }).waitFor(/^REGISTRATION (FAILED|TIMED OUT)/);
    expect((await seen(peer)).registration).toBeNull();
    await expect
      .poll(() => treeline.output(), { timeout: 20_000 })
      .toMatch(/a DTLS handshake failed: the device ended the handshake/);
  });

  it('refuses an expired certificate, and says since when', async () => {
    const peer = await withCertificate('urn:dev:os:expired', { expired: true });
    device(peer);
    const day = new Date(Date.now() - DAY).toISOString().slice(0, 10);
    expect(await handshakes(peer, 1)).toContainEqual(
      expect.objectContaining({
        established: false,
        alert: 'certificate_expired',
        reason: expect.stringMatching(`urn:dev:os:expired.* expired ${day}`),
      }),
    );
  });

  it('refuses a device with credentials that comes without security', async () => {
    const peer = await withPsk('urn:dev:os:downgraded');
    const { host, port: open } = treeline.coap;
    await device({ ...peer, proof: {} }, { serverUri: `coap://${host}:${open}` }).waitFor(
      /^REGISTRATION FAILED FORBIDDEN/,
    );
    expect((await seen(peer)).registration).toBeNull();
  });

  it('refuses another endpoint than that of the credential', async () => {
    const peer = await withPsk('urn:dev:os:mine');
    await device({ ...peer, endpoint: 'urn:dev:os:yours' }).waitFor(/^REGISTRATION FAILED BAD_REQUEST/);
    expect((await seen(peer)).registration).toBeNull();
  });

  it('refuses a wrong key, a revoked one, whose session ends, and an identity that nobody has; and says so', async () => {
    const [mistaken, revoked] = [await withPsk('urn:dev:os:mistaken'), await withPsk('urn:dev:os:revoked')];
    const psk = { identity: mistaken.endpoint, keyHex: randomBytes(32).toString('hex') };
    device(mistaken, { psk });
    device({ endpoint: 'stranger', proof: { psk: { ...psk, identity: 'a stranger' } } });
    const leshan = device(revoked);
    await leshan.registered();
    await treeline.query(
      'mutation ($id: ID!) { revokeCredential(input: { id: $id }) { ... on RevokeCredentialPayload { credential { id } } } }',
      { id: revoked.credential },
    );
    const since = leshan.mark();
    leshan.write('update');
    const [[ofMistaken], [ofRevoked]] = await Promise.all([handshakes(mistaken, 1), handshakes(revoked, 2)]);
    const reason = "the device's key for identity 'urn:dev:os:mistaken' does not match the stored key";
    expect(ofMistaken).toMatchObject({ established: false, reason: expect.stringContaining(reason) });
    expect(ofRevoked).toMatchObject({
      established: false,
      reason: expect.stringMatching(/^the credential was revoked/),
    });
    expect(leshan.lines.slice(since)).not.toContainEqual(expect.stringMatching(/^UPDATED|^REGISTERED/));
    expect((await seen(mistaken)).registration).toBeNull();
    const told = "a DTLS handshake failed: identity 'a stranger' is not known";
    await expect.poll(() => treeline.output(), { timeout: HANDSHAKE_MS }).toContain(told);
    expect(treeline.output()).not.toContain(psk.keyHex);
  }, 240_000);

  it('goes on with a device whose address changes, by its Connection ID and without a new handshake', async () => {
    const relay = await Relay.start(port);
    try {
      const peer = await withPsk('urn:dev:os:moving');
      const leshan = device(peer, { serverUri: `coaps://127.0.0.1:${relay.port}`, connectionIdLength: 6 });
      await leshan.registered();
      const before = await seen(peer);
      await relay.rebind();
      const since = leshan.mark();
      leshan.write('update');
      await leshan.waitFor(/^UPDATED/, { since });
      expect(await read(peer)).toEqual(READ);
      const after = await seen(peer);
      expect(after.registration?.address).not.toBe(before.registration?.address);
      expect(await handshakes(peer, 1)).toHaveLength(1);
    } finally {
      relay.stop();
    }
  });

  it.each([
    ['', {}],
    [' with a Connection ID', { connectionIdLength: 6 }],
  ])('resumes its session%s, and goes on by it', async (what, options) => {
    const peer = await withPsk(`urn:dev:os:resuming-${what.length}`);
    const leshan = device(peer, options);
    await leshan.registered();
    const before = await resumptions();
    leshan.write('resume');
    await leshan.waitFor(/^RESUMING/);
    leshan.write('update');
    await leshan.waitFor(/^UPDATED/);
    expect(await read(peer)).toEqual(READ);
    expect(await handshakes(peer, 2)).toMatchObject([
      { established: true, resumed: true },
      { established: true, resumed: false },
    ]);
    expect(await resumptions()).toBe(before + 1);
  });

  it('goes on with a session after a restart of the server, without a new handshake', async () => {
    const peer = await withPsk('urn:dev:os:restarted');
    const leshan = device(peer);
    await leshan.registered();
    await handshakes(peer, 1);
    expect(await treeline.stop()).toBe(0);
    await start();
    expect(await read(peer)).toEqual(READ);
    const since = leshan.mark();
    leshan.write('update');
    await leshan.waitFor(/^UPDATED/, { since });
    expect(await handshakes(peer, 1)).toHaveLength(1);
  });
});

requirePeer('libcoap')('the product over DTLS, with libcoap', () => {
  it.each(['openssl', 'gnutls'] as const)('registers with a pre-shared key by %s', async (library) => {
    const endpoint = `urn:dev:os:libcoap-${library}`;
    // coap-client takes its key as text.
    const key = 'a key of 16 bytes or more';
    const { device: provisioned } = await provision(treeline, endpoint, {
      psk: { key: Buffer.from(key).toString('hex') },
    });
    const { error, log } = await coapClient({
      method: 'post',
      uri: `coaps://127.0.0.1:${port}/rd?ep=${endpoint}&lt=300&lwm2m=1.1`,
      contentFormat: 40,
      payload: '</3/0>',
      psk: { identity: endpoint, key },
      library,
    });
    expect({ error, log }).toMatchObject({ error: null });
    const { registration } = await seen(provisioned);
    expect(registration).toMatchObject({ transport: 'DTLS', security: { kind: 'PSK', name: endpoint } });
  });

  it('lets a device in with its key after the secret key was changed by `treeline reseal`', async () => {
    const endpoint = 'urn:dev:os:resealed';
    const key = 'a key of 16 bytes or more';
    await provision(treeline, endpoint, { psk: { key: Buffer.from(key).toString('hex') } });
    await treeline.stop();
    const keyFile = join(installation.settings['TREELINE_DATA_DIR'] ?? '', 'secret.key');
    const old = await readFile(keyFile, 'utf8');
    const command = new PeerProcess('reseal', process.execPath, ['--import', 'tsx', 'src/cli.ts', 'reseal'], {
      env: { ...process.env, ...installation.settings },
    });
    expect(await command.exited).toBe(0);
    expect(command.lines).toEqual([expect.stringMatching(/^Encrypted [1-9]\d* secrets with the new key\.$/)]);
    expect(await readFile(keyFile, 'utf8')).not.toBe(old);
    await start();
    const { error } = await coapClient({
      method: 'post',
      uri: `coaps://127.0.0.1:${port}/rd?ep=${endpoint}&lt=300&lwm2m=1.1`,
      contentFormat: 40,
      payload: '</3/0>',
      psk: { identity: endpoint, key },
    });
    expect(error).toBeNull();
  });
});
