import * as z from 'zod';
import type { DeviceProfile, MetricMapping, ProfileInput, RpcMethod } from '../../src/fleet/index.ts';
import { builder, type InputFields } from '../builder.ts';
import { resultUnion } from '../errors.ts';
import { idOf } from '../global-id.ts';
import { NotificationAttributesInput, NotificationAttributesType } from '../object/notification-attributes.ts';
import { DeviceProfileNode } from '../nodes.ts';
import { connection, pageRequest } from '../page.ts';

const MetricKind = builder.enumType('MetricKind', {
  description: 'Whether a metric’s values are numbers or text.',
  values: {
    NUMERIC: { value: 'numeric', description: 'Numbers: they go into `numericValues` of a telemetry point.' },
    STRING: { value: 'string', description: 'Text: it goes into `stringValues` of a telemetry point.' },
  } as const,
});

const MethodOperation = builder.enumType('RpcMethodOperation', {
  description: 'The LwM2M operation that a method stands for.',
  values: {
    READ: { description: 'Read the path.' },
    WRITE: { description: 'Write the parameter `value` to the path.' },
    EXECUTE: { description: 'Execute the resource, with the parameter `arguments` where one is given.' },
    CREATE: { description: 'Create an instance of the object, with the parameter `values`.' },
    DELETE: { description: 'Delete the object instance.' },
  },
});

const MAPPING = {
  path: 'The resource: `"/3303/0/5700"`, or `"/3303/*/5700"` for that of every instance.',
  metric: 'The metric’s name: `"temperature"`; `{instance}` stands for the instance id: `"temperature_{instance}"`.',
  scale: 'The value is multiplied by this: `0.001` makes volts of millivolts. Absent: 1.',
  offset: 'Then this is added, in the metric’s unit: `-273.15`. Absent: 0.',
  kind: 'Overrides the rule by type: Integer, Unsigned Integer, Float, Time and Boolean are numbers, String and Objlnk text.',
  attributes: 'The attributes of the observation that brings the readings.',
} as const;

const AWAKE_TIME =
  'Seconds that a queue-mode device stays awake after its last message, in which what is asked of it goes out at once: `93`.';

const METHOD = {
  name: 'The name that `callRpc` takes: `"setpoint"`.',
  path: 'What the operation is done to; parameters fill it in: `"/3308/{{zone}}/5900"`.',
  parameters:
    'What goes with the operation; `{{name}}` is replaced by the call’s parameter of that name: `{ "value": "{{degrees}}" }`.',
} as const;

const MetricMappingType = builder.objectRef<MetricMapping>('MetricMapping').implement({
  description: 'Which resource becomes which metric. A mapped resource is observed as soon as its device registers.',
  fields: (t) => ({
    path: t.expose('path', { type: 'ResourcePath', description: MAPPING.path }),
    metric: t.exposeString('metric', { description: MAPPING.metric }),
    scale: t.float({ description: MAPPING.scale, resolve: ({ scale }) => scale ?? 1 }),
    offset: t.float({ description: MAPPING.offset, resolve: ({ offset }) => offset ?? 0 }),
    kind: t.expose('kind', { type: MetricKind, nullable: true, description: MAPPING.kind }),
    attributes: t.expose('attributes', {
      type: NotificationAttributesType,
      nullable: true,
      description: MAPPING.attributes,
    }),
  }),
});

const RpcMethodType = builder.objectRef<RpcMethod>('RpcMethod').implement({
  description: 'A method name that `callRpc` takes, and the LwM2M operation it stands for.',
  fields: (t) => ({
    name: t.exposeString('name', { description: METHOD.name }),
    operation: t.expose('operation', { type: MethodOperation, description: 'The operation: `EXECUTE`.' }),
    path: t.exposeString('path', { description: METHOD.path }),
    parameters: t.expose('parameters', { type: 'JSON', nullable: true, description: METHOD.parameters }),
  }),
});

