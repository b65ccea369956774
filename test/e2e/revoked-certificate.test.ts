import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:tls';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Authority, certify } from '../dtls/certificates.ts';
import { openCertificateSession } from './certificate-session.ts';
import { runTreeline, type TreelineProcess } from './treeline-process.ts';

const DAY = 86_400_000;
const DTLS = 'urn:dev:os:dtls';
const TLS = 'urn:dev:os:tls';

let treeline: TreelineProcess;
const cleanUp: (() => void)[] = [];

beforeAll(async () => {
  treeline = await runTreeline();
  for (const endpoint of [DTLS, TLS]) {
    await treeline.query(
      `mutation ($endpoint: String!) {
        provisionDevice(input: { endpoint: $endpoint, security: { certificate: {} } }) { __typename }
      }`,
      { endpoint },
    );
  }
});

afterEach(() => cleanUp.splice(0).forEach((step) => step()));

afterAll(() => treeline?.stop());

/** Makes a trust anchor of the tenant and a certificate from it for each of two devices. */
async function factory() {
  const valid = { notBefore: Date.now() - DAY, notAfter: Date.now() + DAY };
  const root = certify('Factory', null, valid);
  const { addTrustAnchor } = await treeline.query<{ addTrustAnchor: { trustAnchor: { id: string } } }>(
    `mutation ($certificate: String!) {
      addTrustAnchor(input: { name: "Factory", certificate: $certificate }) {
        ... on AddTrustAnchorPayload { trustAnchor { id } }
      }
    }`,
    { certificate: root.certificate.toString('base64') },
  );
  return { id: addTrustAnchor.trustAnchor.id, root, dtls: certify(DTLS, root, valid), tls: certify(TLS, root, valid) };
}

/** Opens a DTLS session; `ended` resolves with the alert that ends it. */
async function overDtls(authority: Authority) {
  const session = await openCertificateSession(treeline.coaps, authority);
  cleanUp.push(session.close);
  return session;
}

/** Opens an accepted TLS connection; `ended` resolves when the server closes it. */
async function overTls({ certificate, privateKey }: Authority) {
  const { hostname, port } = new URL(
    (/coaps\+tcp:\/\/\S+/.exec(treeline.output())?.[0] ?? '').replace('coaps+tcp', 'http'),
  );
  const socket = connect({
    host: hostname,
    port: Number(port),
    rejectUnauthorized: false,
    ALPNProtocols: ['coap'],
    cert: new X509Certificate(certificate).toString(),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
  });
  cleanUp.push(() => socket.destroy());
  // The Capabilities and Settings Message (CSM) of the server.
  await once(socket, 'data');
  const closed = once(socket.resume(), 'close');
  return { socket, ended: () => closed };
}

async function revoke({ certificate }: Authority): Promise<void> {
  const { revokeCertificate } = await treeline.query<{ revokeCertificate: object }>(
    `mutation ($fingerprint: String!) {
      revokeCertificate(input: { fingerprint: $fingerprint, reason: "stolen" }) { __typename }
    }`,
    { fingerprint: new X509Certificate(certificate).fingerprint256 },
  );
  expect(revokeCertificate).toEqual({ __typename: 'RevokeCertificatePayload' });
}

it('ends only the session of the device whose certificate is revoked', async () => {
  const { dtls, tls } = await factory();
  const [session, connection] = [await overDtls(dtls), await overTls(tls)];
  await revoke(dtls);
  expect(await session.ended()).toBe('access_denied');
  expect(connection.socket.destroyed).toBe(false);
  const other = await overDtls(tls);
  await revoke(tls);
  expect(await other.ended()).toBe('access_denied');
  await connection.ended();
});

it('ends the sessions of devices whose issuer is revoked', async () => {
  const { root, dtls, tls } = await factory();
  const [session, connection] = [await overDtls(dtls), await overTls(tls)];
  await revoke(root);
  expect(await session.ended()).toBe('access_denied');
  await connection.ended();
});

it('ends the sessions of devices whose trust anchor is removed', async () => {
  const { id, dtls, tls } = await factory();
  const [session, connection] = [await overDtls(dtls), await overTls(tls)];
  await treeline.query('mutation ($id: ID!) { removeTrustAnchor(input: { id: $id }) { __typename } }', { id });
  expect(await session.ended()).toBe('access_denied');
  await connection.ended();
});
