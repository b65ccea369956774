import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { certify } from '../../dtls/certificates.ts';
import { apiWorld, type ApiWorld } from '../../server/api-world.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;

beforeAll(async () => {
  world = await apiWorld(store());
});
afterAll(() => world.stop());

const data: ApiWorld['data'] = (...asked) => world.data(...asked);

interface Credential {
  readonly id: string;
  readonly kind: string;
  readonly identity: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
}

interface Issued {
  readonly __typename: string;
  readonly message?: string;
  readonly field?: readonly string[];
  readonly device?: { readonly id: string };
  readonly credential?: Credential;
  readonly secret?: { readonly identity: string; readonly keyHex: string } | null;
}

const CREDENTIAL = 'credential { id kind purpose identity expiresAt revokedAt }';
const ERRORS = '... on UserError { message } ... on ValidationError { field }';

async function provision(endpoint: string, security?: object, token?: string): Promise<Issued> {
  const { provisionDevice } = await data<{ provisionDevice: Issued }>(
    `mutation ($input: ProvisionDeviceInput!) { provisionDevice(input: $input) {
      __typename ... on ProvisionDevicePayload { device { id } ${CREDENTIAL} secret { identity keyHex } } ${ERRORS}
    } }`,
    { input: { endpoint, ...(security && { security }) } },
    token,
  );
  return provisionDevice;
}

