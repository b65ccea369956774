import { FleetError, LIMITS, type DeviceStatus } from '../../src/fleet/index.ts';
import { builder } from '../builder.ts';
import { DeviceCredentialType } from '../credential/credential.ts';
import { DeviceObjectType, ResourceObject } from '../tree/device-tree.ts';
import { HandshakeType } from '../credential/handshake.ts';
import { DeviceNode, DeviceProfileNode, RpcNode } from '../nodes.ts';
import { ObservationType, WantedObservationType } from '../operation/observation.ts';
import type { SizedList } from '../list-size.ts';
import { connection, pageRequest, pageSize } from '../page.ts';
import { RegistrationType } from './registration.ts';
import { RpcStatusEnum } from '../rpc/rpc.ts';
import { DeadLetterType } from '../telemetry/dead-letter.ts';
import { TelemetryPointType } from '../telemetry/telemetry.ts';
import { narrow, parseSelector, selects } from '../tree/tree-selection.ts';
import { treeOf, versionOf } from '../tree/tree.ts';
import { choice, list, METRICS, OBJECT_ID } from '../rules.ts';

export const DeviceStatusEnum = builder.enumType('DeviceStatus', {
  description: 'Whether the server can send requests to a device.',
  values: {
    ONLINE: {
      description:
        'Registered and believed awake: in queue mode, a message arrived within `awakeTime`. Calls are sent immediately.',
    },
    SLEEPING: {
      description:
        'Registered in queue mode and believed asleep. PERSISTENT calls wait until it wakes; other calls wait at most `timeoutMs` and then end with TIMEOUT; the message names PERSISTENT.',
    },
    OFFLINE: {
      description:
        'Was registered before. It de-registered, its registration expired, or no message arrived for the profile’s `offlineAfter`.',
    },
    NEVER_SEEN: { description: 'Provisioned, but never registered.' },
  } satisfies Record<DeviceStatus, { description: string }>,
});

