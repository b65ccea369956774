import * as z from 'zod';
import {
  FleetError,
  type Device,
  type DeviceFilter,
  type DeviceStatus,
  type IssuedCredential,
} from '../src/fleet/index.ts';
import { builder } from './builder.ts';
import { CredentialInput, DeviceCredentialType, newCredential, PskSecretType, within } from './credential.ts';
import { DeviceObjectType, ResourceObject } from './device-tree.ts';
import { resultUnion } from './errors.ts';
import { encodeGlobalId, idOf } from './global-id.ts';
import { HandshakeType } from './handshake.ts';
import { DeviceNode, DeviceProfileNode, RpcNode } from './nodes.ts';
import { ObservationType } from './observation.ts';
import { connection, pageRequest, pageSize } from './page.ts';
import { RegistrationType } from './registration.ts';
import { RpcStatusEnum } from './rpc.ts';
import { TelemetryPointType } from './telemetry.ts';
import { narrow, parseSelector, selects } from './tree-selection.ts';
import { treeOf, versionOf } from './tree.ts';

export const DeviceStatusEnum = builder.enumType('DeviceStatus', {
  description: 'Whether a device can be reached.',
  values: {
    ONLINE: { description: 'Registered and awake: what is asked of it goes out at once.' },
    SLEEPING: { description: 'Registered in queue mode and asleep: what is asked of it is held until it wakes.' },
    OFFLINE: { description: 'It was here, and de-registered, expired or fell silent.' },
    NEVER_SEEN: { description: 'Provisioned, and never registered.' },
  } satisfies Record<DeviceStatus, { description: string }>,
});

const paths = z.array(z.string()).min(1, 'is empty').max(100, 'has more than 100 paths');

