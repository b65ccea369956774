import * as z from 'zod';
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

const CredentialPurposeEnum = builder.enumType('CredentialPurpose', {
  description: 'What a credential opens.',
  values: {
    LWM2M: { value: 'lwm2m', description: 'The LwM2M server: the device registers with it.' },
    BOOTSTRAP: {
      value: 'bootstrap',
      description: 'The bootstrap server: the device is given its configuration by it.',
    },
  } as const satisfies Record<string, { value: CredentialPurpose; description: string }>,
});

export const DeviceCredentialType = builder.objectRef<DeviceCredential>('DeviceCredential').implement({
  description: 'What a device proves itself with over DTLS; its secret is never shown again.',
  fields: (t) => ({
    id: t.id({
      description: 'Its id, for `rotateCredential` and `revokeCredential`.',
      resolve: ({ id }) => encodeGlobalId('DeviceCredential', id),
    }),
    kind: t.expose('kind', { type: SecurityKind, description: 'What it is: `PSK`.' }),
    purpose: t.expose('purpose', { type: CredentialPurposeEnum, description: 'What it opens: `LWM2M`.' }),
    identity: t.exposeString('identity', {
      description:
        'PSK: its identity, `"urn:imei:123"`. RPK: the SHA-256 of the public key in hex. X509: the common name that its certificates carry.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'From then on it no longer counts: the end of a rotation’s overlap. Null: until it is revoked.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null when it was not.',
    }),
  }),
});

export const PskSecretType = builder.objectRef<NonNullable<IssuedCredential['secret']>>('PskSecret').implement({
  description: 'What a device must be given to prove itself with a PSK. It is shown this once, and kept encrypted.',
  fields: (t) => ({
    identity: t.exposeString('identity', {
      description: 'The PSK identity, for resource 3 of the device’s Security object (/0): `"urn:imei:123"`.',
    }),
    keyHex: t.exposeString('keyHex', {
      description:
        'The key in hex, for resource 5 of the device’s Security object (/0): 64 digits when it was made here.',
    }),
  }),
});

const PskInput = builder.inputType('PskInput', {
  description: 'A pre-shared key: `{}` makes one of 32 random bytes under the endpoint’s name.',
  fields: (t) => ({
    identity: t.string({
      description:
        'What the device names its key by, 1 to 128 bytes, unique in the whole installation: `"urn:imei:123"`. Absent: its endpoint, with a suffix when that is taken.',
      validate: z.string().min(1, 'is empty').max(128, 'is longer than 128 bytes').nullish(),
    }),
    key: t.string({
      description:
        'A key that the device has already, 16 to 64 bytes in hex: `"000102030405060708090a0b0c0d0e0f"`. Absent: made.',
      // Longer ones are refused without being looked at; nothing says the key.
      validate: z.string().max(128, 'is no key of 16 to 64 bytes in hex').nullish(),
    }),
  }),
});

const RawPublicKeyInput = builder.inputType('RawPublicKeyInput', {
  description: 'The public half of a key that the device holds.',
  fields: (t) => ({
    publicKey: t.string({
      required: true,
      description:
        'An EC key on P-256: its SubjectPublicKeyInfo as PEM, or as DER in base64: `"MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE…"`.',
      validate: z.string().min(1, 'is empty').max(4_096, 'is longer than 4096 characters'),
    }),
  }),
});

const CertificateNameInput = builder.inputType('CertificateNameInput', {
  description: 'The device’s certificates, issued below one of the tenant’s trust anchors: `{}` expects its endpoint.',
  fields: (t) => ({
    commonName: t.string({
      description: 'The common name of their subject, 1 to 200 characters: `"urn:imei:123"`. Absent: its endpoint.',
      validate: z.string().min(1, 'is empty').max(200, 'is longer than 200 characters').nullish(),
    }),
  }),
});

export const CredentialInput = builder.inputType('CredentialInput', {
  description: 'What a device shall prove itself with, exactly one: `{ psk: {} }`.',
  isOneOf: true,
  fields: (t) => ({
    psk: t.field({ type: PskInput, description: 'A pre-shared key.' }),
    rawPublicKey: t.field({ type: RawPublicKeyInput, description: 'A raw public key (RFC 7250).' }),
    certificate: t.field({ type: CertificateNameInput, description: 'X.509 certificates.' }),
  }),
});

