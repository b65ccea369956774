import {
  FleetError,
  LIMITS,
  type BootstrapPlan,
  type DeviceRegistration,
  type PlanOwner,
  type Rpc,
  type StoredPlan,
  type WriteValue,
} from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { CredentialInput, issuedFields, newCredential, within } from '../credential/credential.ts';
import { ifUpdatedAtField } from '../edit.ts';
import { deviceResultUnion, reached, resultUnion } from '../errors.ts';
import { idOf } from '../global-id.ts';
import { DeviceNode, DeviceProfileNode } from '../nodes.ts';
import { rpcModeField, rpcOptionFields, rpcPayloadField } from '../rpc/rpc.ts';
import { GENERATED_KEY, integer, list, OBJECT_ID, text } from '../rules.ts';

const BootstrapSecurity = builder.enumType('BootstrapSecurity', {
  description: 'The credential that a bootstrap gives the device for its LwM2M server.',
  values: {
    FRESH_PSK: {
      description:
        'Each bootstrap generates a new pre-shared key. The device’s older keys are valid until it registers with the new one.',
    },
    NO_SEC: { description: 'No credential: the device registers without security.' },
  },
});

const SERVER = {
  uri: 'The server’s address as seen from the devices: `"coaps://lwm2m.example.com:5684"`. With NO_SEC it starts with coap://.',
  shortServerId: 'The short server id in the Security and Server instances: `1`.',
  securityInstanceId:
    'The id of the Security instance (/0) of this server: `100`. It should differ from the id of the device’s bootstrap account. Where a Discover finds the account at this id, the server’s instance gets another id.',
  serverInstanceId: 'The id of the Server instance (/1) of this server: `100`.',
  lifetime: 'The lifetime of the device’s registrations in seconds: `86400`.',
  binding: 'The binding in the Server instance: `"U"` (UDP).',
  security: 'The credential for this server: `FRESH_PSK`.',
} as const;

const VALUE = {
  path: 'The path of a resource, a resource instance or an object instance: `"/3/0/15"`.',
  value:
    'The value, in the JSON form of the resource’s type: `"Europe/Berlin"`. For an object instance: an object from resource id to value. Strings can contain `{{endpoint}}`, `{{serverUri}}`, `{{shortServerId}}`, `{{lifetime}}` and `{{binding}}`; Opaque values `{{pskIdentity}}` and `{{psk}}`.',
} as const;

const PLAN = {
  server: 'The device’s LwM2M server. The bootstrap writes it as an instance of Security (/0) and of Server (/1).',
  values: 'More values to write: `[{ path: "/3/0/15", value: "Europe/Berlin" }]`.',
  deletes: 'Paths that are deleted first: `["/0", "/1"]`. The device keeps its bootstrap account.',
  keyLength:
    'The bytes of each new key, for FRESH_PSK and `{{psk}}`: `32`, or `16` for devices that can’t hold longer keys.',
  reads: 'Paths that are read at the end: `["/1"]`. Only `/1` and `/2` and paths below them (LwM2M 1.1).',
} as const;

const BootstrapServerType = builder.objectRef<NonNullable<BootstrapPlan['server']>>('BootstrapServer').implement({
  description: 'The LwM2M server with which devices register after their bootstrap.',
  fields: (t) => ({
    uri: t.exposeString('uri', { description: SERVER.uri }),
    shortServerId: t.exposeInt('shortServerId', { description: SERVER.shortServerId }),
    securityInstanceId: t.exposeInt('securityInstanceId', { description: SERVER.securityInstanceId }),
    serverInstanceId: t.exposeInt('serverInstanceId', { description: SERVER.serverInstanceId }),
    lifetime: t.exposeInt('lifetime', { description: SERVER.lifetime }),
    binding: t.exposeString('binding', { description: SERVER.binding }),
    security: t.expose('security', { type: BootstrapSecurity, description: SERVER.security }),
  }),
});

