import {
  FleetError,
  type DeviceProfile,
  type MetricMapping,
  type ProfileInput,
  type RpcMethod,
} from '../../src/fleet/index.ts';
import { builder, type InputFields } from '../builder.ts';
import { ifUpdatedAtField } from '../edit.ts';
import { resultUnion } from '../errors.ts';
import { idOf } from '../global-id.ts';
import { NotificationAttributesInput, NotificationAttributesType } from '../object/notification-attributes.ts';
import { DeviceProfileNode } from '../nodes.ts';
import { connection, pageRequest } from '../page.ts';
import { integer, list, NAME, OBJECT, text } from '../rules.ts';
import { LIMITS } from '../../src/fleet/index.ts';

const MetricKind = builder.enumType('MetricKind', {
  description: 'Whether the values of a metric are numbers or text.',
  values: {
    NUMERIC: { value: 'numeric', description: 'The values are numbers, in `numericValues` of a telemetry point.' },
    STRING: { value: 'string', description: 'The values are text, in `stringValues` of a telemetry point.' },
  } as const,
});

const MethodOperation = builder.enumType('RpcMethodOperation', {
  description: 'The LwM2M operation that a method performs.',
  values: {
    READ: { description: 'Reads the path.' },
    WRITE: { description: 'Writes the parameter `value` to the path.' },
    EXECUTE: { description: 'Executes the resource, with the parameter `arguments` if the method has it.' },
    CREATE: { description: 'Creates an instance of the object, with the parameter `values`.' },
    DELETE: { description: 'Deletes the object instance.' },
  },
});

const MAPPING = {
  path: 'The path of the resource: `"/3303/0/5700"`. `*` as instance id maps the resource of every instance: `"/3303/*/5700"`.',
  metric:
    'The metric’s name: `"temperature"`. It starts with a letter or _ and contains letters, digits, _, . and -. `{instance}` is replaced by the instance id and is required if the path has `*`: `"temperature_{instance}"`. Each instance of a multiple resource is a metric with its id: `power_0`, `power_1`; if another mapping can have that name, `power__0`. Two names must therefore differ in more than underscores at the end. One resource can have several mappings with different names.',
  scale: 'The stored number is value × scale + offset: `0.001` converts millivolts to volts.',
  offset: 'The stored number is value × scale + offset: `-273.15` converts kelvins to °C.',
  kind: '`NUMERIC` or `STRING`. Absent or null: by the resource’s type. Integer, Unsigned Integer, Float, Time (Unix seconds) and Boolean (0 or 1) are numeric; String, Corelnk and Objlnk are text; an Opaque value is recorded only with STRING, as base64. With NUMERIC, a String that is a decimal number (`"22.5"`) becomes this number; other text becomes a dead letter.',
  attributes: 'Notification attributes of the observation: `{ pmin: 10 }`. Absent or null: the device’s defaults.',
} as const;

const EXPECTED_INTERVAL =
  'Seconds in which a SLEEPING device sends at least one message: `3600`. `offlineAfter` counts from their end.';
const AWAKE_TIME =
  'Queue mode: seconds that a device stays awake after its last message. During this time the server sends calls immediately: `93`.';

const METHOD = {
  name: 'The name that `callRpc` takes: `"setpoint"`.',
  path: 'The path of the operation: `"/3/0/4"`. `{{name}}` is replaced by the call’s parameter of this name, a number: `"/3308/{{zone}}/5900"`.',
  parameters:
    'The parameters of the operation: `{ "value": "{{degrees}}" }`. `{{name}}` is replaced by the call’s parameter of this name.',
} as const;

const MetricMappingType = builder.objectRef<MetricMapping>('MetricMapping').implement({
  description:
    'Maps a resource to a metric. The server observes the resource when a device registers, and stores its values as telemetry.',
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
  description: 'A named method for `callRpc`, and the LwM2M operation that it performs.',
  fields: (t) => ({
    name: t.exposeString('name', { description: METHOD.name }),
    operation: t.expose('operation', { type: MethodOperation, description: 'The LwM2M operation: `EXECUTE`.' }),
    path: t.exposeString('path', { description: METHOD.path }),
    parameters: t.expose('parameters', { type: 'JSON', nullable: true, description: METHOD.parameters }),
  }),
});