/** Where the fleet’s names of inputs stand in a `CredentialInput`. */
const PLACES: Readonly<Record<string, readonly string[]>> = {
  identity: ['psk', 'identity'],
  key: ['psk', 'key'],
  publicKey: ['rawPublicKey', 'publicKey'],
  subject: ['certificate', 'commonName'],
};

/** The credential that was asked for. Throws FleetError VALIDATION. */
export function newCredential(
  { psk, rawPublicKey, certificate }: typeof CredentialInput.$inferInput,
  field: string,
): NewCredential {
  if (psk) return { kind: 'psk', identity: psk.identity, key: psk.key };
  if (rawPublicKey) return { kind: 'rpk', publicKey: rawPublicKey.publicKey };
  if (certificate) return { kind: 'x509', subject: certificate.commonName };
  throw new FleetError('VALIDATION', 'one of psk, rawPublicKey and certificate is wanted', { field: [field] });
}

/** Tells an error of the credential by its place in the mutation’s input: `.catch(within('credential'))`. */
export function within(field: string): (error: unknown) => never {
  return (error) => {
    const place = error instanceof FleetError && error.code === 'VALIDATION' && PLACES[error.field[0] ?? ''];
    if (!place) throw error;
    throw new FleetError('VALIDATION', error.message, { field: [field, ...place], cause: error });
  };
}

type IssuedFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, IssuedCredential>;
type CredentialFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, DeviceCredential>;

/** What a mutation that makes a credential answers with. */
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
      description: 'What the device must be given, shown this once; null for what the device holds itself.',
      resolve: ({ secret }) => secret,
    }),
  };
}

const idField = { required: true, description: 'The credential’s id, or its plain UUID.' } as const;

builder.relayMutationField(
  'createCredential',
  {
    description: 'Another credential for a device: `{ deviceId: "…", credential: { psk: {} } }`.',
    inputFields: (t) => ({
      deviceId: t.id({ required: true, description: 'The device’s global id, or its plain UUID.' }),
      credential: t.field({
        type: CredentialInput,
        required: true,
        description: 'What it shall prove itself with beside what it has.',
      }),
    }),
  },
  {
    description:
      'Lets a device prove itself over DTLS. A device that ever had a credential can not register without security; a registration that it has without ends. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateCredential'),
    resolve: (_root, { input: { deviceId, credential } }, { fleet, actor }) =>
      fleet.credentials
        .create(actor, idOf('Device', deviceId, 'deviceId'), newCredential(credential, 'credential'))
        .catch(within('credential')),
  },
  { description: 'The credential was made.', outputFields: issuedFields },
);

builder.relayMutationField(
  'rotateCredential',
  {
    description: 'Which PSK, and how long it counts beside its successor.',
    inputFields: (t) => ({
      id: t.id(idField),
      overlapSeconds: t.int({
        required: true,
        description:
          'Seconds for which the old key counts as well, so that the device can be given the new one over it, 0 to 7776000 (90 days): `86400`.',
        validate: z.number().int().min(0).max(7_776_000),
      }),
    }),
  },
  {
    description:
      'Makes a new PSK under a new identity in place of one, which counts until the overlap ends; then its sessions end. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('RotateCredential'),
    resolve: (_root, { input: { id, overlapSeconds } }, { fleet, actor }) =>
      fleet.credentials.rotate(actor, idOf('DeviceCredential', id, 'id'), { overlapSeconds }),
  },
  { description: 'The new key was made.', outputFields: issuedFields },
);

builder.relayMutationField(
  'revokeCredential',
  { description: 'Which credential.', inputFields: (t) => ({ id: t.id(idField) }) },
  {
    description:
      'Makes a credential worthless at once: the sessions and the registration that it opened end. The device can still not register without security. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('RevokeCredential'),
    resolve: (_root, { input: { id } }, { fleet, actor }) =>
      fleet.credentials.revoke(actor, idOf('DeviceCredential', id, 'id')),
  },
  {
    description: 'The credential was revoked.',
    outputFields: (t: CredentialFields) => ({
      credential: t.field({
        type: DeviceCredentialType,
        description: 'The credential as it is now.',
        resolve: (credential) => credential,
      }),
    }),
  },
);