const BootstrapValueType = builder.objectRef<WriteValue>('BootstrapValue').implement({
  description: 'A path and the value that a bootstrap writes to it.',
  fields: (t) => ({
    path: t.expose('path', { type: 'ResourcePath', description: VALUE.path }),
    value: t.expose('value', { type: 'ResourceValue', description: 'The value: `"Europe/Berlin"`. Keys are hidden.' }),
  }),
});

const BootstrapPlanType = builder.objectRef<StoredPlan>('BootstrapPlan').implement({
  description: 'The configuration that a bootstrap writes to a device.',
  fields: (t) => ({
    server: t.expose('server', {
      type: BootstrapServerType,
      nullable: true,
      description: `${PLAN.server} Null: the bootstrap writes only \`values\`.`,
    }),
    values: t.field({
      type: [BootstrapValueType],
      description: PLAN.values,
      resolve: ({ values }) => [...values],
    }),
    deletes: t.field({
      type: ['ResourcePath'],
      description: PLAN.deletes,
      resolve: ({ deletes }) => [...deletes],
    }),
    reads: t.field({ type: ['ResourcePath'], description: PLAN.reads, resolve: ({ reads }) => [...reads] }),
    keyLength: t.exposeInt('keyLength', { description: PLAN.keyLength }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the plan was set.' }),
  }),
});

builder.objectField(DeviceNode, 'bootstrapPlan', (t) =>
  t.field({
    type: BootstrapPlanType,
    nullable: true,
    description:
      'The device’s own bootstrap plan, used instead of its profile’s plan. Null: the profile’s plan applies. Only for admins.',
    authScopes: { admin: true },
    complexity: { field: 10 },
    resolve: ({ id }, _args, { fleet, actor }) => fleet.bootstraps.plan(actor, { deviceId: id }),
  }),
);

builder.objectField(DeviceProfileNode, 'bootstrapPlan', (t) =>
  t.field({
    type: BootstrapPlanType,
    nullable: true,
    description:
      'The bootstrap plan of this profile’s devices. Null: a device can bootstrap only if it has its own plan. Only for admins.',
    authScopes: { admin: true },
    complexity: { field: 10 },
    resolve: ({ id }, _args, { fleet, actor }) => fleet.bootstraps.plan(actor, { profileId: id }),
  }),
);

/**
 * The default id of the server's instances. Devices keep their bootstrap account in one of the first instances, and an
 * id below 256 is one byte in every format.
 */
const UNLIKELY = 100;

const BootstrapServerInput = builder.inputType('BootstrapServerInput', {
  description:
    'The LwM2M server with which devices register. Most plans need only the address: `{ uri: "coaps://lwm2m.example.com:5684" }`.',
  fields: (t) => ({
    uri: t.string({ required: true, description: SERVER.uri, validate: text({ most: 255 }) }),
    shortServerId: t.int({
      defaultValue: 1,
      description: `${SERVER.shortServerId} Absent or null: 1.`,
      validate: integer(1, 65_534),
    }),
    securityInstanceId: t.int({
      defaultValue: UNLIKELY,
      description: `${SERVER.securityInstanceId} Absent or null: ${UNLIKELY}.`,
      validate: OBJECT_ID,
    }),
    serverInstanceId: t.int({
      defaultValue: UNLIKELY,
      description: `${SERVER.serverInstanceId} Absent or null: ${UNLIKELY}.`,
      validate: OBJECT_ID,
    }),
    lifetime: t.int({
      defaultValue: 86_400,
      description: `${SERVER.lifetime} Absent or null: 86400.`,
      validate: integer(1, 2 ** 31 - 1),
    }),
    binding: t.string({
      defaultValue: 'U',
      description: `${SERVER.binding} Absent or null: \`"U"\`.`,
      validate: text({ most: 10 }),
    }),
    security: t.field({
      type: BootstrapSecurity,
      defaultValue: 'FRESH_PSK',
      description: `${SERVER.security} Absent or null: \`FRESH_PSK\`.`,
    }),
  }),
});

const BootstrapValueInput = builder.inputType('BootstrapValueInput', {
  description: 'A path and the value to write to it: `{ path: "/3/0/15", value: "Europe/Berlin" }`.',
  fields: (t) => ({
    path: t.field({ type: 'ResourcePath', required: true, description: VALUE.path }),
    value: t.field({ type: 'ResourceValue', required: true, description: VALUE.value }),
  }),
});

const BootstrapPlanInput = builder.inputType('BootstrapPlanInput', {
  description: 'The configuration that a bootstrap writes: `{ server: { uri: "coaps://lwm2m.example.com:5684" } }`.',
  fields: (t) => ({
    server: t.field({
      type: BootstrapServerInput,
      description: `${PLAN.server} Absent or null: it writes only \`values\`.`,
    }),
    values: t.field({
      type: [BootstrapValueInput],
      description: `${PLAN.values} Absent or null: none.`,
      validate: list('values', { most: LIMITS.planValues }),
    }),
    deletes: t.field({
      type: ['ResourcePath'],
      defaultValue: ['/0', '/1'],
      description: `${PLAN.deletes} Absent or null: \`["/0", "/1"]\`.`,
      validate: list('paths', { most: LIMITS.planPaths }),
    }),
    reads: t.field({
      type: ['ResourcePath'],
      defaultValue: [],
      description: `${PLAN.reads} Absent or null: none.`,
      validate: list('paths', { most: LIMITS.planPaths }),
    }),
    keyLength: t.int({
      defaultValue: 32,
      description: `${PLAN.keyLength} Absent or null: 32.`,
      validate: GENERATED_KEY,
    }),
  }),
});

/** Converts the input to a plan; the fleet validates it. */
function planOf({ server, values, deletes, reads, keyLength }: typeof BootstrapPlanInput.$inferInput): BootstrapPlan {
  return {
    server: server
      ? {
          uri: server.uri,
          shortServerId: server.shortServerId ?? 1,
          securityInstanceId: server.securityInstanceId ?? UNLIKELY,
          serverInstanceId: server.serverInstanceId ?? UNLIKELY,
          lifetime: server.lifetime ?? 86_400,
          binding: server.binding ?? 'U',
          security: server.security ?? 'FRESH_PSK',
        }
      : null,
    values: values ?? [],
    deletes: deletes ?? ['/0', '/1'],
    reads: reads ?? [],
    keyLength: keyLength ?? 32,
  };
}

function ownerOf(profileId: string | null | undefined, deviceId: string | null | undefined): PlanOwner {
  if (profileId != null && deviceId == null) return { profileId: idOf('DeviceProfile', profileId, 'profileId') };
  if (deviceId != null && profileId == null) return { deviceId: idOf('Device', deviceId, 'deviceId') };
  throw new FleetError('VALIDATION', 'exactly one of profileId and deviceId is required', { field: ['profileId'] });
}

type SetPlan = { readonly plan: StoredPlan | null };

builder.relayMutationField(
  'setBootstrapPlan',
  {
    description:
      'The plan, for the devices of a profile or for one device: `{ profileId: "…", plan: { server: { uri: "coaps://lwm2m.example.com:5684" } } }`.',
    inputFields: (t) => ({
      profileId: t.id({
        description:
          'The profile’s global id or UUID. Give exactly one of profileId and deviceId. Absent or null: the plan is that of `deviceId`.',
      }),
      deviceId: t.id({
        description:
          'The device’s global id or UUID. A device’s own plan is used instead of its profile’s plan. Absent or null: the plan is that of `profileId`.',
      }),
      plan: t.field({
        type: BootstrapPlanInput,
        description: 'The new plan; it replaces the current one. Absent or null: the current plan is removed.',
      }),
      ifUpdatedAt: ifUpdatedAtField(t, 'the plan'),
    }),
  },
  {
    description: 'Sets the configuration that bootstraps write; it applies to the next bootstrap. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('SetBootstrapPlan', {
      role: 'admin',
      validation: 'the plan is invalid, or not exactly one of profileId and deviceId is given',
      notFound: 'the tenant has no device or profile with this id',
      conflict: 'the plan was changed or removed since `ifUpdatedAt`',
    }),
    resolve: async (_root, { input: { profileId, deviceId, plan, ifUpdatedAt } }, { fleet, actor }) => {
      const owner = ownerOf(profileId, deviceId);
      const set = fleet.bootstraps.setPlan(actor, owner, plan ? planOf(plan) : null, ifUpdatedAt);
      const stored = await set.catch((error: unknown) => {
        if (!(error instanceof FleetError) || error.code !== 'VALIDATION') throw error;
        throw new FleetError('VALIDATION', error.message, { field: ['plan', ...error.field], cause: error });
      });
      return { plan: stored };
    },
  },
  {
    description: 'The stored plan. The server stores it encrypted.',
    outputFields: (t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, SetPlan>) => ({
      plan: t.field({
        type: BootstrapPlanType,
        nullable: true,
        description: 'The new plan, with keys hidden; null if the plan was removed.',
        resolve: ({ plan }) => plan,
      }),
    }),
  },
);

