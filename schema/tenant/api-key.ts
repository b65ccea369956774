import type { Access } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { encodeGlobalId, idOf } from '../global-id.ts';
import { RoleEnum } from './tenant.ts';
import { NAME } from '../rules.ts';

type ApiKey = Awaited<ReturnType<Access['keys']>>[number];
type NewKey = Awaited<ReturnType<Access['createKey']>>;

const ApiKeyType = builder.objectRef<ApiKey>('ApiKey').implement({
  description: 'An API key: a bearer token for one tenant with one role. Only `createApiKey` returns the token itself.',
  fields: (t) => ({
    id: t.id({
      description: 'The key’s global id; pass it to `revokeApiKey`.',
      resolve: ({ id }) => encodeGlobalId('ApiKey', id),
    }),
    keyId: t.expose('id', {
      type: 'UUID',
      description: 'The key’s UUID. RPCs made with this key have `createdBy: "key:<this id>"`.',
    }),
    name: t.exposeString('name', { description: 'The key’s name: `"dashboard"`.' }),
    role: t.expose('role', { type: RoleEnum, description: 'The role of requests with this key: `VIEWER`.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the key was created.' }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.field({
    type: [ApiKeyType],
    nullable: true,
    description:
      'Lists the tenant’s API keys that are not revoked, oldest first. Only for admins. A caller with another role gets null, with the error at this field.',
    authScopes: { admin: true },
    resolve: async (_root, _args, { fleet, actor }) => [...(await fleet.access.keys(actor))],
  }),
);

builder.relayMutationField(
  'createApiKey',
  {
    description: 'The new key: `{ name: "dashboard", role: VIEWER }`.',
    inputFields: (t) => ({
      name: t.string({
        required: true,
        description: 'The key’s name: `"dashboard"`.',
        validate: NAME,
      }),
      role: t.field({ type: RoleEnum, required: true, description: 'The role of requests with this key: `VIEWER`.' }),
    }),
  },
  {
    description: 'Creates an API key and returns its token. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateApiKey', {
      role: 'admin',
      validation: 'the name is empty or too long',
      conflict: 'the tenant already has 200 keys',
    }),
    resolve: (_root, { input }, { fleet, actor }) => fleet.access.createKey(actor, input),
  },
  {
    description: 'The new key.',
    outputFields: (t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, NewKey>) => ({
      id: t.id({
        description: 'The new key’s global id; pass it to `revokeApiKey`.',
        resolve: ({ id }) => encodeGlobalId('ApiKey', id),
      }),
      token: t.exposeString('token', {
        description:
          'The bearer token, for the header `Authorization: Bearer <token>`. Store it now: the server keeps only a hash and can’t show it again.',
      }),
    }),
  },
);

builder.relayMutationField(
  'revokeApiKey',
  {
    description: 'The key to revoke.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'The key’s global id or UUID.' }) }),
  },
  {
    description:
      'Revokes an API key immediately: the server refuses requests with it and ends its subscriptions (WebSocket close code 4403; SSE: a last error KEY_REVOKED). Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('RevokeApiKey', {
      role: 'admin',
      validation: 'the id is malformed',
      notFound: 'the tenant has no such key, or it is already revoked',
    }),
    resolve: async (_root, { input }, { fleet, actor }) => {
      const id = idOf('ApiKey', input.id, 'id');
      await fleet.access.revokeKey(actor, id);
      return { id };
    },
  },
  {
    description: 'The revoked key.',
    outputFields: (t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, { id: string }>) => ({
      id: t.id({ description: 'The global id of the revoked key.', resolve: ({ id }) => encodeGlobalId('ApiKey', id) }),
    }),
  },
);
