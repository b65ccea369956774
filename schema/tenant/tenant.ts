import { LARGEST_PAGE, type Actor, type TenantId } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import type { CostLimits } from '../limits.ts';

export const RoleEnum = builder.enumType('Role', {
  description: 'The rights of a token. Each role includes the rights of the roles before it.',
  values: {
    VIEWER: {
      value: 'viewer',
      description: 'May query and subscribe, except fields whose description says “Only for admins”.',
    },
    OPERATOR: {
      value: 'operator',
      description: 'May also call devices: read, write, execute, observe, `callRpc`, `cancelRpc`.',
    },
    ADMIN: {
      value: 'admin',
      description:
        'May also provision and delete devices, and manage profiles, object definitions, credentials, bootstrap and API keys.',
    },
  } as const,
});

const Tenant = builder.objectRef<TenantId>('Tenant').implement({
  description: 'An owner of devices and data. A token gives access to the data of one tenant only.',
  fields: (t) => ({
    slug: t.string({
      description: 'The tenant’s id, as in Kafka topics and records: `"default"`.',
      resolve: (tenantId) => tenantId,
    }),
  }),
});

const Limits = builder.objectRef<CostLimits>('Limits').implement({
  description:
    'The limits of one operation. Responses of operations that were executed have the actual cost in `extensions.cost`: `{"complexity": 512, "depth": 6, "maximumComplexity": 50000, "maximumDepth": 15, "remaining": 49488}`. Invalid requests and subscription events do not have it.',
  fields: (t) => ({
    maximumComplexity: t.exposeInt('complexity', {
      description:
        'The highest cost of one operation. Each field counts 1, multiplied by the number of items in the lists around it. A connection counts its page size (`first` or `last`; 50 without them); `devices` counts at most the devices that the tenant has. `objects`, `instances` and `resources` count as many items as the largest device of the tenant had so far. Every other list counts 10 items. A connection inside a device costs 10 itself. Example: `devices(first: 20) { nodes { id } }` costs 1 + 20 × 2 = 41 if there are 20 devices. If an operation costs too much, the error names its most expensive path.',
    }),
    maximumDepth: t.exposeInt('depth', { description: 'The highest number of nested selection levels: `15`.' }),
    maximumPageSize: t.int({
      description: 'The highest `first` or `last` of a connection: 200. A higher value is an error.',
      resolve: () => LARGEST_PAGE,
    }),
  }),
});

const Viewer = builder.objectRef<Actor>('Viewer').implement({
  description: 'The caller, as identified by the token.',
  fields: (t) => ({
    tenant: t.field({
      type: Tenant,
      description: 'The tenant whose data the token gives access to.',
      resolve: ({ tenantId }) => tenantId,
    }),
    role: t.expose('role', { type: RoleEnum, description: 'The token’s role: `OPERATOR`.' }),
    subject: t.exposeString('subject', {
      description:
        'The caller’s name in `createdBy` of RPCs: `"admin-token"`, or `"key:"` followed by the API key’s UUID.',
    }),
    limits: t.field({
      type: Limits,
      description: 'The limits of one operation: complexity, depth, page size.',
      resolve: (_viewer, _args, { limits }) => limits,
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'Returns the caller’s tenant, role and limits. Use it to check a token.',
    resolve: (_root, _args, { actor }) => actor,
  }),
);