builder.objectType(DeviceNode, {
  description: 'A device: what the platform knows of it, and its resource tree.',
  fields: (t) => ({
    deviceId: t.expose('id', {
      type: 'UUID',
      description:
        'The platform’s plain id of the device, as on every event: `"d7b1c0e2-3f5a-4a4e-9c55-8f1de2a0b6c7"`.',
    }),
    endpoint: t.exposeString('endpoint', { description: 'The LwM2M endpoint name: `"urn:imei:123"`.' }),
    name: t.exposeString('name', { nullable: true, description: 'Its name among people: `"Boiler room"`.' }),
    tags: t.stringList({ description: 'Its tags: `["berlin", "roof"]`.', resolve: ({ tags }) => [...tags] }),
    profile: t.field({
      type: DeviceProfileNode,
      description: 'What it has in common with others of its kind.',
      resolve: ({ profileId }) => profileId,
    }),
    status: t.expose('status', { type: DeviceStatusEnum, description: 'Whether it can be reached: `ONLINE`.' }),
    lastSeen: t.expose('lastSeen', {
      type: 'DateTime',
      nullable: true,
      description: 'When its last message arrived; null before the first.',
    }),
    awakeTime: t.exposeInt('awakeTime', {
      nullable: true,
      description:
        'Seconds that it stays awake after its last message, in queue mode: `60`. Null: as its profile says.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was provisioned.' }),
    registration: t.field({
      type: RegistrationType,
      nullable: true,
      description: 'How it can be reached; null while it has no registration.',
      resolve: ({ id }, _args, { load }) => load.registration(id),
    }),
    objects: t.field({
      type: [DeviceObjectType],
      description:
        'Its resource tree with the last known values, by ascending object id. Nothing is asked of the device: `readResources` does that.',
      args: {
        objectIds: t.arg.intList({
          description: 'Only these objects: `[3, 3303]`. Absent: all.',
          validate: z.array(z.number().int().min(0).max(65_534)).max(100).nullish(),
        }),
      },
      complexity: { field: 1, multiplier: 5 },
      resolve: async ({ id }, { objectIds }, { load }) => {
        if (objectIds?.length === 0) return [];
        const selectors = (objectIds ?? []).map((objectId) => ({ ids: [objectId] }));
        const [registration, states] = await Promise.all([load.registration(id), load.resources(id, selectors)]);
        return treeOf(registration, states, objectIds ?? null);
      },
    }),
    resource: t.field({
      type: ResourceObject,
      nullable: true,
      description:
        'The last known value of one resource; null when none is known. Example: `resource(path: "/3303/0/5700")`.',
      args: {
        path: t.arg({
          type: 'ResourcePath',
          required: true,
          description: 'A resource or a resource instance, without `*`: `"/3303/0/5700"`.',
        }),
      },
      resolve: async ({ id }, { path }, { load }) => {
        const selector = parseSelector(path);
        if (selector.ids.length < 3 || selector.ids.includes(null)) {
          throw new FleetError('VALIDATION', `path: ${path} names no single resource: use resources(paths:)`, {
            field: ['path'],
          });
        }
        const [registration, [state]] = await Promise.all([load.registration(id), load.resources(id, [selector])]);
        const narrowed = state ? narrow(selector, state) : null;
        return narrowed && { state: narrowed, version: versionOf(registration, narrowed.objectId) };
      },
    }),
    resources: t.field({
      type: [ResourceObject],
      description:
        'The last known values below some paths, each resource once. Example: `resources(paths: ["/3/0", "/3303/*/5700"])`.',
      args: {
        paths: t.arg({
          type: ['ResourcePath'],
          required: true,
          description:
            'Up to 100 paths; each may name an object or an instance, or hold `*`: `["/3/0", "/3303/*/5700"]`.',
          validate: paths,
        }),
      },
      resolve: async ({ id }, { paths: wanted }, { load }) => {
        const selectors = wanted.map(parseSelector);
        const [registration, states] = await Promise.all([load.registration(id), load.resources(id, selectors)]);
        const found = selectors.flatMap((selector) =>
          states.filter((state) => selects(selector, state)).map((state) => narrow(selector, state)),
        );
        const byPath = new Map(found.flatMap((state) => (state ? [[state.path, state] as const] : [])));
        return [...byPath.values()].map((state) => ({ state, version: versionOf(registration, state.objectId) }));
      },
    }),
    observations: t.field({
      type: [ObservationType],
      description: 'The observations that run on it now.',
      resolve: async ({ id }, _args, { load }) => [...(await load.observations(id))],
    }),
    credentials: t.field({
      type: [DeviceCredentialType],
      description: 'What it proves itself with over DTLS, present and past, the newest first. For admins.',
      authScopes: { admin: true },
      resolve: async ({ id }, _args, { load }) => [...(await load.credentials(id))],
    }),
    handshakes: t.field({
      type: [HandshakeType],
      description:
        'Its last DTLS handshakes, the newest first, at most 20; they are written once a second. For admins.',
      authScopes: { admin: true },
      complexity: { field: 1, multiplier: 20 },
      resolve: async ({ id }, _args, { load }) => [...(await load.handshakes(id))],
    }),
    rpcs: t.connection(
      {
        type: RpcNode,
        description: 'What was asked of it, newest first.',
        args: {
          status: t.arg({
            type: [RpcStatusEnum],
            description: 'Only RPCs in one of these states: `[QUEUED, SENT]`. Absent: all.',
          }),
        },
        complexity: (args) => ({ field: 10, multiplier: pageSize(args) }),
        resolve: async ({ id }, { status, ...page }, { fleet, actor }) =>
          connection(await fleet.rpcs.page(actor, id, pageRequest(page), status ?? undefined)),
      },
      { name: 'RpcConnection', description: 'A page of RPCs.' },
      { name: 'RpcEdge', description: 'An RPC and its place in the list.' },
    ),
    telemetry: t.connection(
      {
        type: TelemetryPointType,
        description:
          'Its stored telemetry, newest first. Example: `telemetry(metrics: ["temperature"], from: "2026-05-29T00:00:00Z", first: 100)`.',
        args: {
          metrics: t.arg.stringList({
            description: 'Only these metrics, and only points that have one: `["temperature"]`. Absent: all.',
            validate: z.array(z.string()).max(100).nullish(),
          }),
          from: t.arg({ type: 'DateTime', description: 'Only readings taken at or after this.' }),
          to: t.arg({ type: 'DateTime', description: 'Only readings taken before this.' }),
        },
        complexity: (args) => ({ field: 10, multiplier: pageSize(args) }),
        resolve: async ({ id }, { metrics, from, to, ...page }, { telemetry, actor }) =>
          connection(await telemetry.page(actor, id, pageRequest(page), { metrics, from, to })),
      },
      { name: 'TelemetryConnection', description: 'A page of telemetry points.' },
      { name: 'TelemetryEdge', description: 'A telemetry point and its place in the list.' },
    ),
  }),
});

