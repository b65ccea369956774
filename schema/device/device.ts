import * as z from 'zod';
import { FleetError, type DeviceStatus } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { DeviceCredentialType } from '../credential/credential.ts';
import { DeviceObjectType, ResourceObject } from '../tree/device-tree.ts';
import { HandshakeType } from '../credential/handshake.ts';
import { DeviceNode, DeviceProfileNode, RpcNode } from '../nodes.ts';
import { ObservationType } from '../operation/observation.ts';
import { connection, pageRequest, pageSize } from '../page.ts';
import { RegistrationType } from './registration.ts';
import { RpcStatusEnum } from '../rpc/rpc.ts';
import { TelemetryPointType } from '../telemetry/telemetry.ts';
import { narrow, parseSelector, selects } from '../tree/tree-selection.ts';
import { treeOf, versionOf } from '../tree/tree.ts';

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