async function issue(
  mutation: 'createCredential' | 'createBootstrapCredential' | 'rotateCredential',
  input: object,
): Promise<Issued> {
  const name = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}`;
  const result = await data<Record<string, Issued>>(
    `mutation ($input: ${name}Input!) { ${mutation}(input: $input) {
      __typename ... on ${name}Payload { ${CREDENTIAL} secret { identity keyHex } } ${ERRORS}
    } }`,
    { input },
  );
  return result[mutation] ?? { __typename: 'none' };
}

async function credentialsOf(id: string | undefined, token?: string): Promise<unknown> {
  const answer = await world.ask(`query ($id: ID!) { device(id: $id) { ${CREDENTIALS} } }`, { id }, token);
  return answer.body;
}
const CREDENTIALS = 'credentials { id kind purpose identity expiresAt revokedAt } handshakes { reason }';

describe('a device that is provisioned with security', () => {
  it('gets a PSK of 32 bytes whose identity is its endpoint', async () => {
    const { device, credential, secret } = await provision('urn:imei:psk', { psk: {} });
    expect(secret).toEqual({ identity: 'urn:imei:psk', keyHex: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await credentialsOf(device?.id)).toEqual({
      data: { device: { credentials: [credential], handshakes: [] } },
      extensions: expect.anything(),
    });
    expect(JSON.stringify(await credentialsOf(device?.id))).not.toContain(secret?.keyHex);
  });

  it('gets a PSK of 16 bytes where that is asked for, and so after a rotation', async () => {
    const { credential, secret } = await provision('urn:imei:short', { psk: { keyLength: 16 } });
    expect(secret?.keyHex).toMatch(/^[0-9a-f]{32}$/);
    const rotated = await issue('rotateCredential', { id: credential?.id, overlapSeconds: 600 });
    expect(rotated.secret?.keyHex).toMatch(/^[0-9a-f]{32}$/);
  });

  it('accepts an existing key of the device', async () => {
    const key = '000102030405060708090A0B0C0D0E0F';
    const { secret } = await provision('urn:imei:own', { psk: { identity: 'own-key', key } });
    expect(secret).toEqual({ identity: 'own-key', keyHex: key.toLowerCase() });
  });

  it('accepts a raw public key, and a certificate name', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
    expect(await provision('urn:imei:rpk', { rawPublicKey: { publicKey: pem } })).toMatchObject({
      credential: { kind: 'RPK', identity: expect.stringMatching(/^[0-9a-f]{64}$/) },
      secret: null,
    });
    expect(await provision('urn:imei:x509', { certificate: {} })).toMatchObject({
      credential: { kind: 'X509', identity: 'urn:imei:x509' },
      secret: null,
    });
  });

  it.each([
    ['a key that is not hex', { psk: { key: 'hunter2hunter2hunter2' } }, ['security', 'psk', 'key']],
    ['a length that no generated key has', { psk: { keyLength: 24 } }, ['security', 'psk', 'keyLength']],
    ['a length beside a key', { psk: { key: '00'.repeat(16), keyLength: 16 } }, ['security', 'psk', 'keyLength']],
    ['a public key that is none', { rawPublicKey: { publicKey: 'AQID' } }, ['security', 'rawPublicKey', 'publicKey']],
  ])('is not there after %s', async (_what, security, field) => {
    const refused = await provision('urn:imei:refused', security);
    expect(refused).toMatchObject({ __typename: 'ValidationError', field });
    expect(refused.message).not.toContain('hunter2');
    expect(await data('{ device(endpoint: "urn:imei:refused") { id } }')).toEqual({ device: null });
  });

  it('is not created if another tenant’s credential has its identity', async () => {
    await provision('urn:imei:here', { psk: { identity: 'taken' } });
    const there = await provision('urn:imei:there', { psk: { identity: 'taken' } }, world.tokens.other);
    expect(there).toEqual({ __typename: 'ConflictError', message: 'another credential has this identity' });
    const query = '{ device(endpoint: "urn:imei:there") { id } }';
    expect(await data(query, {}, world.tokens.other)).toEqual({ device: null });
  });
});

describe('the credentials of a device', () => {
  it('are rotated with both keys valid during the overlap, and revoked', async () => {
    const { device, credential: old } = await provision('urn:imei:rotated', { psk: {} });
    const { credential, secret } = await issue('rotateCredential', { id: old?.id, overlapSeconds: 600 });
    expect(secret?.identity).toMatch(/^urn:imei:rotated#[0-9a-f]{8}$/);
    const revoked = await data(
      `mutation ($id: ID!) { revokeCredential(input: { id: $id }) {
        ... on RevokeCredentialPayload { ${CREDENTIAL} }
      } }`,
      { id: credential?.id },
    );
    const now = { ...credential, revokedAt: expect.stringMatching(/Z$/) };
    expect(revoked).toEqual({ revokeCredential: { credential: now } });
    expect(await credentialsOf(device?.id)).toMatchObject({
      data: { device: { credentials: [now, { ...old, expiresAt: expect.stringMatching(/Z$/) }] } },
    });
  });

  it('can be several', async () => {
    const { device } = await provision('urn:imei:two', { psk: {} });
    const input = { deviceId: device?.id, credential: { psk: { identity: 'second', key: 'abcd' } } };
    expect(await issue('createCredential', input)).toMatchObject({ field: ['credential', 'psk', 'key'] });
    expect(await issue('createCredential', { ...input, credential: { psk: { identity: 'second' } } })).toMatchObject({
      secret: { identity: 'second' },
    });
  });

  it('end a registration without security', async () => {
    await world.device('urn:imei:unproven');
    const query = '{ device(endpoint: "urn:imei:unproven") { id registration { transport } } }';
    const { device } = await data<{ device: { id: string; registration: unknown } }>(query);
    expect(device.registration).toEqual({ transport: 'UDP' });
    expect(await issue('createCredential', { deviceId: device.id, credential: { psk: {} } })).toHaveProperty('secret');
    await expect.poll(() => data(query)).toMatchObject({ device: { registration: null } });
  });

  it('get another identity if the endpoint name is taken', async () => {
    await provision('urn:imei:squatter', { psk: { identity: 'urn:imei:squatted' } }, world.tokens.other);
    const { secret } = await provision('urn:imei:squatted', { psk: {} });
    expect(secret?.identity).toMatch(/^urn:imei:squatted#[0-9a-f]{8}$/);
  });

  it('name the server that accepts them', async () => {
    const { device, credential: first } = await provision('urn:imei:both', { psk: {} });
    const input = { deviceId: device?.id, credential: { psk: { identity: 'to-bootstrap' } } };
    const { credential: second } = await issue('createBootstrapCredential', input);
    expect([first, second]).toMatchObject([{ purpose: 'LWM2M' }, { purpose: 'BOOTSTRAP' }]);
    expect(await credentialsOf(device?.id)).toMatchObject({
      data: { device: { credentials: expect.arrayContaining([first, second]) } },
    });
  });

  it('can only be queried and changed by admins', async () => {
    const { device } = await provision('urn:imei:admins', { psk: {} });
    for (const token of [world.tokens.viewer, world.tokens.operator]) {
      const forbidden = { extensions: { code: 'FORBIDDEN' } };
      expect(await credentialsOf(device?.id, token)).toMatchObject({
        errors: [forbidden, forbidden],
        data: { device: { credentials: null, handshakes: null } },
      });
    }
  });
});

async function revoke(fingerprint: string): Promise<unknown> {
  return data(
    `mutation ($fingerprint: String!) { revokeCertificate(input: { fingerprint: $fingerprint, reason: "stolen" }) {
      ... on RevokeCertificatePayload { fingerprint } ${ERRORS}
    } }`,
    { fingerprint },
  );
}

describe('trust anchors', () => {
  const ADD = `mutation ($input: AddTrustAnchorInput!) { addTrustAnchor(input: $input) {
    __typename ... on AddTrustAnchorPayload { trustAnchor { id name subject fingerprint notAfter } } ${ERRORS}
  } }`;
  const now = Date.now();
  const root = certify('Root', null, { notBefore: now - 60_000, notAfter: now + 60_000 });
  const certificate = root.certificate.toString('base64');

  it('are added, listed and removed by their tenant', async () => {
    const { addTrustAnchor } = await data<{ addTrustAnchor: { trustAnchor: { id: string } } }>(ADD, {
      input: { name: 'Factory', certificate },
    });
    expect(addTrustAnchor.trustAnchor).toMatchObject({ name: 'Factory', subject: 'CN=Root' });
    const list = '{ trustAnchors { id name } }';
    const listed = { id: addTrustAnchor.trustAnchor.id, name: 'Factory' };
    expect(await data(list)).toEqual({ trustAnchors: [listed] });
    expect(await data(list, {}, world.tokens.other)).toEqual({ trustAnchors: [] });
    const remove = `mutation ($id: ID!) { removeTrustAnchor(input: { id: $id }) {
      __typename ... on RemoveTrustAnchorPayload { trustAnchor { id name } }
    } }`;
    const gone = { removeTrustAnchor: { __typename: 'NotFoundError' } };
    expect(await data(remove, { id: listed.id }, world.tokens.other)).toEqual(gone);
    expect(await data(remove, { id: listed.id })).toMatchObject({ removeTrustAnchor: { trustAnchor: listed } });
    expect(await data(remove, { id: listed.id })).toEqual(gone);
  });

  it('must be certificate authorities', async () => {
    const leaf = certify('device', root, { notBefore: now - 60_000, notAfter: now + 60_000 });
    const input = { name: 'Leaf', certificate: leaf.certificate.toString('base64') };
    expect(await data(ADD, { input })).toMatchObject({ addTrustAnchor: { field: ['certificate'] } });
  });

  it('revoke a certificate by its fingerprint', async () => {
    const fingerprint = 'AB:'.repeat(32).slice(0, -1);
    expect(await revoke(fingerprint)).toEqual({ revokeCertificate: { fingerprint: 'ab'.repeat(32) } });
    expect(await revoke('abc')).toMatchObject({ revokeCertificate: { field: ['fingerprint'] } });
  });
});