builder.objectType(DeviceProfileNode, {
  description:
    'The settings of a group of devices: which resources are recorded as telemetry, and which RPC methods the devices have. A change applies to connected devices immediately.',
  fields: (t) => ({
    profileId: t.expose('id', { type: 'UUID', description: 'The profile’s UUID.' }),
    name: t.exposeString('name', { description: 'The profile’s name, unique in the tenant: `"Default"`.' }),
    isDefault: t.exposeBoolean('isDefault', {
      description: 'True: new devices get this profile if no other is given.',
    }),
    mappings: t.field({
      type: [MetricMappingType],
      description: 'The resources that are recorded as telemetry, and their metrics.',
      resolve: ({ mappings }) => [...mappings],
    }),
    methods: t.field({
      type: [RpcMethodType],
      description:
        'The methods of this profile. Every device also has `reboot` and `factory_reset`, whether they are in this list or not.',
      resolve: ({ methods }) => [...methods],
    }),
    offlineAfter: t.exposeInt('offlineAfter', {
      nullable: true,
      description:
        'Seconds without a message until a device is OFFLINE: `600`. For a SLEEPING device they count from the time when it should have sent a message: see `expectedInterval`. Null: a device is OFFLINE only when its registration ends.',
    }),
    expectedInterval: t.exposeInt('expectedInterval', {
      nullable: true,
      description: `${EXPECTED_INTERVAL} Null: the lifetime of its registration, which is also used if it is shorter.`,
    }),
    awakeTime: t.exposeInt('awakeTime', { nullable: true, description: `${AWAKE_TIME} Null: 93.` }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the profile was created.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the profile was last changed.' }),
  }),
});

builder.queryField('deviceProfile', (t) =>
  t.field({
    type: DeviceProfileNode,
    nullable: true,
    description: 'Returns the profile with this id; null if the tenant has none.',
    args: { id: t.arg.id({ required: true, description: 'The profile’s global id or UUID.' }) },
    resolve: (_root, { id }) => idOf('DeviceProfile', id, 'id'),
  }),
);

builder.queryField('deviceProfiles', (t) =>
  t.connection(
    {
      type: DeviceProfileNode,
      description: 'Lists the tenant’s profiles, oldest first.',
      resolve: async (_root, page, { fleet, actor }) => connection(await fleet.profiles.page(actor, pageRequest(page))),
    },
    { name: 'DeviceProfileConnection', description: 'A page of device profiles.' },
    { name: 'DeviceProfileEdge', description: 'A device profile and its cursor.' },
  ),
);

const MetricMappingInput = builder.inputType('MetricMappingInput', {
  description: 'A resource and its metric: `{ path: "/3303/0/5700", metric: "temperature" }`.',
  fields: (t) => ({
    path: t.field({ type: 'ResourcePath', required: true, description: MAPPING.path }),
    metric: t.string({ required: true, description: MAPPING.metric, validate: text({ most: 128 }) }),
    scale: t.float({ description: `${MAPPING.scale} Absent or null: 1.` }),
    offset: t.float({ description: `${MAPPING.offset} Absent or null: 0.` }),
    kind: t.field({ type: MetricKind, description: MAPPING.kind }),
    attributes: t.field({ type: NotificationAttributesInput, description: MAPPING.attributes }),
  }),
});

const RpcMethodInput = builder.inputType('RpcMethodInput', {
  description:
    'A method and its operation: `{ name: "setpoint", operation: WRITE, path: "/3308/{{zone}}/5900", parameters: { value: "{{degrees}}" } }`.',
  fields: (t) => ({
    name: t.string({ required: true, description: METHOD.name, validate: text({ most: 64 }) }),
    operation: t.field({ type: MethodOperation, required: true, description: 'The LwM2M operation: `WRITE`.' }),
    path: t.string({ required: true, description: METHOD.path, validate: text({ most: 128 }) }),
    parameters: t.field({
      type: 'JSON',
      description: `${METHOD.parameters} Absent or null: none.`,
      validate: OBJECT,
    }),
  }),
});

function profileFields(t: InputFields, change: 'create' | 'update') {
  /** What an absent value and null do. */
  const without = (none: string) =>
    change === 'create' ? `Absent or null: ${none}.` : `Absent: unchanged. Null: ${none}.`;
  const complete = (items: string) =>
    change === 'update' ? ` This is the complete new list: ${items} that you leave out are deleted.` : '';
  return {
    mappings: t.field({
      type: [MetricMappingInput],
      description: `The resources to record and their metrics.${complete('mappings')} ${without('none')}`,
      validate: list('mappings', { most: LIMITS.mappings }),
    }),
    methods: t.field({
      type: [RpcMethodInput],
      description: `The methods for \`callRpc\`.${complete('methods')} ${without('none')}`,
      validate: list('methods', { most: LIMITS.methods }),
    }),
    offlineAfter: t.int({
      description: `Seconds without a message until a device is OFFLINE: \`600\`. ${without('a device is OFFLINE only when its registration ends')}`,
      validate: integer(1, LIMITS.offlineAfter),
    }),
    expectedInterval: t.int({
      description: `${EXPECTED_INTERVAL} ${without('the lifetime of its registration, which is also used if it is shorter')}`,
      validate: integer(1, LIMITS.offlineAfter),
    }),
    awakeTime: t.int({
      description: `${AWAKE_TIME} ${without('93, the MAX_TRANSMIT_WAIT of CoAP')}`,
      validate: integer(1, LIMITS.awakeTime),
    }),
  };
}

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
  readonly expectedInterval?: number | null;
  readonly awakeTime?: number | null;
}

