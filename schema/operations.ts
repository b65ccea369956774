import * as z from 'zod';
import type { OperationInput, Rpc } from '../src/fleet/index.ts';
import type { Link } from '../src/lwm2m/index.ts';
import { builder, type InputFields } from './builder.ts';
import type { Context } from './context.ts';
import { reached, resultUnion } from './errors.ts';
import { idOf } from './global-id.ts';
import { NotificationAttributesInput } from './notification-attributes.ts';
import { ResourceType } from './object-definition.ts';
import { rpcModeField, rpcOptionFields, rpcPayloadField } from './rpc.ts';
import { answerOf, type AnsweredValue } from './rpc-result.ts';
import { hasWildcard } from './tree-selection.ts';

/** An operation names places on the device: `*` is for what Treeline knows already. */
const exactPath = z.string().refine((path) => !hasWildcard(path), 'an operation’s path can’t hold *');
const exactPaths = z.array(exactPath).min(1, 'is empty').max(100, 'has more than 100 paths');
const fewValues = z.array(z.unknown()).min(1, 'is empty').max(100, 'has more than 100 values');

function deviceField(t: InputFields) {
  return t.id({ required: true, description: 'The device’s global id, or its plain UUID.' });
}

function formatField(t: InputFields) {
  return t.int({
    description:
      'The CoAP content format: 0 text, 42 opaque, 60 CBOR, 110 SenML JSON, 112 SenML CBOR, 11542 TLV, 11543 LwM2M JSON, 11544 LwM2M CBOR. Absent: chosen from what the device says it speaks.',
    validate: z.number().int().min(0).max(65_535).nullish(),
  });
}

interface CallFields {
  readonly deviceId: string;
  readonly rpcMode?: Rpc['mode'] | null;
  readonly timeoutMs?: number | null;
  readonly expiresAt?: Date | null;
  readonly idempotencyKey?: string | null;
}

async function perform({ fleet, actor }: Context, call: CallFields, operation: OperationInput): Promise<Rpc> {
  const { deviceId, rpcMode, timeoutMs, expiresAt, idempotencyKey } = call;
  const id = idOf('Device', deviceId, 'deviceId');
  return reached(
    await fleet.rpcs.perform(actor, id, operation, { mode: rpcMode, timeoutMs, expiresAt, idempotencyKey }),
  );
}

const AnsweredValueType = builder.objectRef<AnsweredValue>('AnsweredValue').implement({
  description: 'A value that the device answered with.',
  fields: (t) => ({
    path: t.expose('path', { type: 'ResourcePath', description: 'Where it stands: `"/3/0/9"`.' }),
    type: t.expose('type', { type: ResourceType, nullable: true, description: 'Its type: `INTEGER`.' }),
    value: t.expose('value', { type: 'ResourceValue', nullable: true, description: 'The value: `87`.' }),
    time: t.exposeString('time', {
      nullable: true,
      description: 'When the device measured it (RFC 3339), where it says so: `"2026-05-29T14:30:00Z"`.',
    }),
  }),
});

const LinkAttribute = builder.objectRef<readonly [string, string | null]>('LinkAttribute').implement({
  description: 'An attribute of a link: `pmin=10`.',
  fields: (t) => ({
    name: t.string({ description: 'Its name: `"pmin"`, `"ver"`, `"dim"`.', resolve: ([name]) => name }),
    value: t.string({
      nullable: true,
      description: 'Its value: `"10"`; null for one without a value.',
      resolve: ([, value]) => value,
    }),
  }),
});

const DiscoveredLink = builder.objectRef<Link>('DiscoveredLink').implement({
  description: 'A place that the device told on Discover, with its attributes (RFC 6690).',
  fields: (t) => ({
    uri: t.exposeString('uri', { description: 'The place: `"/3303/0/5700"`.' }),
    attributes: t.field({
      type: [LinkAttribute],
      description: 'Its attributes, in the order in which the device told them.',
      resolve: ({ attributes }) => Object.entries(attributes),
    }),
  }),
});