builder.objectType(DeviceProfileNode, {
  description:
    'What devices of a kind have in common: which resources become metrics, and what its RPC methods mean. A change reaches connected devices at once.',
  fields: (t) => ({
    profileId: t.expose('id', { type: 'UUID', description: 'The plain id behind the global one.' }),
    name: t.exposeString('name', { description: 'Its name, unique in the tenant: `"Default"`.' }),
    isDefault: t.exposeBoolean('isDefault', { description: 'Whether devices get it that are given none.' }),
    mappings: t.field({
      type: [MetricMappingType],
      description: 'Which resources become which metrics.',
      resolve: ({ mappings }) => [...mappings],
    }),
    methods: t.field({
      type: [RpcMethodType],
      description: 'Its RPC methods, beside `reboot` and `factory_reset`, which every device has.',
      resolve: ({ methods }) => [...methods],
    }),
    offlineAfter: t.exposeInt('offlineAfter', {
      nullable: true,
      description:
        'Seconds without a message after which a device counts as offline: `600`; null: only its lifetime counts.',
    }),
    awakeTime: t.exposeInt('awakeTime', { nullable: true, description: `${AWAKE_TIME} Null: 93.` }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When it was last changed.' }),
  }),
});

builder.queryField('deviceProfile', (t) =>
  t.field({
    type: DeviceProfileNode,
    nullable: true,
    description: 'The profile with this id; null when the tenant has none.',
    args: { id: t.arg.id({ required: true, description: 'The profile’s global id, or its plain UUID.' }) },
    resolve: (_root, { id }) => idOf('DeviceProfile', id, 'id'),
  }),
);

builder.queryField('deviceProfiles', (t) =>
  t.connection(
    {
      type: DeviceProfileNode,
      description: 'The tenant’s profiles, by name.',
      resolve: async (_root, page, { fleet, actor }) => connection(await fleet.profiles.page(actor, pageRequest(page))),
    },
    { name: 'DeviceProfileConnection', description: 'A page of device profiles.' },
    { name: 'DeviceProfileEdge', description: 'A device profile and its place in the list.' },
  ),
);

const MetricMappingInput = builder.inputType('MetricMappingInput', {
  description: 'Which resource becomes which metric: `{ path: "/3303/*/5700", metric: "temperature_{instance}" }`.',
  fields: (t) => ({
    path: t.field({ type: 'ResourcePath', required: true, description: MAPPING.path }),
    metric: t.string({ required: true, description: MAPPING.metric, validate: z.string().min(1).max(128) }),
    scale: t.float({ description: MAPPING.scale }),
    offset: t.float({ description: MAPPING.offset }),
    kind: t.field({ type: MetricKind, description: MAPPING.kind }),
    attributes: t.field({ type: NotificationAttributesInput, description: MAPPING.attributes }),
  }),
});

const RpcMethodInput = builder.inputType('RpcMethodInput', {
  description:
    'A method: `{ name: "setpoint", operation: WRITE, path: "/3308/{{zone}}/5900", parameters: { value: "{{degrees}}" } }`.',
  fields: (t) => ({
    name: t.string({ required: true, description: METHOD.name, validate: z.string().min(1).max(64) }),
    operation: t.field({ type: MethodOperation, required: true, description: 'The operation: `WRITE`.' }),
    path: t.string({ required: true, description: METHOD.path, validate: z.string().min(1).max(128) }),
    parameters: t.field({
      type: 'JSON',
      description: METHOD.parameters,
      validate: z.record(z.string(), z.unknown()).nullish(),
    }),
  }),
});

function profileFields(t: InputFields) {
  return {
    mappings: t.field({
      type: [MetricMappingInput],
      description: 'Which resources become which metrics, at most 500. They replace those before.',
      validate: z.array(z.unknown()).max(500).nullish(),
    }),
    methods: t.field({
      type: [RpcMethodInput],
      description: 'Its RPC methods, at most 100. They replace those before.',
      validate: z.array(z.unknown()).max(100).nullish(),
    }),
    offlineAfter: t.int({
      description: 'Seconds without a message after which a device counts as offline: `600`. Null: never.',
      validate: z.number().int().min(1).nullish(),
    }),
    awakeTime: t.int({
      description: `${AWAKE_TIME} 1 to 86400; null: 93, the MAX_TRANSMIT_WAIT of CoAP.`,
      validate: z.number().int().min(1).max(86_400).nullish(),
    }),
  };
}

const profileName = z.string().trim().min(1, 'is empty').max(255);

interface ProfileFields {
  readonly name?: string | null;
  readonly mappings?:
    | readonly (Omit<MetricMapping, 'scale' | 'offset' | 'kind' | 'attributes'> & {
        readonly scale?: number | null;
        readonly offset?: number | null;
        readonly kind?: MetricMapping['kind'] | null;
        readonly attributes?: MetricMapping['attributes'] | null;
      })[]
    | null;
  readonly methods?: readonly (Omit<RpcMethod, 'parameters'> & { readonly parameters?: unknown })[] | null;
  readonly offlineAfter?: number | null;
  readonly awakeTime?: number | null;
}

/** What was said of a profile; what was left out, or null where null means nothing, is left out here too. */
function changes(input: ProfileFields): Partial<ProfileInput> {
  return {
    ...(input.name != null && { name: input.name }),
    ...(input.mappings != null && {
      mappings: input.mappings.map(({ path, metric, scale, offset, kind, attributes }) => ({
        path,
        metric,
        ...(scale != null && { scale }),
        ...(offset != null && { offset }),
        ...(kind != null && { kind }),
        ...(attributes != null && { attributes }),
      })),
    }),
    ...(input.methods != null && {
      methods: input.methods.map(({ parameters, ...method }) => ({
        ...method,
        // The input's check has shown that it is an object.
        ...(parameters != null && { parameters: parameters as Readonly<Record<string, unknown>> }),
      })),
    }),
    ...(input.offlineAfter !== undefined && { offlineAfter: input.offlineAfter }),
    ...(input.awakeTime !== undefined && { awakeTime: input.awakeTime }),
  };
}

const profilePayload = (description: string) => ({
  description: 'The mutation was done.',
  outputFields: (t: PayloadFields) => ({
    profile: t.field({ type: DeviceProfileNode, description, resolve: (profile) => profile }),
  }),
});

type PayloadFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, DeviceProfile>;

builder.relayMutationField(
  'createDeviceProfile',
  {
    description:
      'A new profile: `{ name: "thermostat", mappings: [{ path: "/3303/0/5700", metric: "temperature" }] }`.',
    inputFields: (t) => ({
      name: t.string({
        required: true,
        description: 'Its name, unique in the tenant: `"thermostat"`.',
        validate: profileName,
      }),
      ...profileFields(t),
    }),
  },
  {
    description: 'Makes a device profile. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateDeviceProfile'),
    resolve: (_root, { input }, { fleet, actor }) =>
      fleet.profiles.create(actor, { ...changes(input), name: input.name }),
  },
  profilePayload('The new profile.'),
);

builder.relayMutationField(
  'updateDeviceProfile',
  {
    description: 'What shall change; what is left out stays.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'The profile’s global id, or its plain UUID.' }),
      name: t.string({ description: 'Its new name: `"thermostat"`.', validate: profileName.nullish() }),
      ...profileFields(t),
    }),
  },
  {
    description: 'Changes a device profile; connected devices follow without a restart. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('UpdateDeviceProfile'),
    resolve: (_root, { input }, { fleet, actor }) =>
      fleet.profiles.update(actor, idOf('DeviceProfile', input.id, 'id'), changes(input)),
  },
  profilePayload('The profile as it is now.'),
);

builder.relayMutationField(
  'deleteDeviceProfile',
  {
    description: 'Which profile.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'The profile’s global id, or its plain UUID.' }),
    }),
  },
  {
    description: 'Deletes a device profile that no device has and that is not the default. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('DeleteDeviceProfile'),
    resolve: (_root, { input }, { fleet, actor }) =>
      fleet.profiles.delete(actor, idOf('DeviceProfile', input.id, 'id')),
  },
  profilePayload('The profile as it was.'),
);