builder.relayMutationField(
  'createBootstrapCredential',
  {
    description:
      'The device and its credential for the bootstrap server: `{ deviceId: "…", credential: { psk: {} } }`.',
    inputFields: (t) => ({
      deviceId: t.id({ required: true, description: 'The device’s global id or UUID.' }),
      credential: t.field({
        type: CredentialInput,
        required: true,
        description: 'The credential to add: `{ psk: {} }`.',
      }),
    }),
  },
  {
    description:
      'Adds a credential for the bootstrap server: the device can bootstrap over DTLS and can’t bootstrap without security. `revokeCredential` revokes it. Only for admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateBootstrapCredential', {
      role: 'admin',
      validation: 'a field is invalid',
      notFound: 'the tenant has no device with this id',
      conflict: 'another credential has this identity, or the device already has 16 credentials',
    }),
    resolve: (_root, { input: { deviceId, credential } }, { fleet, actor }) =>
      fleet.credentials
        .create(actor, idOf('Device', deviceId, 'deviceId'), {
          ...newCredential(credential, 'credential'),
          purpose: 'bootstrap',
        })
        .catch(within('credential')),
  },
  {
    description: 'The new credential.',
    outputFields: issuedFields,
  },
);

/** The id of the device's only Server instance. Throws FleetError VALIDATION if it has several. */
function onlyServer(registration: DeviceRegistration | null): number {
  const ids = registration?.objects.find(({ objectId }) => objectId === 1)?.instanceIds ?? [];
  if (ids.length <= 1) return ids[0] ?? 0;
  throw new FleetError('VALIDATION', `the device has the Server instances ${ids.join(', ')}: choose one`, {
    field: ['serverInstanceId'],
  });
}