const AS_RPC =
  'It becomes an RPC: with rpcMode TWO_WAY the mutation returns the device’s answer, otherwise as soon as it is recorded. For operators.';

builder.relayMutationField(
  'readResources',
  {
    description: 'What is read from which device: `{ deviceId: "…", paths: ["/3/0/9", "/3303/0"] }`.',
    inputFields: (t) => ({
      deviceId: deviceField(t),
      paths: t.field({
        type: ['ResourcePath'],
        required: true,
        description:
          'Up to 100 objects, instances, resources or resource instances: `["/3/0/9", "/3303/0"]`; `["/"]` for all that the device has (LwM2M 1.1).',
        validate: exactPaths,
      }),
      contentFormat: formatField(t),
      withoutAccept: t.boolean({
        defaultValue: false,
        description:
          'Asks for one path without naming a format: the device answers in the one it prefers, and `rpc.result.contentFormat` says which. Excludes contentFormat.',
      }),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: `Reads from the device (Read, Core §6.3.1); several paths at once (Read-Composite) where the device can. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('ReadResources', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'read',
        paths: input.paths,
        contentFormat: input.contentFormat,
        withoutAccept: input.withoutAccept,
      }),
  },
  {
    description: 'The Read was recorded.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      values: t.field({
        type: [AnsweredValueType],
        description: 'What the device answered; empty while it has not.',
        resolve: (rpc) => [...answerOf(rpc).values],
      }),
    }),
  },
);

const WriteMode = builder.enumType('WriteMode', {
  description: 'What becomes of what a Write does not name (Core §6.3.3).',
  values: {
    REPLACE: {
      description:
        'Each path is written on its own (PUT): a multiple resource loses the instances that are not named, nothing else changes.',
    },
    UPDATE: {
      description:
        'The values of an instance go together (POST); what is not named stays, resource instances too. Several instances at once need Write-Composite.',
    },
  },
});

const WriteValueInput = builder.inputType('WriteValueInput', {
  description: 'A value and where it goes: `{ path: "/3/0/14", value: "+01:00" }`.',
  fields: (t) => ({
    path: t.field({
      type: 'ResourcePath',
      required: true,
      description: 'A resource or a resource instance: `"/3/0/14"`.',
      validate: exactPath,
    }),
    value: t.field({
      type: 'ResourceValue',
      required: true,
      description: 'The value, by the resource’s type: `"+01:00"`.',
    }),
  }),
});

builder.relayMutationField(
  'writeResources',
  {
    description:
      'What is written to which device: `{ deviceId: "…", values: [{ path: "/3/0/14", value: "+01:00" }] }`.',
    inputFields: (t) => ({
      deviceId: deviceField(t),
      values: t.field({
        type: [WriteValueInput],
        required: true,
        description: 'Up to 100 values and where they go.',
        validate: fewValues,
      }),
      mode: t.field({
        type: WriteMode,
        defaultValue: 'REPLACE',
        description: 'What becomes of what is not named: `UPDATE`.',
      }),
      contentFormat: formatField(t),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: `Writes to the device (Write, Core §6.3.3; Write-Composite for several places). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('WriteResources', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'write',
        values: input.values,
        mode: input.mode ?? 'REPLACE',
        contentFormat: input.contentFormat,
      }),
  },
  { description: 'The Write was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

const ExecuteArgumentInput = builder.inputType('ExecuteArgumentInput', {
  description: 'An argument of an Execute: `{ digit: 0, value: "http://fw.example.com/1" }`.',
  fields: (t) => ({
    digit: t.int({
      required: true,
      description: 'Its number, 0 to 9, each at most once: `0`.',
      validate: z.number().int().min(0).max(9),
    }),
    value: t.string({
      description: "Its text: printable ASCII but `'`. Absent: an argument without a value.",
      validate: z.string().max(1024).nullish(),
    }),
  }),
});

builder.relayMutationField(
  'executeResource',
  {
    description: 'What is executed on which device: `{ deviceId: "…", path: "/3/0/4" }`.',
    inputFields: (t) => ({
      deviceId: deviceField(t),
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'The executable resource: `"/3/0/4"` reboots.',
        validate: exactPath,
      }),
      arguments: t.field({
        type: [ExecuteArgumentInput],
        description: 'Its arguments (Core §6.3.5): `[{ digit: 0, value: "5" }]`.',
        validate: z
          .array(z.looseObject({ digit: z.number() }))
          .refine((all) => new Set(all.map(({ digit }) => digit)).size === all.length, 'has a digit twice')
          .nullish(),
      }),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: `Executes a resource of the device (Execute, Core §6.3.5). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('ExecuteResource', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'execute',
        path: input.path,
        arguments: input.arguments
          ? Object.fromEntries(input.arguments.map(({ digit, value }) => [String(digit), value ?? null]))
          : null,
      }),
  },
  { description: 'The Execute was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

const InstanceValueInput = builder.inputType('InstanceValueInput', {
  description: 'A value of a new instance: `{ path: "5850", value: true }`.',
  fields: (t) => ({
    path: t.string({
      required: true,
      description: 'The resource id, and after a slash the resource instance’s where there is one: `"5850"`, `"6/0"`.',
      validate: z.string().regex(/^\d{1,5}(?:\/\d{1,5})?$/, 'is neither a resource id nor resource/instance'),
    }),
    value: t.field({
      type: 'ResourceValue',
      required: true,
      description: 'The value, by the resource’s type: `true`.',
    }),
  }),
});

builder.relayMutationField(
  'createInstance',
  {
    description:
      'What is created on which device: `{ deviceId: "…", objectId: 3311, values: [{ path: "5850", value: true }] }`.',
    inputFields: (t) => ({
      deviceId: deviceField(t),
      objectId: t.int({
        required: true,
        description: 'The object: `3311`.',
        validate: z.number().int().min(0).max(65_534),
      }),
      instanceId: t.int({
        description: 'The new instance’s id: `1`. Absent: the device chooses.',
        validate: z.number().int().min(0).max(65_534).nullish(),
      }),
      values: t.field({
        type: [InstanceValueInput],
        required: true,
        description: 'Its values, at most 100; `[]` for none.',
        validate: z.array(z.unknown()).max(100, 'has more than 100 values'),
      }),
      contentFormat: formatField(t),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: `Creates an instance of an object on the device (Create, Core §6.3.6). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('CreateInstance', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'create',
        objectId: input.objectId,
        instanceId: input.instanceId,
        values: input.values,
        contentFormat: input.contentFormat,
      }),
  },
  {
    description: 'The Create was recorded.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      instanceId: t.int({
        nullable: true,
        description: 'The id of the new instance: `1`; null while the device has not told it.',
        resolve: (rpc) => answerOf(rpc).createdInstanceId,
      }),
    }),
  },
);

