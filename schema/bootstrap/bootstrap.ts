import type { Bootstrap } from '../../src/fleet/index.ts';
import type { BootstrapStep } from '../../src/lwm2m/index.ts';
import { builder } from '../builder.ts';
import { DeviceNode } from '../nodes.ts';
import { connection, pageRequest, pageSize } from '../page.ts';
import { SecurityIdentity } from '../device/registration.ts';

const BootstrapStatusEnum = builder.enumType('BootstrapStatus', {
  description: 'Where a bootstrap stands. FINISHED, FAILED and REFUSED are ends.',
  values: {
    RUNNING: { description: 'Its steps go on.' },
    FINISHED: { description: 'The device took everything: it acknowledged the Finish, or fetched its pack.' },
    FAILED: { description: 'It ended in the middle; the device may begin another at once.' },
    REFUSED: { description: 'The device may not bootstrap, or there is no plan for it: nothing was sent.' },
  } satisfies Record<Bootstrap['status'], { description: string }>,
});

const BootstrapOperation = builder.enumType('BootstrapOperation', {
  description: 'An operation of the bootstrap interface (Core §6.1).',
  values: {
    DISCOVER: { description: 'What instances does the device have?' },
    DELETE: { description: 'Delete an instance, those of an object, or all.' },
    WRITE: { description: 'Write an instance.' },
    READ: { description: 'Read Server or Access Control instances back.' },
    FINISH: { description: 'Nothing more comes.' },
    PACK: { description: 'Everything in one payload, which the device fetched (1.2).' },
  } satisfies Record<BootstrapStep['operation'], { description: string }>,
});

const BootstrapStepType = builder.objectRef<BootstrapStep>('BootstrapStep').implement({
  description: 'One step of a bootstrap: what was done and what the device said, never what was written.',
  fields: (t) => ({
    operation: t.expose('operation', { type: BootstrapOperation, description: 'What was done: `WRITE`.' }),
    path: t.exposeString('path', { description: 'Where: `"/0/1"`, or `"/bs"` of a Finish.' }),
    contentFormat: t.exposeInt('contentFormat', {
      nullable: true,
      description: 'The CoAP content format of what was sent: `11542`; null without a payload.',
    }),
    bytes: t.exposeInt('bytes', { description: 'Payload bytes that were sent or read: `87`.' }),
    code: t.exposeString('code', {
      nullable: true,
      description: 'The CoAP code of the device’s answer: `"2.04"`; null when none came.',
    }),
    message: t.exposeString('message', {
      nullable: true,
      description: 'What the device said with a refusal, or why there was no answer.',
    }),
    startedAt: t.field({
      type: 'DateTime',
      description: 'When it began.',
      resolve: ({ startedAt }) => new Date(startedAt),
    }),
    endedAt: t.field({
      type: 'DateTime',
      description: 'When the answer was there.',
      resolve: ({ endedAt }) => new Date(endedAt),
    }),
  }),
});

export const BootstrapType = builder.objectRef<Bootstrap>('Bootstrap').implement({
  description:
    'One time that a device asked to be told its servers and credentials (Core §6.1), and what became of it.',
  fields: (t) => ({
    bootstrapId: t.expose('id', { type: 'UUID', description: 'Its plain id.' }),
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description: 'The device; null when it was refused and is none of the tenant’s.',
      resolve: ({ deviceId }) => deviceId,
    }),
    endpoint: t.exposeString('endpoint', {
      nullable: true,
      description: 'The endpoint name that it gave or proved: `"urn:imei:123"`.',
    }),
    status: t.expose('status', { type: BootstrapStatusEnum, description: 'Where it stands: `FINISHED`.' }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why it failed or was refused.' }),
    pack: t.exposeBoolean('pack', { description: 'Whether the device asked for everything in one payload (1.2).' }),
    address: t.exposeString('address', { description: 'Where it came from: `"192.0.2.7:56830"`.' }),
    security: t.expose('security', {
      type: SecurityIdentity,
      nullable: true,
      description: 'As whom it authenticated itself; null without security.',
    }),
    lwm2mVersion: t.exposeString('lwm2mVersion', {
      nullable: true,
      description: 'The version that the device says it speaks: `"1.1"`; null when it did not say.',
    }),
    steps: t.field({
      type: [BootstrapStepType],
      description: 'Its steps, in order.',
      resolve: ({ steps }) => [...steps],
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When the device asked.' }),
    endedAt: t.expose('endedAt', { type: 'DateTime', nullable: true, description: 'When it ended; null until then.' }),
  }),
});

const BootstrapEdge = builder.edgeObject({
  type: BootstrapType,
  name: 'BootstrapEdge',
  description: 'A bootstrap and its place in the list.',
});

const BootstrapConnection = builder.connectionObject(
  { type: BootstrapType, name: 'BootstrapConnection', description: 'A page of bootstraps.' },
  BootstrapEdge,
);

builder.objectField(DeviceNode, 'bootstraps', (t) =>
  t.connection(
    {
      type: BootstrapType,
      description: 'Its bootstraps, newest first; the last 50 are kept.',
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
        'The tenant’s bootstraps, newest first, with those that were refused to devices that it does not have. Example: `bootstraps(status: [FAILED, REFUSED], first: 20)`.',
      args: {
        status: t.arg({
          type: [BootstrapStatusEnum],
          description: 'Only those in one of these states: `[FAILED, REFUSED]`. Absent: all.',
        }),
      },
      resolve: async (_root, { status, ...page }, { fleet, actor }) =>
        connection(await fleet.bootstraps.page(actor, pageRequest(page), status ? { status } : {})),
    },
    BootstrapConnection,
    BootstrapEdge,
  ),
);
