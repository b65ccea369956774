import * as z from 'zod';
import type { FactoryCredential } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { encodeGlobalId, idOf } from '../global-id.ts';
import { DeviceProfileNode } from '../nodes.ts';

const FactoryCredentialType = builder.objectRef<FactoryCredential>('FactoryCredential').implement({
  description:
    'A pre-shared key that many devices leave the factory with. Whoever proves itself with it may bootstrap, and becomes a device of the tenant on first contact; a device that was given a credential of its own is out of its reach, unless it is one of those that it brought.',
  fields: (t) => ({
    id: t.id({
      description: 'Its id, for `revokeFactoryCredential`.',
      resolve: ({ id }) => encodeGlobalId('FactoryCredential', id),
    }),
    name: t.exposeString('name', { description: 'Its name among people: `"Batch 2026-11"`.' }),
    identity: t.exposeString('identity', { description: 'The PSK identity: `"factory-7"`.' }),
    endpointPattern: t.exposeString('endpointPattern', {
      description: 'Which endpoints may come with it; `*` stands for any text: `"urn:imei:35*"`.',
    }),
    profile: t.field({
      type: DeviceProfileNode,
      description: 'The profile of the devices that it makes.',
      resolve: ({ profileId }) => profileId,
    }),
    mostDevices: t.exposeInt('mostDevices', { description: 'How many devices it may bring: `1000`.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'From then on it no longer counts.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked; null when it was not.',
    }),
  }),
});

builder.queryField('factoryCredentials', (t) =>
  t.field({
    type: [FactoryCredentialType],
    description: 'The tenant’s factory credentials, newest first. For admins.',
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
      'A key for a production run: `{ name: "Batch 2026-11", identity: "factory-7", endpointPattern: "urn:imei:35*", mostDevices: 1000, expiresAt: "2027-05-01T00:00:00Z" }`.',
    inputFields: (t) => ({
      name: t.string({
        required: true,
        description: 'Its name among people: `"Batch 2026-11"`.',
        validate: z.string().trim().min(1, 'is empty').max(200, 'is longer than 200 characters'),
      }),
      identity: t.string({
        required: true,
        description: 'The PSK identity, 1 to 128 bytes, unique in the whole installation: `"factory-7"`.',
        validate: z.string().min(1, 'is empty').max(128, 'is longer than 128 bytes'),
      }),
      key: t.string({
        description: 'A key of 16 to 64 bytes in hex: `"000102030405060708090a0b0c0d0e0f"`. Absent: made.',
        // Longer ones are refused without being looked at; nothing says the key.
        validate: z.string().max(128, 'is no key of 16 to 64 bytes in hex').nullish(),
      }),
      endpointPattern: t.string({
        required: true,
        description: 'Which endpoints may come with it; `*` stands for any text: `"urn:imei:35*"`.',
        validate: z.string().min(1, 'is empty').max(252, 'is longer than 252 characters'),
      }),
      profileId: t.id({ description: 'The profile of the devices that it makes. Absent: the tenant’s default.' }),
      mostDevices: t.int({
        required: true,
        description: 'How many devices it may bring, 1 to 1000000: `1000`.',
        validate: z.number().int().min(1).max(1_000_000),
      }),
      expiresAt: t.field({ type: 'DateTime', required: true, description: 'From then on it no longer counts.' }),
    }),
  },
  {
    description: 'Lets devices that are not provisioned yet bootstrap and become devices. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateFactoryCredential'),
    resolve: (_root, { input: { profileId, ...input } }, { fleet, actor }): Promise<Made> =>
      fleet.bootstraps.createFactoryCredential(actor, {
        ...input,
        profileId: profileId == null ? null : idOf('DeviceProfile', profileId, 'profileId'),
      }),
  },
  {
    description: 'The factory credential was made.',
    outputFields: (t: MadeFields) => ({
      factoryCredential: t.field({
        type: FactoryCredentialType,
        description: 'The new factory credential.',
        resolve: ({ credential }) => credential,
      }),
      keyHex: t.exposeString('keyHex', {
        description: 'The key in hex for the devices, shown this once; it is kept encrypted.',
      }),
    }),
  },
);

builder.relayMutationField(
  'revokeFactoryCredential',
  {
    description: 'Which factory credential.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'The factory credential’s id, or its plain UUID.' }),
    }),
  },
  {
    description: 'Makes a factory credential worthless at once; the devices that it brought stay. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('RevokeFactoryCredential'),
    resolve: (_root, { input: { id } }, { fleet, actor }) =>
      fleet.bootstraps.revokeFactoryCredential(actor, idOf('FactoryCredential', id, 'id')),
  },
  {
    description: 'The factory credential was revoked.',
    outputFields: (t: Fields) => ({
      factoryCredential: t.field({
        type: FactoryCredentialType,
        description: 'The factory credential as it is now.',
        resolve: (credential) => credential,
      }),
    }),
  },
);