export const DeviceFilterInput = builder.inputType('DeviceFilter', {
  description:
    'Which devices: those that meet everything that is said. Example: `{ status: [ONLINE], tags: ["roof"] }`.',
  fields: (t) => ({
    ids: t.idList({
      description: 'Only these: up to 200 global ids or plain UUIDs.',
      validate: z.array(z.string()).max(200).nullish(),
    }),
    status: t.field({ type: [DeviceStatusEnum], description: 'In one of these states: `[ONLINE, SLEEPING]`.' }),
    profileId: t.id({ description: 'With this profile: its global id or plain UUID.' }),
    tags: t.stringList({
      description: 'With all of these tags: `["berlin", "roof"]`.',
      validate: z.array(z.string()).max(50).nullish(),
    }),
    search: t.string({
      description: 'Part of the endpoint or the name, whatever its case: `"boiler"`.',
      validate: z.string().max(255).nullish(),
    }),
    objectId: t.int({
      description: 'Registered with this object: `3303`.',
      validate: z.number().int().min(0).max(65_534).nullish(),
    }),
    lastSeenBefore: t.field({ type: 'DateTime', description: 'Last heard of before this.' }),
    lastSeenAfter: t.field({ type: 'DateTime', description: 'Last heard of after this.' }),
  }),
});

type DeviceFilterFields = typeof DeviceFilterInput.$inferInput;

/** The filter as the fleet takes it. Throws FleetError VALIDATION for an id that is none. */
export function deviceFilter(filter: DeviceFilterFields | null | undefined): DeviceFilter | undefined {
  if (!filter) return undefined;
  const { ids, status, profileId, tags, search, objectId, lastSeenBefore, lastSeenAfter } = filter;
  return {
    ...(ids && { ids: ids.map((id, at) => idOf('Device', String(id), 'filter', 'ids', String(at))) }),
    ...(status && { status }),
    ...(profileId != null && { profileId: idOf('DeviceProfile', String(profileId), 'filter', 'profileId') }),
    ...(tags && { tags }),
    ...(search != null && { search }),
    ...(objectId != null && { objectId }),
    ...(lastSeenBefore && { lastSeenBefore }),
    ...(lastSeenAfter && { lastSeenAfter }),
  };
}

const DeviceOrderField = builder.enumType('DeviceOrderField', {
  description: 'What devices can be ordered by.',
  values: {
    ENDPOINT: { description: 'The endpoint name.' },
    NAME: { description: 'The name; those without one come first.' },
    LAST_SEEN: { description: 'When the last message arrived; those never seen come first.' },
    CREATED_AT: { description: 'When it was provisioned.' },
  },
});

const OrderDirection = builder.enumType('OrderDirection', {
  description: 'Which way a list runs.',
  values: { ASC: { description: 'The least first.' }, DESC: { description: 'The greatest first.' } },
});

const DeviceOrderInput = builder.inputType('DeviceOrder', {
  description: 'How devices are ordered: `{ field: LAST_SEEN, direction: DESC }`.',
  fields: (t) => ({
    field: t.field({ type: DeviceOrderField, required: true, description: 'By what: `LAST_SEEN`.' }),
    direction: t.field({ type: OrderDirection, defaultValue: 'ASC', description: 'Which way: `DESC`.' }),
  }),
});

