import type { Bootstrap } from '../../src/fleet/index.ts';
import type { BootstrapStep } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';
import { DeviceNode } from '../nodes.ts';
import { connection, pageRequest, pageSize } from '../page.ts';
import { choice } from '../rules.ts';
import { SecurityIdentity } from '../device/registration.ts';

const BootstrapStatusEnum = builder.enumType('BootstrapStatus', {
  description: 'The progress of a bootstrap. FINISHED, FAILED and REFUSED are final.',
  values: {
    RUNNING: { description: 'The bootstrap has not ended.' },
    FINISHED: {
      description:
        'The device accepted everything: it acknowledged the Bootstrap-Finish or fetched its Bootstrap-Pack.',
    },
    FAILED: { description: 'The bootstrap ended before it was complete; the device can start a new one immediately.' },
    REFUSED: {
      description: 'The device is not allowed to bootstrap, or has no bootstrap plan; nothing was sent to it.',
    },
  } satisfies Record<Bootstrap['status'], { description: string }>,
});

const BootstrapOperation = builder.enumType('BootstrapOperation', {
  description: 'An operation of the bootstrap interface (Core §6.1).',
  values: {
    DISCOVER: { description: 'Lists the instances that the device has.' },
    DELETE: { description: 'Deletes an instance, all instances of an object, or all instances.' },
    WRITE: { description: 'Writes an instance.' },
    READ: { description: 'Reads Server or Access Control instances.' },
    FINISH: { description: 'Tells the device that the bootstrap is complete (Bootstrap-Finish).' },
    PACK: { description: 'The device fetched the complete configuration in one payload (Bootstrap-Pack, LwM2M 1.2).' },
  } satisfies Record<BootstrapStep['operation'], { description: string }>,
});

const BootstrapStepType = builder.objectRef<BootstrapStep>('BootstrapStep').implement({
  description:
    'One step of a bootstrap: the operation and the device’s response. It does not contain the values that were written.',
  fields: (t) => ({
    operation: t.expose('operation', { type: BootstrapOperation, description: 'The operation: `WRITE`.' }),
    path: t.exposeString('path', { description: 'The path of the operation: `"/0/1"`; for FINISH `"/bs"`.' }),
    contentFormat: t.exposeInt('contentFormat', {
      nullable: true,
      description: 'The CoAP content format of the payload that was sent: `11542`; null without a payload.',
    }),
    bytes: t.exposeInt('bytes', { description: 'The number of payload bytes that were sent or read: `87`.' }),
    code: t.exposeString('code', {
      nullable: true,
      description: 'The CoAP code of the device’s response: `"2.04"`; null if there was none.',
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'The diagnostic text of the device’s refusal, or why there was no response; otherwise null.',
    }),
    startedAt: t.field({
      type: 'DateTime',
      description: 'When the step started.',
      resolve: ({ startedAt }) => new Date(startedAt),
    }),
    endedAt: t.field({
      type: 'DateTime',
      description: 'When the response arrived, or the step failed.',
      resolve: ({ endedAt }) => new Date(endedAt),
    }),
  }),
});

export const BootstrapType = builder.objectRef<Bootstrap>('Bootstrap').implement({
  description:
    'A bootstrap: the device requested its servers and credentials (Core §6.1). It shows the steps and the result.',
  fields: (t) => ({
    bootstrapId: t.expose('id', { type: 'UUID', description: 'The bootstrap’s UUID.' }),
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description: 'The device; null if the bootstrap was refused and the tenant has no such device.',
      resolve: ({ deviceId }) => deviceId,
    }),
    endpoint: t.exposeString('endpoint', {
      nullable: true,
      description: 'The endpoint name that the device sent or authenticated with: `"urn:imei:123"`; null if unknown.',
    }),
    status: t.expose('status', {
      type: BootstrapStatusEnum,
      description: 'The progress of the bootstrap: `FINISHED`.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why the bootstrap failed or was refused; otherwise null.',
    }),
    pack: t.exposeBoolean('pack', {
      description:
        'True: the device requested a Bootstrap-Pack, the complete configuration in one payload (LwM2M 1.2).',
    }),
    address: t.exposeString('address', { description: 'The device’s address: `"192.0.2.7:56830"`.' }),
    security: t.expose('security', {
      type: SecurityIdentity,
      nullable: true,
      description: 'The identity with which the device authenticated; null without security.',
    }),
    lwm2mVersion: t.exposeString('lwm2mVersion', {
      nullable: true,
      description: 'The LwM2M version of the device: `"1.1"`; null if it did not send one.',
    }),
    steps: t.field({
      type: [BootstrapStepType],
      description: 'The steps, oldest first.',
      resolve: ({ steps }) => [...steps],
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When the device requested the bootstrap.' }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the bootstrap ended; null until then.',
    }),
  }),
});

const BootstrapEdge = builder.edgeObject({
  type: BootstrapType,
  name: 'BootstrapEdge',
  description: 'A bootstrap and its cursor.',
});

const BootstrapConnection = builder.connectionObject(
  { type: BootstrapType, name: 'BootstrapConnection', description: 'A page of bootstraps.' },
  BootstrapEdge,
);

builder.objectField(DeviceNode, 'bootstraps', (t) =>
  t.connection(
    {
      type: BootstrapType,
      description: 'The device’s last 50 bootstraps, newest first.',
      complexity: (args) => ({ field: 10, multiplier: pageSize(args) }),
      resolve: async ({ id }, page, { fleet, actor }) =>
        connection(await fleet.bootstraps.page(actor, pageRequest(page), { deviceId: id })),
    },
    BootstrapConnection,
    BootstrapEdge,
  ),
);

builder.queryField('bootstraps', (t) =>
  t.connection(
    {
      type: BootstrapType,
      description:
        'Lists the tenant’s bootstraps, newest first, including refused ones of unknown devices. Example: `bootstraps(status: [FAILED, REFUSED], first: 20)`.',
      args: {
        status: t.arg({
          type: [BootstrapStatusEnum],
          description: 'Returns only bootstraps in one of these states: `[FAILED, REFUSED]`. Absent or null: all.',
          validate: choice('states'),
        }),
      },
      resolve: async (_root, { status, ...page }, { fleet, actor }) =>
        connection(await fleet.bootstraps.page(actor, pageRequest(page), status ? { status } : {})),
    },
    BootstrapConnection,
    BootstrapEdge,
  ),
);
