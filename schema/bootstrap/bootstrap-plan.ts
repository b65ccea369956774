import * as z from 'zod';
import { FleetError, type BootstrapPlan, type PlanOwner, type Rpc, type WriteValue } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { CredentialInput, issuedFields, newCredential, within } from '../credential/credential.ts';
import { reached, resultUnion } from '../errors.ts';
import { idOf } from '../global-id.ts';
import { DeviceNode, DeviceProfileNode } from '../nodes.ts';
import { rpcModeField, rpcOptionFields, rpcPayloadField } from '../rpc/rpc.ts';

const BootstrapSecurity = builder.enumType('BootstrapSecurity', {
  description: 'What a bootstrapped device is given to prove itself to its server with.',
  values: {
    FRESH_PSK: {
      description:
        'A pre-shared key that is made for each bootstrap. The device’s older keys count until it has registered with the new one.',
    },
    NO_SEC: { description: 'Nothing: it registers without security.' },
  },
});

const SERVER = {
  uri: 'The server’s address, as devices reach it: `"coaps://lwm2m.example.com:5684"`; coap:// with NO_SEC.',
  shortServerId: 'The short server id of its Security and Server instances, 1 to 65534: `1`.',
  lifetime: 'The lifetime of the device’s registrations in seconds: `86400`.',
  binding: 'The binding of its Server instance: `"U"`.',
  security: 'What it is given to prove itself with.',
} as const;

const VALUE = {
  path: 'Where it is written: a resource, `"/3/0/15"`, a resource instance, `"/2/0/2/1"`, or an object instance.',
  value:
    'The value, by the resource’s type, or those of an instance by resource id: `"Europe/Berlin"`. Texts may name `{{endpoint}}`, `{{serverUri}}`, `{{shortServerId}}`, `{{lifetime}}`, `{{binding}}`, and where Opaque is wanted `{{pskIdentity}}` and `{{psk}}`.',
} as const;

const PLAN = {
  server:
    'The device’s LwM2M server: becomes an instance of Security (/0) and one of Server (/1). Null: the values say everything.',
  values: 'What is written beside it.',
  deletes: 'What is deleted first: `["/0", "/1"]`. The bootstrap account survives.',
  reads: 'What is read back at the end, below `/1` and `/2` (LwM2M 1.1): `["/1"]`.',
} as const;

const BootstrapServerType = builder.objectRef<NonNullable<BootstrapPlan['server']>>('BootstrapServer').implement({
  description: 'The server that bootstrapped devices register with.',
  fields: (t) => ({
    uri: t.exposeString('uri', { description: SERVER.uri }),
    shortServerId: t.exposeInt('shortServerId', { description: SERVER.shortServerId }),
    lifetime: t.exposeInt('lifetime', { description: SERVER.lifetime }),
    binding: t.exposeString('binding', { description: SERVER.binding }),
    security: t.expose('security', { type: BootstrapSecurity, description: SERVER.security }),
  }),
});

const BootstrapValueType = builder.objectRef<WriteValue>('BootstrapValue').implement({
  description: 'A value that a bootstrap writes.',
  fields: (t) => ({
    path: t.expose('path', { type: 'ResourcePath', description: VALUE.path }),
    value: t.expose('value', { type: 'ResourceValue', description: 'The value; keys are blanked: `"Europe/Berlin"`.' }),
  }),
});

const BootstrapPlanType = builder.objectRef<BootstrapPlan>('BootstrapPlan').implement({
  description: 'What a device has after its bootstrap.',
  fields: (t) => ({
    server: t.expose('server', { type: BootstrapServerType, nullable: true, description: PLAN.server }),
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
  }),
});

builder.objectField(DeviceNode, 'bootstrapPlan', (t) =>
  t.field({
    type: BootstrapPlanType,
    nullable: true,
    description: 'What its bootstraps write, in place of its profile’s plan; null: as its profile says. For admins.',
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
      'What the bootstraps of its devices write; null: they may not bootstrap without a plan of their own. For admins.',
    authScopes: { admin: true },
    complexity: { field: 10 },
    resolve: ({ id }, _args, { fleet, actor }) => fleet.bootstraps.plan(actor, { profileId: id }),
  }),
);

const BootstrapServerInput = builder.inputType('BootstrapServerInput', {
  description: 'The server to register with: `{ uri: "coaps://lwm2m.example.com:5684" }` is all that most need.',
  fields: (t) => ({
    uri: t.string({ required: true, description: SERVER.uri, validate: z.string().min(1).max(255) }),
    shortServerId: t.int({ defaultValue: 1, description: SERVER.shortServerId }),
    lifetime: t.int({ defaultValue: 86_400, description: SERVER.lifetime }),
    binding: t.string({ defaultValue: 'U', description: SERVER.binding, validate: z.string().max(10).nullish() }),
    security: t.field({ type: BootstrapSecurity, defaultValue: 'FRESH_PSK', description: SERVER.security }),
  }),
});

const BootstrapValueInput = builder.inputType('BootstrapValueInput', {
  description: 'A value and where it goes: `{ path: "/3/0/15", value: "Europe/Berlin" }`.',
  fields: (t) => ({
    path: t.field({ type: 'ResourcePath', required: true, description: VALUE.path }),
    value: t.field({ type: 'ResourceValue', required: true, description: VALUE.value }),
  }),
});

