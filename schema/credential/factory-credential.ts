import type { FactoryCredential } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { encodeGlobalId, idOf } from '../global-id.ts';
import { DeviceProfileNode } from '../nodes.ts';
import { GENERATED_KEY, integer, NAME, PSK_IDENTITY, PSK_KEY, text } from '../rules.ts';
import { KEY_LENGTH } from './credential.ts';

const FactoryCredentialType = builder.objectRef<FactoryCredential>('FactoryCredential').implement({
  description:
    'A pre-shared key that many devices have from the factory. A device that authenticates with it can bootstrap; if it is unknown, it is added to the tenant. It can’t be used for a device that has its own credential, except for devices that were added with it.',
  fields: (t) => ({
    id: t.id({
      description: 'The factory credential’s global id; pass it to `revokeFactoryCredential`.',
      resolve: ({ id }) => encodeGlobalId('FactoryCredential', id),
    }),
    name: t.exposeString('name', { description: 'A name for people: `"Batch 2026-11"`.' }),
    identity: t.exposeString('identity', { description: 'The PSK identity: `"factory-7"`.' }),
    endpointPattern: t.exposeString('endpointPattern', {
      description: 'The endpoint names that may use it; `*` matches any text: `"urn:imei:35*"`.',
    }),
    profile: t.field({
      type: DeviceProfileNode,
      description: 'The profile of devices that are added with it.',
      resolve: ({ profileId }) => profileId,
    }),
    mostDevices: t.exposeInt('mostDevices', {
      description: 'The maximum number of devices that can be added with it: `1000`.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the factory credential was created.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When the server stops accepting it: `"2027-05-01T00:00:00Z"`.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the factory credential was revoked; null if it was not.',
    }),
  }),
});

builder.queryField('factoryCredentials', (t) =>
  t.field({
    type: [FactoryCredentialType],
    nullable: true,
    description:
      'Lists the tenant’s factory credentials, newest first. Only for admins. A caller with another role gets null, with the error at this field.',
    authScopes: { admin: true },
    resolve: async (_root, _args, { fleet, actor }) => [...(await fleet.bootstraps.factoryCredentials(actor))],
  }),
);

type Made = { readonly credential: FactoryCredential; readonly keyHex: string };
type MadeFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Made>;
type Fields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, FactoryCredential>;

builder.relayMutationField(
  'createFactoryCredential',
  {
    description:
      'The new factory credential: `{ name: "Batch 2026-11", identity: "factory-7", endpointPattern: "urn:imei:35*", mostDevices: 1000, expiresAt: "2027-05-01T00:00:00Z" }`.',
    inputFields: (t) => ({
      name: t.string({
        required: true,
        description: 'A name for people: `"Batch 2026-11"`.',
        validate: NAME,
      }),
      identity: t.string({
        required: true,
        description: 'The PSK identity, unique among all tenants: `"factory-7"`.',
        validate: PSK_IDENTITY,
      }),
      key: t.string({
        description: 'An existing key: `"000102030405060708090a0b0c0d0e0f"`. Absent or null: the server generates one.',
        validate: PSK_KEY,
      }),
      keyLength: t.int({ description: KEY_LENGTH, validate: GENERATED_KEY }),
      endpointPattern: t.string({
        required: true,
        description: 'The endpoint names that may use it; `*` matches any text: `"urn:imei:35*"`.',
        validate: text({ most: 252 }),
      }),
      profileId: t.id({
        description: 'The profile of devices that are added with it. Absent or null: the tenant’s default profile.',
      }),
      mostDevices: t.int({
        required: true,
        description: 'The maximum number of devices that can be added with it: `1000`.',
        validate: integer(1, 1_000_000),
      }),
      expiresAt: t.field({
        type: 'DateTime',
        required: true,
        description: 'When the server stops accepting it: `"2027-05-01T00:00:00Z"`.',
      }),
    }),
  },
  {
    description:
      'Creates a factory credential: devices that are not provisioned can bootstrap with it and are then added to the tenant. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateFactoryCredential', {
      role: 'admin',
      validation: 'a field is invalid, or the tenant has no profile with this id',
      conflict: 'another credential has this identity, or the tenant already has 100 factory credentials',
    }),
    resolve: (_root, { input: { profileId, ...input } }, { fleet, actor }): Promise<Made> =>
      fleet.bootstraps.createFactoryCredential(actor, {
        ...input,
        profileId: profileId == null ? null : idOf('DeviceProfile', profileId, 'profileId'),
      }),
  },
  {
    description: 'The new factory credential and its key.',
    outputFields: (t: MadeFields) => ({
      factoryCredential: t.field({
        type: FactoryCredentialType,
        description: 'The new factory credential.',
        resolve: ({ credential }) => credential,
      }),
      keyHex: t.exposeString('keyHex', {
        description: 'The key in hex, to configure on the devices. Store it now: the API can’t show it again.',
      }),
    }),
  },
);

builder.relayMutationField(
  'revokeFactoryCredential',
  {
    description: 'The factory credential to revoke.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'The factory credential’s global id or UUID.' }),
    }),
  },
  {
    description: 'Revokes a factory credential immediately. Devices that were added with it stay. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('RevokeFactoryCredential', {
      role: 'admin',
      validation: 'the id is malformed',
      notFound: 'the tenant has no factory credential with this id',
    }),
    resolve: (_root, { input: { id } }, { fleet, actor }) =>
      fleet.bootstraps.revokeFactoryCredential(actor, idOf('FactoryCredential', id, 'id')),
  },
  {
    description: 'The revoked factory credential.',
    outputFields: (t: Fields) => ({
      factoryCredential: t.field({
        type: FactoryCredentialType,
        description: 'The revoked factory credential.',
        resolve: (credential) => credential,
      }),
    }),
  },
);