/** The given fields of a profile; null clears a field. Throws VALIDATION if the name is null. */
function changes(input: ProfileFields): Partial<ProfileInput> {
  if (input.name === null) {
    throw new FleetError('VALIDATION', 'name: null is not a name; a profile must have one', { field: ['name'] });
  }
  return {
    ...(input.name !== undefined && { name: input.name }),
    ...(input.mappings !== undefined && {
      mappings: (input.mappings ?? []).map(({ path, metric, scale, offset, kind, attributes }) => ({
        path,
        metric,
        ...(scale != null && { scale }),
        ...(offset != null && { offset }),
        ...(kind != null && { kind }),
        ...(attributes != null && { attributes }),
      })),
    }),
    ...(input.methods !== undefined && {
      methods: (input.methods ?? []).map(({ parameters, ...method }) => ({
        ...method,
        // The validation of the input ensures that it is an object.
        ...(parameters != null && { parameters: parameters as Readonly<Record<string, unknown>> }),
      })),
    }),
    ...(input.offlineAfter !== undefined && { offlineAfter: input.offlineAfter }),
    ...(input.expectedInterval !== undefined && { expectedInterval: input.expectedInterval }),
    ...(input.awakeTime !== undefined && { awakeTime: input.awakeTime }),
  };
}

const profilePayload = (description: string) => ({
  description: 'The profile of the mutation.',
  outputFields: (t: PayloadFields) => ({
    profile: t.field({ type: DeviceProfileNode, description, resolve: (profile) => profile }),
  }),
});

type PayloadFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, DeviceProfile>;

builder.relayMutationField(
  'createDeviceProfile',
  {
    description:
      'The new profile: `{ name: "thermostat", mappings: [{ path: "/3303/0/5700", metric: "temperature" }] }`.',
    inputFields: (t) => ({
      name: t.string({
        required: true,
        description: 'The profile’s name, unique in the tenant: `"thermostat"`.',
        validate: NAME,
      }),
      ...profileFields(t, 'create'),
    }),
  },
  {
    description: 'Creates a device profile. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateDeviceProfile', {
      role: 'admin',
      validation: 'a field is invalid, for example a mapping or a method is listed twice',
      conflict: 'another profile has this name',
    }),
    resolve: (_root, { input }, { fleet, actor }) =>
      fleet.profiles.create(actor, { ...changes(input), name: input.name }),
  },
  profilePayload('The new profile.'),
);

builder.relayMutationField(
  'updateDeviceProfile',
  {
    description: 'The fields to change; absent fields stay unchanged. Example: `{ id: "…", offlineAfter: 600 }`.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'The profile’s global id or UUID.' }),
      ifUpdatedAt: ifUpdatedAtField(t, 'the profile'),
      name: t.string({
        description:
          'The new name: `"thermostat"`. Absent: unchanged. Null: a ValidationError, because a profile must have a name.',
        validate: NAME,
      }),
      ...profileFields(t, 'update'),
    }),
  },
  {
    description: 'Changes a device profile. The change applies to connected devices immediately. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('UpdateDeviceProfile', {
      role: 'admin',
      validation: 'a field is invalid, for example a mapping or a method is listed twice',
      notFound: 'the tenant has no profile with this id',
      conflict: 'another profile has this name, or the profile was changed since `ifUpdatedAt`',
    }),
    resolve: (_root, { input }, { fleet, actor }) =>
      fleet.profiles.update(actor, idOf('DeviceProfile', input.id, 'id'), changes(input), input.ifUpdatedAt),
  },
  profilePayload('The profile after the change.'),
);

builder.relayMutationField(
  'deleteDeviceProfile',
  {
    description: 'The profile to delete.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'The profile’s global id or UUID.' }),
    }),
  },
  {
    description: 'Deletes a device profile. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('DeleteDeviceProfile', {
      role: 'admin',
      validation: 'the id is malformed',
      notFound: 'the tenant has no profile with this id',
      conflict: 'a device has this profile, or it is the default profile',
    }),
    resolve: (_root, { input }, { fleet, actor }) =>
      fleet.profiles.delete(actor, idOf('DeviceProfile', input.id, 'id')),
  },
  profilePayload('The deleted profile.'),
);
