import {
  FleetError,
  type CredentialPurpose,
  type DeviceCredential,
  type IssuedCredential,
  type NewCredential,
} from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { encodeGlobalId, idOf } from '../global-id.ts';
import { SecurityKind } from '../device/registration.ts';
import { GENERATED_KEY, integer, PSK_IDENTITY, PSK_KEY, text } from '../rules.ts';

const CredentialPurposeEnum = builder.enumType('CredentialPurpose', {
  description: 'The server that accepts a credential.',
  values: {
    LWM2M: { value: 'lwm2m', description: 'The LwM2M server accepts it: the device can register.' },
    BOOTSTRAP: {
      value: 'bootstrap',
      description: 'The bootstrap server accepts it: the device can fetch its configuration.',
    },
  } as const satisfies Record<string, { value: CredentialPurpose; description: string }>,
});

export const DeviceCredentialType = builder.objectRef<DeviceCredential>('DeviceCredential').implement({
  description: 'A credential with which a device authenticates over DTLS. It does not contain the secret.',
  fields: (t) => ({
    id: t.id({
      description: 'The credential’s global id; pass it to `rotateCredential` or `revokeCredential`.',
      resolve: ({ id }) => encodeGlobalId('DeviceCredential', id),
    }),
    kind: t.expose('kind', { type: SecurityKind, description: 'The kind of credential: `PSK`.' }),
    purpose: t.expose('purpose', { type: CredentialPurposeEnum, description: 'The server that accepts it: `LWM2M`.' }),
    identity: t.exposeString('identity', {
      description:
        'PSK: the identity, `"urn:imei:123"`. RPK: the SHA-256 of the public key in hex. X509: the common name of the device’s certificates.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the credential was created.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the credential stops being accepted: the end of a rotation’s overlap. Null: it is valid until it is revoked.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the credential was revoked; null if it was not.',
    }),
  }),
});

export const PskSecretType = builder.objectRef<NonNullable<IssuedCredential['secret']>>('PskSecret').implement({
  description:
    'The PSK identity and key to configure on a device. Store them now: the server keeps the key encrypted and can’t show it again.',
  fields: (t) => ({
    identity: t.exposeString('identity', {
      description: 'The PSK identity: `"urn:imei:123"`. It belongs in resource 3 of the device’s Security object (/0).',
    }),
    keyHex: t.exposeString('keyHex', {
      description:
        'The key in hex: 64 digits if the server generated 32 bytes. It belongs in resource 5 of the device’s Security object (/0).',
    }),
  }),
});

/** The description of `keyLength` wherever the server can generate a key. */
export const KEY_LENGTH =
  'The bytes of a generated key: `16` for devices that can’t hold longer keys, or `32`. Absent or null: 32. Give either this or `key`.';

const PskInput = builder.inputType('PskInput', {
  description: 'A pre-shared key. `{}` generates a key of 32 random bytes; its identity is the endpoint name.',
  fields: (t) => ({
    identity: t.string({
      description:
        'The PSK identity, unique among all tenants: `"urn:imei:123"`. Absent or null: the endpoint name, with a suffix if another credential has it.',
      validate: PSK_IDENTITY,
    }),
    key: t.string({
      description:
        'An existing key of the device: `"000102030405060708090a0b0c0d0e0f"`. Absent or null: the server generates one.',
      validate: PSK_KEY,
    }),
    keyLength: t.int({ description: KEY_LENGTH, validate: GENERATED_KEY }),
  }),
});

const RawPublicKeyInput = builder.inputType('RawPublicKeyInput', {
  description: 'The public key of the device’s key pair.',
  fields: (t) => ({
    publicKey: t.string({
      required: true,
      description:
        'An EC key on P-256, as SubjectPublicKeyInfo in PEM or in base64 of DER: `"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…"`.',
      validate: text({ most: 4_096, lines: true }),
    }),
  }),
});

const CertificateNameInput = builder.inputType('CertificateNameInput', {
  description:
    'The name in the device’s certificates; one of the tenant’s trust anchors must have issued them. `{}` expects the endpoint name.',
  fields: (t) => ({
    commonName: t.string({
      description:
        'The common name (CN) of the certificates’ subject: `"urn:imei:123"`. Absent or null: the endpoint name.',
      validate: text({ most: 200 }),
    }),
  }),
});

export const CredentialInput = builder.inputType('CredentialInput', {
  description:
    'A new credential of exactly one kind: `{ psk: {} }`. Give one field; the others must be absent, and null is an error.',
  isOneOf: true,
  fields: (t) => ({
    psk: t.field({ type: PskInput, description: 'A pre-shared key: `{}` generates one.' }),
    rawPublicKey: t.field({ type: RawPublicKeyInput, description: 'A raw public key (RFC 7250).' }),
    certificate: t.field({
      type: CertificateNameInput,
      description: 'X.509 certificates: `{}` expects the endpoint name.',
    }),
  }),
});

