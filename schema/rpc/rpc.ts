import {
  RPC_LIMITS,
  type Delivery,
  type Rpc,
  type RpcError,
  type RpcErrorCode,
  type RpcMode,
  type RpcStatus,
  type RpcTransition,
} from '../../src/fleet/index.ts';
import { builder, type InputFields } from '../builder.ts';
import { deviceResultUnion, reached, resultUnion } from '../errors.ts';
import { idOf } from '../global-id.ts';
import { DeviceNode, RpcNode } from '../nodes.ts';
import { integer, text } from '../rules.ts';

export const RpcStatusEnum = builder.enumType('RpcStatus', {
  description:
    'The progress of an RPC. The normal order is QUEUED → SENT → DELIVERED → SUCCESSFUL. SUCCESSFUL, TIMEOUT, UNKNOWN, EXPIRED, FAILED, CANCELLED and DELETED are final.',
  values: {
    QUEUED: {
      description: 'Recorded, but not sent yet. A PERSISTENT RPC returns to this status when it will be sent again.',
    },
    SENT: { description: 'The server sent the request to the device.' },
    DELIVERED: { description: 'The device acknowledged the request.' },
    SUCCESSFUL: {
      description: 'The device confirmed the operation. In mode ONE_WAY: the request was sent; the result is unknown.',
    },
    TIMEOUT: {
      description:
        'The device was not registered, was asleep, or did not respond within `timeoutMs`. If the request was sent, the device may still do it.',
    },
    UNKNOWN: {
      description:
        'The device acknowledged the request and did not respond, or a call with delivery AT_MOST_ONCE was sent and got no response: the device may have done it.',
    },
    EXPIRED: { description: 'Only mode PERSISTENT: the device did not take the request before `expiresAt`.' },
    FAILED: {
      description: 'The device refused the request, or the request could not be encoded; `error` has the reason.',
    },
    CANCELLED: { description: '`cancelRpc` cancelled it.' },
    DELETED: { description: 'Its device was deleted before it ended.' },
  } satisfies Record<RpcStatus, { description: string }>,
});

const RpcModeEnum = builder.enumType('RpcMode', {
  description: 'How an RPC is delivered, and when the mutation returns. The default is TWO_WAY.',
  values: {
    ONE_WAY: {
      description: 'Sends the request and does not wait for the result. The mutation returns when the RPC is recorded.',
    },
    TWO_WAY: {
      description: 'Waits for the response, at most `timeoutMs`. The mutation returns when the RPC has ended.',
    },
    PERSISTENT: {
      description:
        'Keeps trying until `expiresAt`, also after a restart of the server. The PERSISTENT calls of a device are sent in order, one at a time. The mutation returns when the RPC is recorded; subscribe to `rpcChanged` for the result.',
    },
  } satisfies Record<RpcMode, { description: string }>,
});

const DeliveryEnum = builder.enumType('Delivery', {
  description: 'How often the operation may reach the device.',
  values: {
    AT_LEAST_ONCE: {
      description:
        'A PERSISTENT call is sent again when the response is lost. The default, except for the operations of AT_MOST_ONCE.',
    },
    AT_MOST_ONCE: {
      description:
        'The operation is sent once; CoAP repeats only the same message. When the response is lost, the status is UNKNOWN. The default for Execute, Create, and a Write to the Package URI of a firmware update (`/5/x/1`).',
    },
  } satisfies Record<Delivery, { description: string }>,
});

const RpcErrorCodeEnum = builder.enumType('RpcErrorCode', {
  description: 'Why an RPC did not succeed, for programs.',
  values: {
    DEVICE_ERROR: {
      description: 'The device refused: `coapCode` has its code, such as `"4.04"`, and `message` its own text.',
    },
    DEVICE_UNREACHABLE: { description: 'The device is not registered; nothing was sent.' },
    UNREACHABLE: { description: 'The device sleeps, or its connection has ended; nothing was sent.' },
    TIMEOUT: { description: 'The device did not respond in time, or nothing could be sent to it in time.' },
    UNKNOWN: { description: 'The request was sent, and no response came: the device may have performed it.' },
    EXPIRED: { description: 'A PERSISTENT call reached `expiresAt` before the device received it.' },
    CANCELLED: { description: 'The operation was cancelled, or the server stopped.' },
    BAD_ANSWER: { description: 'The device’s response violates the protocol.' },
    INVALID_PAYLOAD: { description: 'The payload of the response can’t be decoded.' },
    INVALID_ARGUMENT: { description: 'The device’s registration does not permit the call as it was made.' },
    INVALID_PATH: { description: 'A path of the call is not a path of LwM2M.' },
    INVALID_VALUE: { description: 'A value of the call does not have the type of its resource.' },
    UNSUPPORTED_FORMAT: { description: 'No content format of the device can carry the values.' },
    LIMIT: { description: 'A limit of the server is reached: too many operations are active.' },
    INTERNAL: { description: 'An unexpected error; the server’s log has the reason under the RPC’s id.' },
  } satisfies Record<RpcErrorCode, { description: string }>,
});