builder.relayMutationField(
  'requestBootstrap',
  {
    description: 'The device to bootstrap: `{ deviceId: "…" }`.',
    inputFields: (t) => ({
      deviceId: t.id({ required: true, description: 'The device’s global id or UUID.' }),
      serverInstanceId: t.int({
        description:
          'The id of the Server instance (/1) of Treeline on the device: `100`. Absent or null: the only one that the device listed in its registration, or 0 if it listed none.',
        validate: OBJECT_ID,
      }),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description:
      'Tells a registered device to bootstrap again: an Execute of the resource Bootstrap-Request Trigger, `/1/{serverInstanceId}/9` (LwM2M 1.1). Only for operators and admins.',
    authScopes: { operator: true },
    errors: deviceResultUnion('RequestBootstrap', 'a field is invalid'),
    resolve: async (_root, { input }, { fleet, actor, load }): Promise<Rpc> => {
      const { deviceId, serverInstanceId, rpcMode, timeoutMs, expiresAt, idempotencyKey } = input;
      const id = idOf('Device', deviceId, 'deviceId');
      const device = serverInstanceId == null ? await fleet.devices.get(actor, { id }) : null;
      const instanceId = serverInstanceId ?? onlyServer(device && (await load.registration(device.id)));
      const operation = { kind: 'execute', path: `/1/${instanceId}/9` } as const;
      const options = { mode: rpcMode, timeoutMs, expiresAt, idempotencyKey };
      return reached(await fleet.rpcs.perform(actor, id, operation, options));
    },
  },
  { description: 'The recorded Execute.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
