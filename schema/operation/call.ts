import { LIMITS, type OperationInput, type Rpc } from '../../src/fleet/index.ts';
import { builder, type InputFields } from '../builder.ts';
import type { Context } from '../context.ts';
import { reached } from '../errors.ts';
import { idOf } from '../global-id.ts';
import { ResourceType } from '../object/object-definition.ts';
import { rpcModeField, rpcOptionFields } from '../rpc/rpc.ts';
import type { AnsweredValue } from '../rpc/rpc-result.ts';
import { hasWildcard } from '../tree/tree-selection.ts';
import { integer, list, path } from '../rules.ts';

/** A path on the device. `*` is allowed only in queries of stored values. */
export const exactPath = path((text) =>
  hasWildcard(text) ? 'must not contain *: an operation needs exact paths' : null,
);
export const exactPaths = list('paths', { least: 1, most: LIMITS.paths }, exactPath);

/** The device of an operation, and the options of the call. */
export function callFields(t: InputFields) {
  return {
    deviceId: t.id({ required: true, description: 'The device’s global id or UUID.' }),
    rpcMode: rpcModeField(t),
    ...rpcOptionFields(t),
  };
}

export function formatField(t: InputFields) {
  return t.int({
    description:
      'The CoAP content format: 0 text, 42 opaque, 60 CBOR, 110 SenML JSON, 112 SenML CBOR, 11542 TLV, 11543 LwM2M JSON, 11544 LwM2M CBOR. Absent or null: the server chooses one that the device supports.',
    validate: integer(0, 65_535),
  });
}

const CompositeChoiceEnum = builder.enumType('CompositeChoice', {
  description: 'Whether several paths become one composite request (Core §6.3.8, §6.3.10). The default is AUTO.',
  values: {
    AUTO: {
      description:
        'One composite request. If the device refuses it, or acknowledges it and does not respond in 5 seconds, one request for each path or instance. The server remembers that until the device registers again.',
    },
    ALWAYS: {
      description: 'Only a composite request, also for one path. Requires LwM2M 1.1.',
    },
    NEVER: { description: 'One request for each path or instance, one after the other.' },
  },
});

export function compositeField(t: InputFields) {
  return t.field({
    type: CompositeChoiceEnum,
    description: 'Whether several paths become one composite request: `NEVER`. Absent or null: `AUTO`.',
  });
}

interface CallFields {
  readonly deviceId: string;
  readonly rpcMode?: Rpc['mode'] | null;
  readonly timeoutMs?: number | null;
  readonly expiresAt?: Date | null;
  readonly delivery?: Rpc['delivery'];
  readonly idempotencyKey?: string | null;
}

export async function perform({ fleet, actor }: Context, call: CallFields, operation: OperationInput): Promise<Rpc> {
  const { deviceId, rpcMode, timeoutMs, expiresAt, delivery, idempotencyKey } = call;
  const id = idOf('Device', deviceId, 'deviceId');
  return reached(
    await fleet.rpcs.perform(actor, id, given(operation), {
      mode: rpcMode,
      timeoutMs,
      expiresAt,
      delivery,
      idempotencyKey,
    }),
  );
}

/** Without options that are null: they mean the same as absent ones, also for the record of the call and its key. */
function given(operation: OperationInput): OperationInput {
  const entries = Object.entries(operation).filter(([, value]) => value != null);
  // The cast is safe: only optional properties can be null.
  return Object.fromEntries(entries) as unknown as OperationInput;
}

export const AnsweredValueType = builder.objectRef<AnsweredValue>('AnsweredValue').implement({
  description: 'A value of the device’s response.',
  fields: (t) => ({
    path: t.expose('path', { type: 'ResourcePath', description: 'The path of the value: `"/3/0/9"`.' }),
    type: t.expose('type', { type: ResourceType, nullable: true, description: 'The type of the value: `INTEGER`.' }),
    value: t.expose('value', { type: 'ResourceValue', nullable: true, description: 'The value: `87`.' }),
    time: t.exposeString('time', {
      nullable: true,
      description:
        'When the device measured the value (RFC 3339): `"2026-05-29T14:30:00Z"`; null if the device sent no time.',
    }),
  }),
});

export const AS_RPC =
  'By default the mutation returns when the device has responded, at most after `timeoutMs`; other values of `rpcMode` return earlier. Only for operators and admins.';