const RpcErrorType = builder.objectRef<RpcError>('RpcError').implement({
  description: 'Why an RPC did not succeed. A refusal by the device is reported here, not as a GraphQL error.',
  fields: (t) => ({
    code: t.expose('code', { type: RpcErrorCodeEnum, description: 'The reason, for programs: `TIMEOUT`.' }),
    coapCode: t.exposeString('coapCode', {
      nullable: true,
      description:
        'The CoAP code of the device’s response, class and detail with a dot (RFC 7252 §3): `"4.04"` is Not Found. With code `DEVICE_ERROR` it says why the device refused. Null if there was no response that can be used (`message` then says what is wrong with it).',
    }),
    message: t.exposeString('message', {
      description:
        'The reason, as text for people: `"the device did not answer in time"`. With code `DEVICE_ERROR`, the device’s own text if it sent one.',
    }),
  }),
});

const RpcTransitionType = builder.objectRef<RpcTransition>('RpcTransition').implement({
  description: 'One change of an RPC’s status.',
  fields: (t) => ({
    from: t.expose('from', {
      type: RpcStatusEnum,
      nullable: true,
      description: 'The status before the change; null for the first.',
    }),
    to: t.expose('to', { type: RpcStatusEnum, description: 'The status after the change: `SENT`.' }),
    at: t.expose('at', { type: 'DateTime', description: 'When the status changed.' }),
    detail: t.exposeString('detail', {
      nullable: true,
      description: 'The reason for the change, if there is one: `"the server restarted"`.',
    }),
  }),
});

builder.objectType(RpcNode, {
  description:
    'A call to a device: the method, its progress and its result. Every operation on a device is recorded as an RPC.',
  fields: (t) => ({
    rpcId: t.expose('id', { type: 'UUID', description: 'The RPC’s UUID.' }),
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description: 'The device that was called; null if it was deleted.',
      resolve: ({ deviceId }) => deviceId,
    }),
    deviceId: t.expose('deviceId', { type: 'UUID', description: 'The device’s UUID.' }),
    method: t.exposeString('method', {
      description:
        'The method that was called: `"reboot"`, another method of the profile, or an LwM2M operation: `"read"`, `"write"`, `"observe"`…',
    }),
    params: t.field({
      type: 'JSON',
      nullable: true,
      description: 'The parameters of the call; secrets are replaced by `"[redacted]"`: `{"paths": ["/3/0/9"]}`.',
      resolve: ({ params }) => params,
    }),
    mode: t.expose('mode', { type: RpcModeEnum, description: 'How the RPC is delivered: `TWO_WAY`.' }),
    status: t.expose('status', { type: RpcStatusEnum, description: 'The progress of the RPC: `SUCCESSFUL`.' }),
    attempts: t.exposeInt('attempts', { description: 'How many times it was sent: `1`.' }),
    timeoutMs: t.exposeInt('timeoutMs', {
      description:
        'Maximum number of milliseconds from the call to its end: `30000`. PERSISTENT: until the response, for each attempt.',
    }),
    createdBy: t.exposeString('createdBy', {
      description: 'The caller: `"admin-token"`, or `"key:"` followed by the API key’s UUID.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the RPC was recorded.' }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last sent to the device; null if it was not sent.',
    }),
    completedAt: t.expose('completedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it reached a final status; null until then.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Only PERSISTENT: when the server stops trying. Null in other modes.',
    }),
    idempotencyKey: t.exposeString('idempotencyKey', {
      nullable: true,
      description: 'The idempotency key of the call; null if it had none.',
    }),
    result: t.field({
      type: 'JSON',
      nullable: true,
      description:
        'The device’s response: `{"code": "2.05", "contentFormat": 11542, "values": [{"path": "/3/0/9", "type": "INTEGER", "value": 87, "time": null}], "links": null, "createdInstanceId": null}`. A multiple resource is one value, as in the tree: `{"path": "/3/0/6", "type": "INTEGER", "value": {"0": 1, "1": 5}, "time": null}`; its instance has a value of its own only if the request named it. `outside` lists values that the response holds and that were not requested, with the reason. Null until there is a response.',
      resolve: ({ result }) => result,
    }),
    error: t.expose('error', {
      type: RpcErrorType,
      nullable: true,
      description: 'Why the RPC did not succeed; null if it succeeded or has not ended.',
    }),
    transitions: t.field({
      type: [RpcTransitionType],
      description: 'All changes of the status, oldest first.',
      resolve: async ({ id }, _args, { load }) => [...(await load.transitions(id))],
    }),
  }),
});

