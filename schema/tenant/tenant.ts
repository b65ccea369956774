import type { Actor, TenantId } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import type { CostLimits } from '../limits.ts';
import { LARGEST_PAGE } from '../page.ts';

export const RoleEnum = builder.enumType('Role', {
  description: 'What a token may do.',
  values: {
    VIEWER: { value: 'viewer', description: 'Read and subscribe.' },
    OPERATOR: { value: 'operator', description: 'Also ask things of devices: operations and RPC.' },
    ADMIN: {
      value: 'admin',
      description: 'Also provision devices, and administer profiles, device credentials and API keys.',
    },
  } as const,
});

const Tenant = builder.objectRef<TenantId>('Tenant').implement({
  description: 'Whose data it is. A token sees and changes that of one tenant only.',
  fields: (t) => ({
    slug: t.string({
      description: 'The tenant’s short name, as in topics and events: `"acme"`.',
      resolve: (tenantId) => tenantId,
    }),
  }),
});

const Limits = builder.objectRef<CostLimits>('Limits').implement({
  description:
    'What one operation may cost. What it does cost stands with every answer, in `extensions.cost`: `{"complexity": 512, "depth": 6, "maximumComplexity": 50000, "maximumDepth": 15, "remaining": 49488}`.',
  fields: (t) => ({
    maximumComplexity: t.exposeInt('complexity', {
      description:
        'Each field counts 1, times the items its lists may hold: a connection’s page size (first or last), 5 for objects, 2 for instances, 10 for other lists.',
    }),
    maximumDepth: t.exposeInt('depth', { description: 'How deep selections may be nested.' }),
    maximumPageSize: t.int({
      description: 'The greatest first or last of a connection; more is an error.',
      resolve: () => LARGEST_PAGE,
    }),
  }),
});

const Viewer = builder.objectRef<Actor>('Viewer').implement({
  description: 'Who the token is.',
  fields: (t) => ({
    tenant: t.field({ type: Tenant, description: 'Whose data it sees.', resolve: ({ tenantId }) => tenantId }),
    role: t.expose('role', { type: RoleEnum, description: 'What it may do: `OPERATOR`.' }),
    subject: t.exposeString('subject', {
      description: 'As whom its calls are recorded: `"admin-token"`, or `"key:"` and the API key’s id.',
    }),
    limits: t.field({
      type: Limits,
      description: 'What its queries may cost.',
      resolve: (_viewer, _args, { limits }) => limits,
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'Who the token is: tenant, role, limits.',
    resolve: (_root, _args, { actor }) => actor,
  }),
);