/** The path in a `CredentialInput` of each field that an error of the fleet can name. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  identity: ['psk', 'identity'],
  key: ['psk', 'key'],
  keyLength: ['psk', 'keyLength'],
  publicKey: ['rawPublicKey', 'publicKey'],
  subject: ['certificate', 'commonName'],
};

/** Converts the input to a credential of the fleet. Throws FleetError VALIDATION. */
export function newCredential(
  { psk, rawPublicKey, certificate }: typeof CredentialInput.$inferInput,
  field: string,
): NewCredential {
  if (psk) return { kind: 'psk', identity: psk.identity, key: psk.key, keyLength: psk.keyLength };
  if (rawPublicKey) return { kind: 'rpk', publicKey: rawPublicKey.publicKey };
  if (certificate) return { kind: 'x509', subject: certificate.commonName };
  throw new FleetError('VALIDATION', 'exactly one of psk, rawPublicKey and certificate is required', {
    field: [field],
  });
}

/** Replaces the field of a credential’s error by its path in the mutation’s input: `.catch(within('credential'))`. */
export function within(field: string): (error: unknown) => never {
  return (error) => {
    const place = error instanceof FleetError && error.code === 'VALIDATION' && PLACES[error.field[0] ?? ''];
    if (!place) throw error;
    throw new FleetError('VALIDATION', error.message, { field: [field, ...place], cause: error });
  };
}

type IssuedFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, IssuedCredential>;
type CredentialFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, DeviceCredential>;

/** The payload of mutations that create a credential. */
export function issuedFields(t: IssuedFields) {
  return {
    credential: t.field({
      type: DeviceCredentialType,
      description: 'The new credential.',
      resolve: ({ credential }) => credential,
    }),
    secret: t.field({
      type: PskSecretType,
      nullable: true,
      description:
        'The PSK identity and key to configure on the device. Store them now: the API can’t show the key again. Null for raw public keys and certificates.',
      resolve: ({ secret }) => secret,
    }),
  };
}

const idField = { required: true, description: 'The credential’s global id or UUID.' } as const;

builder.relayMutationField(
  'createCredential',
  {
    description: 'The device and its new credential: `{ deviceId: "…", credential: { psk: {} } }`.',
    inputFields: (t) => ({
      deviceId: t.id({ required: true, description: 'The device’s global id or UUID.' }),
      credential: t.field({
        type: CredentialInput,
        required: true,
        description: 'The credential to add; the device’s other credentials stay valid.',
      }),
    }),
  },
  {
    description:
      'Adds a DTLS credential to a device. From then on the device can’t register without security, also after the credential is revoked; a registration without security ends. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateCredential', {
      role: 'admin',
      validation: 'a field is invalid',
      notFound: 'the tenant has no device with this id',
      conflict: 'another credential has this identity, or the device already has 16 credentials',
    }),
    resolve: (_root, { input: { deviceId, credential } }, { fleet, actor }) =>
      fleet.credentials
        .create(actor, idOf('Device', deviceId, 'deviceId'), newCredential(credential, 'credential'))
        .catch(within('credential')),
  },
  { description: 'The new credential.', outputFields: issuedFields },
);

builder.relayMutationField(
  'rotateCredential',
  {
    description: 'The PSK to replace, and how long both keys are valid: `{ id: "…", overlapSeconds: 86400 }`.',
    inputFields: (t) => ({
      id: t.id(idField),
      overlapSeconds: t.int({
        required: true,
        description:
          'Seconds during which the old key is also valid: `86400`. Configure the new key on the device during this time.',
        validate: integer(0, 7_776_000),
      }),
    }),
  },
  {
    description:
      'Replaces a PSK: creates a new key with a new identity. When the overlap ends, the server stops accepting the old key and ends its sessions. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('RotateCredential', {
      role: 'admin',
      validation: 'the credential is not a PSK',
      notFound: 'the tenant has no credential with this id',
      conflict: 'the credential has ended or was already rotated, or the device already has 16 credentials',
    }),
    resolve: (_root, { input: { id, overlapSeconds } }, { fleet, actor }) =>
      fleet.credentials.rotate(actor, idOf('DeviceCredential', id, 'id'), { overlapSeconds }),
  },
  { description: 'The new credential.', outputFields: issuedFields },
);

builder.relayMutationField(
  'revokeCredential',
  { description: 'The credential to revoke.', inputFields: (t) => ({ id: t.id(idField) }) },
  {
    description:
      'Revokes a credential immediately: its sessions and the registration that used it end. The device still can’t register without security. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('RevokeCredential', {
      role: 'admin',
      validation: 'the id is malformed',
      notFound: 'the tenant has no credential with this id',
    }),
    resolve: (_root, { input: { id } }, { fleet, actor }) =>
      fleet.credentials.revoke(actor, idOf('DeviceCredential', id, 'id')),
  },
  {
    description: 'The revoked credential.',
    outputFields: (t: CredentialFields) => ({
      credential: t.field({
        type: DeviceCredentialType,
        description: 'The revoked credential.',
        resolve: (credential) => credential,
      }),
    }),
  },
);