builder.objectType(DeviceNode, {
  description: 'A device: its status, its resource tree with the last received values, its RPCs and its telemetry.',
  fields: (t) => ({
    deviceId: t.expose('id', {
      type: 'UUID',
      description: 'The device’s UUID, as in events and Kafka records: `"d7b1c0e2-3f5a-4a4e-9c55-8f1de2a0b6c7"`.',
    }),
    endpoint: t.exposeString('endpoint', {
      description: 'The LwM2M endpoint name with which the device registers: `"urn:imei:123"`.',
    }),
    name: t.exposeString('name', { nullable: true, description: 'A name for people: `"Boiler room"`.' }),
    tags: t.stringList({
      description: 'Labels for filtering: `["berlin", "roof"]`.',
      resolve: ({ tags }) => [...tags],
    }),
    profile: t.field({
      type: DeviceProfileNode,
      description: 'The device’s profile: which values are recorded as telemetry, and its RPC methods.',
      resolve: ({ profileId }) => profileId,
    }),
    status: t.expose('status', {
      type: DeviceStatusEnum,
      description: 'Whether the server can send requests to the device: `ONLINE`.',
    }),
    lastSeen: t.expose('lastSeen', {
      type: 'DateTime',
      nullable: true,
      description: 'When the device’s last message arrived; null if there was none.',
    }),
    awakeTime: t.exposeInt('awakeTime', {
      nullable: true,
      description:
        'Queue mode: seconds that the device stays awake after its last message, as set for this device: `60`. Null: `measuredAwakeTime` applies where it is shorter than the profile’s value, else that value.',
    }),
    measuredAwakeTime: t.exposeInt('measuredAwakeTime', {
      nullable: true,
      description:
        'Queue mode: twice the device did not answer a request this many seconds after its last message, or earlier, and came back later: `20`. Null: not known. An answer after as long a silence, or a week, ends it. It has no effect while `awakeTime` is set.',
    }),
    awakeMeasuredAt: t.expose('awakeMeasuredAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When `measuredAwakeTime` was determined; null without one.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the device was provisioned.' }),
    updatedAt: t.expose('updatedAt', {
      type: 'DateTime',
      description:
        'When name, tags, profile or awake time were last changed by `updateDevice`; at first `createdAt`. Messages of the device do not change it.',
    }),
    registration: t.field({
      type: RegistrationType,
      nullable: true,
      description: 'The device’s current registration; null if it is not registered.',
      // The registration is read after the device: it may have been stored in the meantime, before its status.
      resolve: ({ id, status }, _args, { load }) => (status === 'NEVER_SEEN' ? null : load.registration(id)),
    }),
    objects: t.field({
      type: [DeviceObjectType],
      description:
        'The objects that the device has, with the last received values, by ascending object id. What the device’s newest list (Register, Update) does not name, and what was deleted, is not here; Server (1) needs no mention. A device that lists objects without instances keeps the values below them. Resources without a value, such as the action Reboot, are listed after a `discoverResources`. `readResources(paths: ["/"])` fetches all values from the device.',
      args: {
        objectIds: t.arg.intList({
          description: 'Returns only these objects: `[3, 3303]`. Absent or null: all.',
          validate: choice('ids', OBJECT_ID),
        }),
      },
      extensions: { items: 'objects' satisfies SizedList },
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
        'The last received value of one resource; null if none was received. Example: `resource(path: "/3303/0/5700")`.',
      args: {
        path: t.arg({
          type: 'ResourcePath',
          required: true,
          description: 'The path of one resource or resource instance; `*` is not allowed: `"/3303/0/5700"`.',
        }),
      },
      resolve: async ({ id }, { path }, { load }) => {
        const selector = parseSelector(path);
        if (selector.ids.length < 3 || selector.ids.includes(null)) {
          throw new FleetError(
            'VALIDATION',
            `path: ${path} must name one resource or resource instance; for more, use resources(paths:)`,
            {
              field: ['path'],
            },
          );
        }
        const [registration, [state]] = await Promise.all([load.registration(id), load.resources(id, [selector])]);
        const narrowed = state ? narrow(selector, state) : null;
        return narrowed && { state: narrowed, version: versionOf(registration, narrowed.objectId) };
      },
    }),
    resources: t.field({
      type: [ResourceObject],
      description:
        'The last received values at and below the given paths, each resource once. Example: `resources(paths: ["/3/0", "/3303/*/5700"])`.',
      args: {
        paths: t.arg({
          type: ['ResourcePath'],
          required: true,
          description: 'Paths of objects, instances or resources; `*` matches any id: `["/3/0", "/3303/*/5700"]`.',
          validate: list('paths', { least: 1, most: LIMITS.paths }),
        }),
      },
      extensions: { items: 'resources' satisfies SizedList },
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
      description: 'The observations that are active on the device.',
      resolve: async ({ id }, _args, { load }) => [...(await load.observations(id))],
    }),
    wantedObservations: t.field({
      type: [WantedObservationType],
      description:
        'The observations that should be active on the device, each with its state. Empty while the device is not registered.',
      resolve: async ({ id }, _args, { load }) => [...(await load.wantedObservations(id))],
    }),
    credentials: t.field({
      type: [DeviceCredentialType],
      nullable: true,
      description:
        'The device’s DTLS credentials, also expired and revoked ones, newest first. Only for admins. A caller with another role gets null, with the error at this field.',
      authScopes: { admin: true },
      resolve: async ({ id }, _args, { load }) => [...(await load.credentials(id))],
    }),
    handshakes: t.field({
      type: [HandshakeType],
      nullable: true,
      description:
        'The last 20 DTLS handshakes of the device, newest first. A new handshake appears after about one second. Only for admins. A caller with another role gets null, with the error at this field.',
      authScopes: { admin: true },
      complexity: { field: 1, multiplier: 20 },
      resolve: async ({ id }, _args, { load }) => [...(await load.handshakes(id))],
    }),
    rpcs: t.connection(
      {
        type: RpcNode,
        description: 'The calls to this device, newest first.',
        args: {
          status: t.arg({
            type: [RpcStatusEnum],
            description: 'Returns only RPCs in one of these states: `[QUEUED, SENT]`. Absent or null: all.',
            validate: choice('states'),
          }),
        },
        complexity: (args) => ({ field: 10, multiplier: pageSize(args) }),
        resolve: async ({ id }, { status, ...page }, { fleet, actor }) =>
          connection(await fleet.rpcs.page(actor, id, pageRequest(page), status ?? undefined)),
      },
      { name: 'RpcConnection', description: 'A page of RPCs.' },
      { name: 'RpcEdge', description: 'An RPC and its cursor.' },
    ),
    telemetry: t.connection(
      {
        type: TelemetryPointType,
        description:
          'The device’s stored telemetry, newest first: `first` returns the newest points. Example: `telemetry(metrics: ["temperature"], from: "2026-05-29T00:00:00Z", first: 100)`.',
        args: {
          metrics: t.arg.stringList({
            description:
              'Returns only these metrics, and only points that have at least one of them: `["temperature"]`. Absent or null: all.',
            validate: METRICS,
          }),
          from: t.arg({
            type: 'DateTime',
            description: 'Returns only points at or after this time. Absent or null: from the oldest.',
          }),
          to: t.arg({
            type: 'DateTime',
            description: 'Returns only points before this time. Absent or null: up to the newest.',
          }),
        },
        complexity: (args) => ({ field: 10, multiplier: pageSize(args) }),
        resolve: async ({ id }, { metrics, from, to, ...page }, { telemetry, actor }) =>
          connection(await telemetry.page(actor, id, pageRequest(page), { metrics, from, to })),
      },
      { name: 'TelemetryConnection', description: 'A page of telemetry points.' },
      { name: 'TelemetryEdge', description: 'A telemetry point and its cursor.' },
    ),
    deadLetters: t.connection(
      {
        type: DeadLetterType,
        description:
          'The data of the device that could not be used, newest first: values of mapped resources that can’t become metrics, and payloads that can’t be decoded. The newest are kept.',
        complexity: (args) => ({ field: 10, multiplier: pageSize(args) }),
        resolve: async ({ id }, page, { telemetry, actor }) =>
          connection(await telemetry.deadLetters(actor, id, pageRequest(page))),
      },
      { name: 'DeadLetterConnection', description: 'A page of dead letters.' },
      { name: 'DeadLetterEdge', description: 'A dead letter and its cursor.' },
    ),
  }),
});
