import * as z from 'zod';
import {
  RPC_LIMITS,
  type Rpc,
  type RpcError,
  type RpcMode,
  type RpcStatus,
  type RpcTransition,
} from '../../src/fleet/index.ts';
import { builder, type InputFields } from '../builder.ts';
import { reached, resultUnion } from '../errors.ts';
import { idOf } from '../global-id.ts';
import { DeviceNode, RpcNode } from '../nodes.ts';

export const RpcStatusEnum = builder.enumType('RpcStatus', {
  description:
    'Where an RPC stands. QUEUED → SENT → DELIVERED → SUCCESSFUL is the way of one that goes well; SUCCESSFUL, TIMEOUT, EXPIRED, FAILED, CANCELLED and DELETED are ends.',
  values: {
    QUEUED: { description: 'Recorded; it has not left yet, or will be tried again.' },
    SENT: { description: 'It left for the device.' },
    DELIVERED: { description: 'The device acknowledged that it has it.' },
    SUCCESSFUL: { description: 'The device did it.' },
    TIMEOUT: { description: 'The device was away, or did not answer in time.' },
    EXPIRED: { description: 'PERSISTENT: it could not be delivered before `expiresAt`.' },
    FAILED: { description: 'The device refused: `error` says with which code.' },
    CANCELLED: { description: 'It was taken back by `cancelRpc`.' },
    DELETED: { description: 'Its device was deleted.' },
  } satisfies Record<RpcStatus, { description: string }>,
});

const RpcModeEnum = builder.enumType('RpcMode', {
  description: 'How much an RPC is cared for.',
  values: {
    ONE_WAY: { description: 'Sent once; its result is not awaited. The mutation returns once it is recorded.' },
    TWO_WAY: {
      description: 'Sent once; its result is awaited for `timeoutMs`. The mutation returns when the RPC has ended.',
    },
    PERSISTENT: {
      description:
        'Kept until it is delivered or expires, tried again, in order with the device’s others, one at a time. The mutation returns once it is recorded; `rpcChanged` tells what becomes of it.',
    },
  } satisfies Record<RpcMode, { description: string }>,
});

const RpcErrorType = builder.objectRef<RpcError>('RpcError').implement({
  description: 'Why an RPC did not succeed. What a device refuses is told here, not as a GraphQL error.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description: 'For programs: `"DEVICE_ERROR"`, `"DEVICE_UNREACHABLE"`, `"TIMEOUT"`, `"BAD_ANSWER"`, `"EXPIRED"`…',
    }),
    coapCode: t.exposeString('coapCode', {
      nullable: true,
      description: 'The CoAP code that the device answered with: `"4.04"`; null when it did not answer.',
    }),
    message: t.exposeString('message', { description: 'For people: `"the device answered 4.05 Method Not Allowed"`.' }),
  }),
});

const RpcTransitionType = builder.objectRef<RpcTransition>('RpcTransition').implement({
  description: 'One change of an RPC’s status.',
  fields: (t) => ({
    from: t.expose('from', {
      type: RpcStatusEnum,
      nullable: true,
      description: 'The status before; null at the start.',
    }),
    to: t.expose('to', { type: RpcStatusEnum, description: 'The status after: `SENT`.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When it changed.' }),
    detail: t.exposeString('detail', { nullable: true, description: 'Why, where there is more to say.' }),
  }),
});

