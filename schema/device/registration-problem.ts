import type { RegistrationProblem, RegistrationProblemKind } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { DeviceNode } from '../nodes.ts';
import { connection, pageRequest, pageSize } from '../page.ts';
import { choice } from '../rules.ts';
import { SecurityIdentity } from './registration.ts';

const RegistrationProblemKindEnum = builder.enumType('RegistrationProblemKind', {
  description: 'Why a Register or an Update was refused, or a registration lost.',
  values: {
    MALFORMED: {
      description: 'The message breaks a rule of LwM2M: a parameter, the endpoint name or the list of objects.',
    },
    UNSUPPORTED: {
      description: 'The server does not support the version, the content format or the Profile ID.',
    },
    ENDPOINT_MISMATCH: {
      description: 'The endpoint name that was sent is not that of the device to which the credential belongs.',
    },
    UNKNOWN_ENDPOINT: { description: 'No device of the default tenant has the endpoint name: provision it.' },
    SECURITY_REQUIRED: { description: 'The device has credentials, and the message came without DTLS or TLS.' },
    CREDENTIAL_ENDED: { description: 'The credential was revoked or deleted, or has expired.' },
    LIMIT: {
      description:
        'The maximum of registered devices, or of devices that were added automatically (`TREELINE_AUTO_PROVISION_…`), is reached.',
    },
    DISPLACED: {
      description:
        'The registration returned to its former address at least three times within a day: two devices have this endpoint name, or one device changes its network.',
    },
  } satisfies Record<RegistrationProblemKind, { description: string }>,
});

const RegistrationProblemType = builder.objectRef<RegistrationProblem>('RegistrationProblem').implement({
  description:
    'A reason why a device can’t register, or loses its registration. Equal problems are counted in one. It appears after about one second.',
  fields: (t) => ({
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description:
        'The device to which the credential belongs; without security, the device with the endpoint name. Null: the tenant has no such device.',
      resolve: ({ deviceId }) => deviceId,
    }),
    endpoint: t.exposeString('endpoint', {
      nullable: true,
      description:
        'The endpoint name that was sent: `"urn:imei:123"`. It differs from `device.endpoint` for ENDPOINT_MISMATCH. Null if none was sent.',
    }),
    kind: t.expose('kind', { type: RegistrationProblemKindEnum, description: 'The kind: `ENDPOINT_MISMATCH`.' }),
    code: t.exposeString('code', {
      nullable: true,
      description: 'The code of the response: `"4.03"`; null for DISPLACED.',
    }),
    reason: t.exposeString('reason', { description: 'The reason, as in the response to the device.' }),
    address: t.exposeString('address', { description: 'The last address: `"192.0.2.7:56830"`.' }),
    security: t.expose('security', {
      type: SecurityIdentity,
      nullable: true,
      description: 'The identity with which the device authenticated; null without security.',
    }),
    count: t.exposeInt('count', { description: 'How often it happened since `firstAt`: `12`.' }),
    firstAt: t.expose('firstAt', { type: 'DateTime', description: 'When it happened first.' }),
    lastAt: t.expose('lastAt', { type: 'DateTime', description: 'When it happened last.' }),
  }),
});

const RegistrationProblemEdge = builder.edgeObject({
  type: RegistrationProblemType,
  name: 'RegistrationProblemEdge',
  description: 'A registration problem and its cursor.',
});

const RegistrationProblemConnection = builder.connectionObject(
  {
    type: RegistrationProblemType,
    name: 'RegistrationProblemConnection',
    description: 'A page of registration problems.',
  },
  RegistrationProblemEdge,
);

builder.objectField(DeviceNode, 'registrationProblems', (t) =>
  t.connection(
    {
      type: RegistrationProblemType,
      nullable: true,
      description:
        'The device’s last 20 registration problems, newest first. Only for operators and admins: a viewer gets null and an error.',
      authScopes: { operator: true },
      complexity: (args) => ({ field: 10, multiplier: pageSize(args) }),
      resolve: async ({ id }, page, { fleet, actor }) =>
        connection(await fleet.registrationProblems.page(actor, pageRequest(page), { deviceId: id })),
    },
    RegistrationProblemConnection,
    RegistrationProblemEdge,
  ),
);

builder.queryField('registrationProblems', (t) =>
  t.connection(
    {
      type: RegistrationProblemType,
      nullable: true,
      description:
        'Lists the tenant’s registration problems, newest first. Those of unknown devices belong to the default tenant. Example: `registrationProblems(kind: [ENDPOINT_MISMATCH], first: 20)`. Only for operators and admins.',
      authScopes: { operator: true },
      args: {
        kind: t.arg({
          type: [RegistrationProblemKindEnum],
          description: 'Returns only problems of these kinds: `[ENDPOINT_MISMATCH]`. Absent or null: all.',
          validate: choice('kinds'),
        }),
      },
      resolve: async (_root, { kind, ...page }, { fleet, actor }) =>
        connection(await fleet.registrationProblems.page(actor, pageRequest(page), kind ? { kinds: kind } : {})),
    },
    RegistrationProblemConnection,
    RegistrationProblemEdge,
  ),
);