builder.queryField('device', (t) =>
  t.field({
    type: DeviceNode,
    nullable: true,
    description:
      'One device, by exactly one of its id and its endpoint; null when the tenant has none such. Example: `device(endpoint: "urn:imei:123")`.',
    args: {
      id: t.arg.id({ description: 'The device’s global id, or its plain UUID.' }),
      endpoint: t.arg.string({ description: 'Its LwM2M endpoint name: `"urn:imei:123"`.' }),
    },
    resolve: async (_root, { id, endpoint }, { fleet, actor }) => {
      if ((id == null) === (endpoint == null)) {
        throw new FleetError('VALIDATION', 'device wants exactly one of id and endpoint', { field: ['id'] });
      }
      // The id loads with others of the same query.
      return id == null ? fleet.devices.get(actor, { endpoint: endpoint ?? '' }) : idOf('Device', id, 'id');
    },
  }),
);

builder.queryField('devices', (t) =>
  t.connection(
    {
      type: DeviceNode,
      description:
        'The tenant’s devices. Example: `devices(first: 20, filter: { status: [ONLINE] }, orderBy: { field: LAST_SEEN, direction: DESC })`.',
      args: {
        filter: t.arg({ type: DeviceFilterInput, description: 'Which devices. Absent: all.' }),
        orderBy: t.arg({ type: DeviceOrderInput, description: 'How they are ordered. Absent: by endpoint.' }),
      },
      resolve: async (_root, { filter: asked, orderBy, ...page }, { fleet, actor }) => {
        const filter = deviceFilter(asked);
        const order = orderBy ? { field: orderBy.field, direction: orderBy.direction ?? 'ASC' } : undefined;
        const devices = await fleet.devices.page(actor, pageRequest(page), filter, order);
        return { ...connection(devices), filter };
      },
    },
    {
      name: 'DeviceConnection',
      description: 'A page of devices.',
      fields: (connectionFields) => ({
        totalCount: connectionFields.int({
          description: 'How many devices match the filter, on all pages.',
          resolve: ({ filter }, _args, { fleet, actor }) => fleet.devices.count(actor, filter),
        }),
      }),
    },
    { name: 'DeviceEdge', description: 'A device and its place in the list.' },
  ),
);

const awakeTime = z.number().int().min(1).max(86_400).nullish();
const name = z.string().trim().min(1, 'is empty').max(255, 'is longer than 255 characters').nullish();
const tags = z
  .array(z.string().trim().min(1, 'is empty').max(64, 'is longer than 64 characters'))
  .max(50, 'has more than 50 tags')
  .nullish();

interface Provisioned {
  readonly device: Device;
  readonly issued: IssuedCredential | null;
}

type PayloadFields = PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Device>;

const devicePayload = (description: string) => ({
  description: 'The mutation was done.',
  outputFields: (t: PayloadFields) => ({
    device: t.field({ type: DeviceNode, description, resolve: (device) => device }),
  }),
});