builder.relayMutationField(
  'deleteInstance',
  {
    description: 'What is deleted on which device: `{ deviceId: "…", path: "/3311/1" }`.',
    inputFields: (t) => ({
      deviceId: deviceField(t),
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'An object instance, `"/3311/1"`, or a resource instance (LwM2M 1.2), `"/3/0/6/1"`.',
        validate: exactPath,
      }),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: `Deletes an instance on the device (Delete, Core §6.3.7). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('DeleteInstance', 'device'),
    resolve: (_root, { input }, context) => perform(context, input, { kind: 'delete', path: input.path }),
  },
  { description: 'The Delete was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

builder.relayMutationField(
  'discoverResources',
  {
    description: 'Where to look on which device: `{ deviceId: "…", path: "/3303" }`.',
    inputFields: (t) => ({
      deviceId: deviceField(t),
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'An object, an instance or a resource: `"/3303"`.',
        validate: exactPath,
      }),
      depth: t.int({
        description: 'How many levels below the path, 0 to 3 (LwM2M 1.2): `1`. Absent: as the standard has it.',
        validate: z.number().int().min(0).max(3).nullish(),
      }),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: `Asks the device what it has below a path, and with which attributes (Discover, Core §6.3.2). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('DiscoverResources', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, { kind: 'discover', path: input.path, depth: input.depth }),
  },
  {
    description: 'The Discover was recorded.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      links: t.field({
        type: [DiscoveredLink],
        description: 'What the device has; empty while it has not answered.',
        resolve: (rpc) => [...answerOf(rpc).links],
      }),
    }),
  },
);