builder.objectType(RpcNode, {
  description: 'One thing asked of a device: what, by whom, when, and what came back.',
  fields: (t) => ({
    rpcId: t.expose('id', { type: 'UUID', description: 'The plain id behind the global one.' }),
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description: 'The device it was asked of; null once that is deleted.',
      resolve: ({ deviceId }) => deviceId,
    }),
    deviceId: t.expose('deviceId', { type: 'UUID', description: 'The platform’s plain id of the device.' }),
    method: t.exposeString('method', {
      description:
        'What was asked: `"reboot"`, a method of the profile, or an operation: `"read"`, `"write"`, `"observe"`…',
    }),
    params: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The parameters as they were given, secrets blanked: `{"paths": ["/3/0/9"]}`.',
      resolve: ({ params }) => params,
    }),
    mode: t.expose('mode', { type: RpcModeEnum, description: 'How much it is cared for: `TWO_WAY`.' }),
    status: t.expose('status', { type: RpcStatusEnum, description: 'Where it stands: `SUCCESSFUL`.' }),
    attempts: t.exposeInt('attempts', { description: 'How often it was sent: `1`.' }),
    timeoutMs: t.exposeInt('timeoutMs', { description: 'Milliseconds that the device has to answer: `30000`.' }),
    createdBy: t.exposeString('createdBy', {
      description: 'Who asked: `"admin-token"`, or `"key:"` and the API key’s id.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was asked.' }),
    sentAt: t.expose('sentAt', { type: 'DateTime', nullable: true, description: 'When it last left for the device.' }),
    completedAt: t.expose('completedAt', { type: 'DateTime', nullable: true, description: 'When it ended.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'PERSISTENT: until when it is kept; null otherwise.',
    }),
    idempotencyKey: t.exposeString('idempotencyKey', { nullable: true, description: 'The key it was asked with.' }),
    result: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'What the device answered: `{"code": "2.05", "contentFormat": 11542, "values": [{"path": "/3/0/9", "type": "Integer", "value": 87, "time": null}], "links": null, "createdInstanceId": null}`; null before.',
      resolve: ({ result }) => result,
    }),
    error: t.expose('error', { type: RpcErrorType, nullable: true, description: 'Why it did not succeed.' }),
    transitions: t.field({
      type: [RpcTransitionType],
      description: 'Every change of its status, in order.',
      resolve: async ({ id }, _args, { load }) => [...(await load.transitions(id))],
    }),
  }),
});

builder.queryField('rpc', (t) =>
  t.field({
    type: RpcNode,
    nullable: true,
    description: 'The RPC with this id; null when the tenant has none.',
    args: { id: t.arg.id({ required: true, description: 'The RPC’s global id, or its plain UUID.' }) },
    resolve: (_root, { id }) => idOf('Rpc', id, 'id'),
  }),
);

export function rpcModeField(t: InputFields) {
  return t.field({ type: RpcModeEnum, description: 'How much it is cared for: `PERSISTENT`. Absent: TWO_WAY.' });
}

/** Fields of every mutation that asks something of a device. */
export function rpcOptionFields(t: InputFields) {
  return {
    timeoutMs: t.int({
      description: `Milliseconds that the device has to answer, 1 to ${RPC_LIMITS.timeoutMs}. Absent: 30000.`,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'PERSISTENT: until when it is kept. Absent: 7 days from now.',
    }),
    idempotencyKey: t.string({
      description: `A text of up to ${RPC_LIMITS.idempotencyKey} characters that names this call: a repetition with the same key returns the first call’s RPC. Example: \`"reboot-2026-05-29"\`.`,
    }),
  };
}

type PayloadFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Rpc>;

/** The field that every payload of a call has. */
export function rpcPayloadField(t: PayloadFields) {
  return t.field({
    type: RpcNode,
    description: 'The RPC: its `status` and `error` say what became of it, `result` what the device answered.',
    resolve: (rpc) => rpc,
  });
}

builder.relayMutationField(
  'callRpc',
  {
    description: 'What is asked of which device: `{ deviceId: "…", method: "reboot" }`.',
    inputFields: (t) => ({
      deviceId: t.id({ required: true, description: 'The device’s global id, or its plain UUID.' }),
      method: t.string({
        required: true,
        description:
          'A method of the device’s profile, `"reboot"`, `"factory_reset"`, or an LwM2M operation: `"read"`, `"write"`, `"execute"`, `"create"`, `"delete"`, `"discover"`, `"write-attributes"`, `"observe"`, `"cancel-observation"`.',
        validate: z.string().min(1, 'is empty').max(64, 'is longer than 64 characters'),
      }),
      params: t.field({
        type: 'JSON',
        description:
          'What the method wants: `{"zone": 0, "degrees": 21.5}` for a method whose template names `zone` and `degrees`.',
      }),
      mode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: 'Calls a method on a device; it becomes an LwM2M operation. For operators.',
    authScopes: { operator: true },
    errors: resultUnion('CallRpc', 'device'),
    resolve: async (_root, { input: { deviceId, method, params, ...options } }, { fleet, actor }) =>
      reached(await fleet.rpcs.call(actor, idOf('Device', deviceId, 'deviceId'), method, params, options)),
  },
  { description: 'The call was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

builder.relayMutationField(
  'cancelRpc',
  {
    description: 'Which RPC.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'The RPC’s global id, or its plain UUID.' }) }),
  },
  {
    description:
      'Takes back an RPC that has not ended; one that has left for the device may still be done. For operators.',
    authScopes: { operator: true },
    errors: resultUnion('CancelRpc'),
    resolve: (_root, { input }, { fleet, actor }) => fleet.rpcs.cancel(actor, idOf('Rpc', input.id, 'id')),
  },
  { description: 'The RPC was cancelled.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