builder.relayMutationField(
  'provisionDevice',
  {
    description: 'A new device: `{ endpoint: "urn:imei:123", name: "Boiler room", tags: ["berlin"] }`.',
    inputFields: (t) => ({
      endpoint: t.string({
        required: true,
        description: 'The LwM2M endpoint name that it will register with, unique in the tenant: `"urn:imei:123"`.',
        validate: z.string().min(1, 'is empty').max(255, 'is longer than 255 characters'),
      }),
      name: t.string({ description: 'Its name among people: `"Boiler room"`.', validate: name }),
      tags: t.stringList({ description: 'Its tags, at most 50: `["berlin", "roof"]`.', validate: tags }),
      profileId: t.id({ description: 'Its profile: global id or plain UUID. Absent: the tenant’s default.' }),
      awakeTime: t.int({
        description:
          'Seconds that it stays awake after its last message, in queue mode, 1 to 86400: `60`. Null: as its profile says.',
        validate: awakeTime,
      }),
      security: t.field({
        type: CredentialInput,
        description:
          'What it shall prove itself with over DTLS; then it can’t register without security. Absent: nothing yet.',
      }),
    }),
  },
  {
    description: 'Makes a device known before it registers. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('ProvisionDevice'),
    resolve: async (
      _root,
      { input: { profileId, security, ...described } },
      { fleet, actor },
    ): Promise<Provisioned> => {
      const input = {
        ...described,
        profileId: profileId == null ? null : idOf('DeviceProfile', profileId, 'profileId'),
      };
      if (!security) return { device: await fleet.devices.provision(actor, input), issued: null };
      return fleet.devices
        .provisionSecured(actor, input, newCredential(security, 'security'))
        .catch(within('security'));
    },
  },
  {
    description: 'The mutation was done.',
    outputFields: (t: PothosSchemaTypes.ObjectFieldBuilder<typeof builder.$inferSchemaTypes, Provisioned>) => ({
      device: t.field({ type: DeviceNode, description: 'The new device.', resolve: ({ device }) => device }),
      credential: t.field({
        type: DeviceCredentialType,
        nullable: true,
        description: 'Its first credential; null when no `security` was asked for.',
        resolve: ({ issued }) => issued?.credential,
      }),
      secret: t.field({
        type: PskSecretType,
        nullable: true,
        description:
          'What the device must be given, shown this once; null without a PSK. Give it to the device: it can’t be read again.',
        resolve: ({ issued }) => issued?.secret,
      }),
    }),
  },
);

builder.relayMutationField(
  'updateDevice',
  {
    description: 'What shall change; what is left out stays.',
    inputFields: (t) => ({
      id: t.id({ required: true, description: 'The device’s global id, or its plain UUID.' }),
      name: t.string({ description: 'Its new name: `"Boiler room"`; null takes it away.', validate: name }),
      tags: t.stringList({
        description: 'All its tags from now on: `["berlin"]`; null takes them away.',
        validate: tags,
      }),
      profileId: t.id({ description: 'Its new profile: global id or plain UUID; null: it keeps its own.' }),
      awakeTime: t.int({
        description:
          'Seconds that it stays awake after its last message, in queue mode, 1 to 86400: `60`. Null: as its profile says.',
        validate: awakeTime,
      }),
    }),
  },
  {
    description: 'Changes what the platform knows of a device; a new profile takes effect at once. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('UpdateDevice'),
    resolve: (_root, { input: { id, profileId, ...changes } }, { fleet, actor }) =>
      fleet.devices.update(actor, idOf('Device', id, 'id'), {
        ...changes,
        ...(profileId !== undefined && {
          profileId: profileId === null ? null : idOf('DeviceProfile', profileId, 'profileId'),
        }),
      }),
  },
  devicePayload('The device as it is now.'),
);

builder.relayMutationField(
  'deleteDevice',
  {
    description: 'Which device.',
    inputFields: (t) => ({ id: t.id({ required: true, description: 'The device’s global id, or its plain UUID.' }) }),
  },
  {
    description:
      'Forgets a device: its registration ends, its RPCs are cancelled, everything known of it is deleted. For admins.',
    authScopes: { admin: true },
    errors: resultUnion('DeleteDevice'),
    resolve: (_root, { input }, { fleet, actor }) => fleet.devices.delete(actor, idOf('Device', input.id, 'id')),
  },
  {
    description: 'The mutation was done.',
    outputFields: (t) => ({
      id: t.id({
        description: 'The global id that the device had.',
        resolve: (device) => encodeGlobalId('Device', device.id),
      }),
      deviceId: t.expose('id', { type: 'UUID', description: 'The plain id that the device had.' }),
      endpoint: t.exposeString('endpoint', { description: 'The endpoint name that it had: `"urn:imei:123"`.' }),
    }),
  },
);
