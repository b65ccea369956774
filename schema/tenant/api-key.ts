import * as z from 'zod';
import type { Access } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { encodeGlobalId, idOf } from '../global-id.ts';
import { RoleEnum } from './tenant.ts';

type ApiKey = Awaited<ReturnType<Access['keys']>>[number];
type NewKey = Awaited<ReturnType<Access['createKey']>>;

const ApiKeyType = builder.objectRef<ApiKey>('ApiKey').implement({
  description:
    'An API key: a bearer token of one tenant and one role. The token itself is shown once, when it is made.',
  fields: (t) => ({
    id: t.id({ description: 'Its id, for `revokeApiKey`.', resolve: ({ id }) => encodeGlobalId('ApiKey', id) }),
    keyId: t.expose('id', { type: 'UUID', description: 'Its plain id, as in `createdBy` of the RPCs it asked.' }),
    name: t.exposeString('name', { description: 'What it is for: `"dashboard"`.' }),
    role: t.expose('role', { type: RoleEnum, description: 'What it may do: `VIEWER`.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
  }),
});

builder.queryField('apiKeys', (t) =>
  t.field({
    type: [ApiKeyType],
    description: 'The tenant’s API keys that are not revoked. For admins.',
    authScopes: { admin: true },
    resolve: async (_root, _args, { fleet, actor }) => [...(await fleet.access.keys(actor))],
  }),
);

builder.relayMutationField(
  'createApiKey',
  {
    description: 'A new key: `{ name: "dashboard", role: VIEWER }`.',
    inputFields: (t) => ({
      name: t.string({
        required: true,
        description: 'What it is for: `"dashboard"`.',
        validate: z.string().trim().min(1, 'is empty').max(255, 'is longer than 255 characters'),
      }),
      role: t.field({ type: RoleEnum, required: true, description: 'What it may do: `VIEWER`.' }),
    }),
  },
  {
    description: 'Makes an API key. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateApiKey'),
    resolve: (_root, { input }, { fleet, actor }) => fleet.access.createKey(actor, input),
  },
  {
    description: 'The key was made.',
    outputFields: (t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, NewKey>) => ({
      id: t.id({
        description: 'The new key’s id, for `revokeApiKey`.',
        resolve: ({ id }) => encodeGlobalId('ApiKey', id),
      }),
      token: t.exposeString('token', {
        description: 'The bearer token, shown this once: `Authorization: Bearer <token>`. It is kept hashed only.',
      }),
    }),
  },
);

builder.relayMutationField(
  'revokeApiKey',
  {
    description: 'Which key.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'The key’s id, or its plain UUID.' }) }),
  },
  {
    description: 'Makes an API key worthless at once: requests with it are refused, its subscriptions end. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('RevokeApiKey'),
    resolve: async (_root, { input }, { fleet, actor }) => {
      const id = idOf('ApiKey', input.id, 'id');
      await fleet.access.revokeKey(actor, id);
      return { id };
    },
  },
  {
    description: 'The key was revoked.',
    outputFields: (t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, { id: string }>) => ({
      id: t.id({ description: 'The id that the key had.', resolve: ({ id }) => encodeGlobalId('ApiKey', id) }),
    }),
  },
);