builder.queryField('rpc', (t) =>
  t.field({
    type: RpcNode,
    nullable: true,
    description: 'Returns the RPC with this id; null if the tenant has none.',
    args: { id: t.arg.id({ required: true, description: 'The RPC’s global id or UUID.' }) },
    resolve: (_root, { id }) => idOf('Rpc', id, 'id'),
  }),
);

export function rpcModeField(t: InputFields) {
  return t.field({
    type: RpcModeEnum,
    description:
      'How the call is delivered: `TWO_WAY` (default) waits for the response; `ONE_WAY` sends and returns; `PERSISTENT` keeps trying until `expiresAt`. Absent or null: `TWO_WAY`.',
  });
}

/** Fields of every mutation that calls a device. */
export function rpcOptionFields(t: InputFields) {
  return {
    timeoutMs: t.int({
      description: `Maximum number of milliseconds from the call to its end. It includes the wait behind other calls; a call whose time is over before its turn is not sent. PERSISTENT: from sending a request or block until its response, for each attempt. Absent or null: 30000.`,
      validate: integer(1, RPC_LIMITS.timeoutMs),
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description:
        'Only with PERSISTENT: give up after this time, at most 366 days from now. Absent or null: 7 days from now.',
    }),
    delivery: t.field({
      type: DeliveryEnum,
      description:
        'How often the operation may reach the device: `AT_MOST_ONCE`. Absent or null: by the kind of operation.',
    }),
    idempotencyKey: t.string({
      description: `A text that identifies this call. The key belongs to one call: the caller, the mutation and all its arguments. The same call with the same key is not executed again and returns the RPC of the first one; any other call is a ConflictError. Example: \`"7b0b4a3e-reboot-1"\`. Absent or null: each call is executed.`,
      validate: text({ most: RPC_LIMITS.idempotencyKey }),
    }),
  };
}

type PayloadFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Rpc>;

/** The field `rpc` of every payload of a call. */
export function rpcPayloadField(t: PayloadFields) {
  return t.field({
    type: RpcNode,
    description:
      'The recorded RPC: `status` is its progress, `result` the device’s response, `error` the reason of a failure.',
    resolve: (rpc) => rpc,
  });
}

builder.relayMutationField(
  'callRpc',
  {
    description: 'The device and the method: `{ deviceId: "…", method: "reboot" }`.',
    inputFields: (t) => ({
      deviceId: t.id({ required: true, description: 'The device’s global id or UUID.' }),
      method: t.string({
        required: true,
        description:
          '`"reboot"`, `"factory_reset"`, another method of the device’s profile, or an LwM2M operation: `"read"`, `"write"`, `"execute"`, `"create"`, `"delete"`, `"discover"`, `"write-attributes"`, `"observe"`, `"cancel-observation"`.',
        validate: text({ most: 64 }),
      }),
      params: t.field({
        type: 'JSON',
        description:
          'The parameters of the method. `reboot`: none. A method of the profile: the names in its `{{…}}`. Operations: read `{paths}`, write `{values: [{path, value}], force}`, execute `{path, arguments}`, create `{objectId, instanceId, values: [{path, value}], force}`, delete `{path}`, discover `{path, depth}`, write-attributes `{path, attributes}`, observe `{paths, attributes}`, cancel-observation `{paths}`. Absent or null: `{}`.',
      }),
      mode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description:
      'Runs a named method of the device’s profile, for example `reboot`, or an LwM2M operation by its name. Only for operators and admins.',
    authScopes: { operator: true },
    errors: deviceResultUnion('CallRpc', 'the device has no such method, or a parameter is missing or invalid'),
    resolve: async (_root, { input: { deviceId, method, params, ...options } }, { fleet, actor }) =>
      reached(await fleet.rpcs.call(actor, idOf('Device', deviceId, 'deviceId'), method, params, options)),
  },
  { description: 'The recorded call.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

builder.relayMutationField(
  'cancelRpc',
  {
    description: 'The RPC to cancel.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'The RPC’s global id or UUID.' }) }),
  },
  {
    description:
      'Cancels an RPC with status QUEUED or SENT. If it was already sent, the device may still do it. Only for operators and admins.',
    authScopes: { operator: true },
    errors: resultUnion('CancelRpc', {
      role: 'operator',
      validation: 'the id is malformed',
      notFound: 'the tenant has no RPC with this id',
      conflict: 'the device has acknowledged the RPC, or the RPC has ended',
    }),
    resolve: (_root, { input }, { fleet, actor }) => fleet.rpcs.cancel(actor, idOf('Rpc', input.id, 'id')),
  },
  { description: 'The cancelled RPC.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