builder.relayMutationField(
  'writeAttributes',
  {
    description: 'Which attributes go where: `{ deviceId: "…", path: "/3303/0/5700", attributes: { pmin: 10 } }`.',
    inputFields: (t) => ({
      deviceId: deviceField(t),
      path: t.field({
        type: 'ResourcePath',
        required: true,
        description: 'An object, an instance, a resource or a resource instance: `"/3303/0/5700"`.',
        validate: exactPath,
      }),
      attributes: t.field({
        type: NotificationAttributesInput,
        required: true,
        description: 'The attributes: `{ pmin: 10, pmax: 300 }`; null unsets one.',
      }),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: `Sets the attributes by which observations notify (Write-Attributes, Core §6.3.4). ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('WriteAttributes', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, { kind: 'write-attributes', path: input.path, attributes: input.attributes }),
  },
  { description: 'The Write-Attributes was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);

builder.relayMutationField(
  'observeResources',
  {
    description: 'What is observed on which device: `{ deviceId: "…", paths: ["/3303/0/5700"] }`.',
    inputFields: (t) => ({
      deviceId: deviceField(t),
      paths: t.field({
        type: ['ResourcePath'],
        required: true,
        description:
          'Up to 100 paths; several are observed together (Observe-Composite, LwM2M 1.1): `["/3303/0/5700"]`.',
        validate: exactPaths,
      }),
      attributes: t.field({
        type: NotificationAttributesInput,
        description: 'By what it notifies; in the request where the device speaks 1.2, written before it otherwise.',
      }),
      contentFormat: formatField(t),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: `Observes paths until \`cancelObservation\`, over registrations too (Observe, Core §6.4.1). To watch values while a page is open, subscribe to \`resourceChanged\` instead. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('ObserveResources', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, {
        kind: 'observe',
        paths: input.paths,
        attributes: input.attributes,
        contentFormat: input.contentFormat,
      }),
  },
  {
    description: 'The Observe was recorded.',
    outputFields: (t) => ({
      rpc: rpcPayloadField(t),
      values: t.field({
        type: [AnsweredValueType],
        description: 'The values at the start, as the device answered; empty while it has not.',
        resolve: (rpc) => [...answerOf(rpc).values],
      }),
    }),
  },
);

builder.relayMutationField(
  'cancelObservation',
  {
    description: 'Which observation of which device: `{ deviceId: "…", paths: ["/3303/0/5700"] }`.',
    inputFields: (t) => ({
      deviceId: deviceField(t),
      paths: t.field({
        type: ['ResourcePath'],
        required: true,
        description: 'The paths as they were observed: `["/3303/0/5700"]`.',
        validate: exactPaths,
      }),
      passive: t.boolean({
        description:
          'True: the next notification is answered with a Reset instead of asking the device now (RFC 7641 §3.6). Absent: false.',
      }),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description: `Ends an observation (Cancel Observation, Core §6.4.3), also one that the profile or a subscription wants: those begin again with the device’s next Register, or when somebody asks again. ${AS_RPC}`,
    authScopes: { operator: true },
    errors: resultUnion('CancelObservation', 'device'),
    resolve: (_root, { input }, context) =>
      perform(context, input, { kind: 'cancel-observation', paths: input.paths, passive: input.passive }),
  },
  { description: 'The cancellation was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