const BootstrapPlanInput = builder.inputType('BootstrapPlanInput', {
  description: 'What devices have after their bootstrap: `{ server: { uri: "coaps://lwm2m.example.com:5684" } }`.',
  fields: (t) => ({
    server: t.field({ type: BootstrapServerInput, description: PLAN.server }),
    values: t.field({
      type: [BootstrapValueInput],
      description: PLAN.values,
      validate: z.array(z.unknown()).max(500).nullish(),
    }),
    deletes: t.field({
      type: ['ResourcePath'],
      defaultValue: ['/0', '/1'],
      description: PLAN.deletes,
      validate: z.array(z.string()).max(50).nullish(),
    }),
    reads: t.field({
      type: ['ResourcePath'],
      defaultValue: [],
      description: PLAN.reads,
      validate: z.array(z.string()).max(50).nullish(),
    }),
  }),
});

/** The plan that was asked for; what it says is checked by the fleet. */
function planOf({ server, values, deletes, reads }: typeof BootstrapPlanInput.$inferInput): BootstrapPlan {
  return {
    server: server
      ? {
          uri: server.uri,
          shortServerId: server.shortServerId ?? 1,
          lifetime: server.lifetime ?? 86_400,
          binding: server.binding ?? 'U',
          security: server.security ?? 'FRESH_PSK',
        }
      : null,
    values: values ?? [],
    deletes: deletes ?? ['/0', '/1'],
    reads: reads ?? [],
  };
}

function ownerOf(profileId: string | null | undefined, deviceId: string | null | undefined): PlanOwner {
  if (profileId != null && deviceId == null) return { profileId: idOf('DeviceProfile', profileId, 'profileId') };
  if (deviceId != null && profileId == null) return { deviceId: idOf('Device', deviceId, 'deviceId') };
  throw new FleetError('VALIDATION', 'exactly one of profileId and deviceId is wanted', { field: ['profileId'] });
}

type SetPlan = { readonly plan: BootstrapPlan | null };

builder.relayMutationField(
  'setBootstrapPlan',
  {
    description:
      'What the bootstraps of a profile’s devices, or of one device, write: `{ profileId: "…", plan: { server: { uri: "coaps://lwm2m.example.com:5684" } } }`.',
    inputFields: (t) => ({
      profileId: t.id({ description: 'The profile: its global id, or its plain UUID.' }),
      deviceId: t.id({ description: 'Or the device, whose own plan goes before its profile’s.' }),
      plan: t.field({
        type: BootstrapPlanInput,
        description: 'The plan, in place of the one before. Null takes it away.',
      }),
    }),
  },
  {
    description: 'Says what devices have after their bootstrap; it counts from the next one. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('SetBootstrapPlan'),
    resolve: async (_root, { input: { profileId, deviceId, plan } }, { fleet, actor }): Promise<SetPlan> => {
      const owner = ownerOf(profileId, deviceId);
      await fleet.bootstraps.setPlan(actor, owner, plan ? planOf(plan) : null).catch((error: unknown) => {
        if (!(error instanceof FleetError) || error.code !== 'VALIDATION') throw error;
        throw new FleetError('VALIDATION', error.message, { field: ['plan', ...error.field], cause: error });
      });
      return { plan: await fleet.bootstraps.plan(actor, owner) };
    },
  },
  {
    description: 'The plan was kept, encrypted.',
    outputFields: (t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, SetPlan>) => ({
      plan: t.field({
        type: BootstrapPlanType,
        nullable: true,
        description: 'The plan as it is now, keys blanked.',
        resolve: ({ plan }) => plan,
      }),
    }),
  },
);

builder.relayMutationField(
  'createBootstrapCredential',
  {
    description:
      'What a device shall prove itself to the bootstrap server with: `{ deviceId: "…", credential: { psk: {} } }`.',
    inputFields: (t) => ({
      deviceId: t.id({ required: true, description: 'The device’s global id, or its plain UUID.' }),
      credential: t.field({ type: CredentialInput, required: true, description: 'What it shall prove itself with.' }),
    }),
  },
  {
    description:
      'Lets a device bootstrap over DTLS; it can then no longer bootstrap without security. `revokeCredential` takes it back. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('CreateBootstrapCredential'),
    resolve: (_root, { input: { deviceId, credential } }, { fleet, actor }) =>
      fleet.credentials
        .create(actor, idOf('Device', deviceId, 'deviceId'), {
          ...newCredential(credential, 'credential'),
          purpose: 'bootstrap',
        })
        .catch(within('credential')),
  },
  {
    description: 'The credential was made.',
    outputFields: issuedFields,
  },
);

builder.relayMutationField(
  'requestBootstrap',
  {
    description: 'Which device, and by which of its Server instances: `{ deviceId: "…" }`.',
    inputFields: (t) => ({
      deviceId: t.id({ required: true, description: 'The device’s global id, or its plain UUID.' }),
      serverInstanceId: t.int({
        defaultValue: 0,
        description: 'The instance of Server (/1) that stands for Treeline: `0`.',
        validate: z.number().int().min(0).max(65_534).nullish(),
      }),
      rpcMode: rpcModeField(t),
      ...rpcOptionFields(t),
    }),
  },
  {
    description:
      'Has a registered device bootstrap again: Execute of its Bootstrap-Request Trigger, `/1/x/9` (LwM2M 1.1). It becomes an RPC. For operators.',
    authScopes: { operator: true },
    errors: resultUnion('RequestBootstrap', 'device'),
    resolve: async (_root, { input }, { fleet, actor }): Promise<Rpc> => {
      const { deviceId, serverInstanceId, rpcMode, timeoutMs, expiresAt, idempotencyKey } = input;
      const operation = { kind: 'execute', path: `/1/${serverInstanceId ?? 0}/9` } as const;
      const id = idOf('Device', deviceId, 'deviceId');
      const options = { mode: rpcMode, timeoutMs, expiresAt, idempotencyKey };
      return reached(await fleet.rpcs.perform(actor, id, operation, options));
    },
  },
  { description: 'The Execute was recorded.', outputFields: (t) => ({ rpc: rpcPayloadField(t) }) },
);
