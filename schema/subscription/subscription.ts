import * as z from 'zod';
import {
  FleetError,
  type Device,
  type DeviceId,
  type DeviceStatusChange,
  type FleetEvents,
  type ResourceState,
  type StatusReason,
} from '../../src/fleet/index.ts';
import type { TelemetryPoint } from '../../src/telemetry/index.ts';
import { BootstrapType } from '../bootstrap/bootstrap.ts';
import { builder } from '../builder.ts';
import type { Context } from '../context.ts';
import { DeviceStatusEnum } from '../device/device.ts';
import { deviceFilter, DeviceFilterInput } from '../device/device-list.ts';
import { ResourceObject } from '../tree/device-tree.ts';
import { idOf } from '../global-id.ts';
import { live } from './live.ts';
import { DeviceNode, RpcNode } from '../nodes.ts';
import { TelemetryPointType } from '../telemetry/telemetry.ts';
import { hasWildcard, narrow, parseSelector, selects } from '../tree/tree-selection.ts';
import { versionOf } from '../tree/tree.ts';

builder.subscriptionType({
  description:
    'Events as they happen, over WebSocket (graphql-transport-ws) or SSE. A subscriber that is too slow loses the oldest events, and is told how many with the next: `extensions.missedEvents` of that event.',
});

interface ResourceChange {
  readonly deviceId: DeviceId;
  readonly initial: boolean;
  readonly resources: readonly ResourceState[];
}

const ResourceChangeType = builder.objectRef<ResourceChange>('ResourceChange').implement({
  description: 'Resources of one device that have new values, all told by the same message of the device.',
  fields: (t) => ({
    deviceId: t.expose('deviceId', { type: 'UUID', description: 'The platform’s plain id of the device.' }),
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description: 'The device as it is now; null once it is deleted.',
      resolve: ({ deviceId }) => deviceId,
    }),
    initial: t.exposeBoolean('initial', {
      description:
        'True for the first event, and for one after lost events: it tells the present values of all watched resources, changed or not.',
    }),
    resources: t.field({
      type: [ResourceObject],
      description: 'The resources with their new values.',
      resolve: async ({ deviceId, resources }, _args, { load }) => {
        const registration = await load.registration(deviceId);
        return resources.map((state) => ({ state, version: versionOf(registration, state.objectId) }));
      },
    }),
  }),
});

const StatusReasonEnum = builder.enumType('StatusReason', {
  description: 'Why a device’s status changed.',
  values: {
    PROVISIONED: { value: 'provisioned', description: 'It was made known.' },
    REGISTERED: { value: 'registered', description: 'It registered.' },
    UPDATED: { value: 'updated', description: 'It updated its registration.' },
    DEREGISTERED: { value: 'deregistered', description: 'It de-registered.' },
    EXPIRED: { value: 'expired', description: 'Its registration’s lifetime ended without an Update.' },
    SILENT: { value: 'silent', description: 'No message came for its profile’s `offlineAfter`.' },
    ASLEEP: { value: 'asleep', description: 'A queue-mode device went to sleep.' },
    AWAKE: { value: 'awake', description: 'A queue-mode device woke.' },
  } satisfies Record<string, { value: StatusReason; description: string }>,
});

const DeviceStatusChangeType = builder.objectRef<DeviceStatusChange>('DeviceStatusChange').implement({
  description: 'A device’s status changed.',
  fields: (t) => ({
    deviceId: t.expose('deviceId', { type: 'UUID', description: 'The platform’s plain id of the device.' }),
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description: 'The device as it is now; null once it is deleted.',
      resolve: ({ deviceId }) => deviceId,
    }),
    endpoint: t.exposeString('endpoint', { description: 'The device’s endpoint name: `"urn:imei:123"`.' }),
    status: t.expose('status', { type: DeviceStatusEnum, description: 'The status after: `OFFLINE`.' }),
    previous: t.expose('previous', { type: DeviceStatusEnum, description: 'The status before: `ONLINE`.' }),
    reason: t.expose('reason', { type: StatusReasonEnum, description: 'Why: `EXPIRED`.' }),
    lastSeen: t.expose('lastSeen', {
      type: 'DateTime',
      nullable: true,
      description: 'When the device’s last message arrived; null before the first.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When it changed.' }),
  }),
});

/** The device, or FleetError: NOT_FOUND for one that the tenant does not have. */
async function deviceOf({ fleet, actor }: Context, text: string): Promise<Device> {
  const device = await fleet.devices.get(actor, { id: idOf('Device', text, 'deviceId') });
  if (!device) throw new FleetError('NOT_FOUND', `no device ${JSON.stringify(text.slice(0, 80))}`);
  return device;
}

const watched = z
  .array(z.string().refine((path) => !hasWildcard(path), 'a watched path can’t hold *: watch the object or instance'))
  .min(1, 'is empty')
  .max(100, 'has more than 100 paths')
  .nullish();

builder.subscriptionField('resourceChanged', (t) =>
  t.field({
    type: ResourceChangeType,
    description:
      'New values of a device’s resources. Watched paths are observed for as long as somebody watches them; a device that is away or asleep is observed when it comes. The first event tells the present values. Example: `resourceChanged(deviceId: "…", paths: ["/3303/0/5700"])`.',
    args: {
      deviceId: t.arg.id({ required: true, description: 'The device’s global id, or its plain UUID.' }),
      paths: t.arg({
        type: ['ResourcePath'],
        description:
          'What is watched, up to 100 objects, instances or resources, without `*`: `["/3303/0/5700"]`. Absent: every value that comes in, and nothing is observed for it.',
        validate: watched,
      }),
    },
    subscribe: async (_root, { deviceId, paths }, context) => {
      const { fleet, actor, bus } = context;
      const device = await deviceOf(context, deviceId);
      const selectors = (paths ?? ['/']).map(parseSelector);
      const pick = (states: readonly ResourceState[]): ResourceState[] =>
        states.flatMap((state) => {
          const selector = selectors.find((one) => selects(one, state));
          const narrowed = selector ? narrow(selector, state) : null;
          return narrowed ? [narrowed] : [];
        });
      const subscription = bus.subscribe('resourceChanged', `${actor.tenantId}/${device.id}`, {
        accept: ({ resources }) => resources.some((state) => selectors.some((one) => selects(one, state))),
      });
      try {
        const lease = paths ? await fleet.watching.watch(actor, device.id, paths) : null;
        return live<FleetEvents['resourceChanged'], ResourceChange>({
          subscription,
          select: ({ resources }) => {
            const picked = pick(resources);
            return picked.length === 0 ? null : { deviceId: device.id, initial: false, resources: picked };
          },
          present: async () => {
            const found = await fleet.devices.resources(actor, [device.id], paths ? selectors : []);
            return { deviceId: device.id, initial: true, resources: pick(found.get(device.id) ?? []) };
          },
          left: () => lease?.release(),
        });
      } catch (error) {
        subscription.close();
        throw error;
      }
    },
    resolve: ({ value }) => value,
  }),
);

builder.subscriptionField('deviceStatusChanged', (t) =>
  t.field({
    type: DeviceStatusChangeType,
    description: 'Devices that come, go, sleep and wake. Example: `deviceStatusChanged(filter: { tags: ["roof"] })`.',
    args: {
      filter: t.arg({
        type: DeviceFilterInput,
        description: 'Which devices, as they are after the change. Absent: all of the tenant.',
      }),
    },
    subscribe: (_root, { filter: asked }, { fleet, actor, bus }) => {
      const filter = deviceFilter(asked);
      return live<DeviceStatusChange, DeviceStatusChange>({
        subscription: bus.subscribe('deviceStatusChanged', actor.tenantId),
        select: async (change) =>
          !filter || (await fleet.devices.matches(actor, change.deviceId, filter)) ? change : null,
      });
    },
    resolve: ({ value }) => value,
  }),
);

builder.subscriptionField('rpcChanged', (t) =>
  t.field({
    type: RpcNode,
    description:
      'RPCs as their status changes: one by its id, those of a device, or all of the tenant. That of a single RPC begins with its present state. Example: `rpcChanged(id: "…")`.',
    args: {
      id: t.arg.id({ description: 'The RPC’s global id, or its plain UUID.' }),
      deviceId: t.arg.id({ description: 'The device’s global id, or its plain UUID.' }),
    },
    subscribe: async (_root, args, context) => {
      const { fleet, actor, bus } = context;
      const id = args.id == null ? null : idOf('Rpc', args.id, 'id');
      const device = args.deviceId == null ? null : await deviceOf(context, args.deviceId);
      const subscription = bus.subscribe('rpcChanged', device && `${actor.tenantId}/${device.id}`, {
        accept: ({ tenantId, rpc }) => tenantId === actor.tenantId && (id === null || rpc.id === id),
      });
      const read = async () => {
        const [rpc] = id === null ? [] : await fleet.rpcs.many(actor, [id]);
        if (rpc && (!device || rpc.deviceId === device.id)) return rpc;
        throw new FleetError('NOT_FOUND', `no RPC ${JSON.stringify(String(args.id).slice(0, 80))}`);
      };
      try {
        if (id !== null) await read();
        return live<FleetEvents['rpcChanged'], FleetEvents['rpcChanged']['rpc']>({
          subscription,
          select: ({ rpc }) => rpc,
          ...(id !== null && { present: read }),
        });
      } catch (error) {
        subscription.close();
        throw error;
      }
    },
    resolve: ({ value }) => value,
  }),
);

builder.subscriptionField('bootstrapChanged', (t) =>
  t.field({
    type: BootstrapType,
    description:
      'Bootstraps as their steps are done: those of a device, or all of the tenant. Example: `bootstrapChanged(deviceId: "…")`.',
    args: {
      deviceId: t.arg.id({ description: 'The device’s global id, or its plain UUID. Absent: all of the tenant.' }),
    },
    subscribe: async (_root, { deviceId }, context) => {
      const { actor, bus } = context;
      const device = deviceId == null ? null : await deviceOf(context, deviceId);
      return live<FleetEvents['bootstrapChanged'], FleetEvents['bootstrapChanged']['bootstrap']>({
        subscription: bus.subscribe('bootstrapChanged', device && `${actor.tenantId}/${device.id}`, {
          accept: ({ tenantId }) => tenantId === actor.tenantId,
        }),
        select: ({ bootstrap }) => bootstrap,
      });
    },
    resolve: ({ value }) => value,
  }),
);

builder.subscriptionField('telemetry', (t) =>
  t.field({
    type: TelemetryPointType,
    description: 'Telemetry points as they are stored. Example: `telemetry(deviceId: "…", metrics: ["temperature"])`.',
    args: {
      deviceId: t.arg.id({ description: 'The device’s global id, or its plain UUID. Absent: all of the tenant.' }),
      metrics: t.arg.stringList({
        description: 'Only points that have one of these metrics: `["temperature"]`. Absent: all.',
        validate: z.array(z.string()).max(100).nullish(),
      }),
    },
    subscribe: async (_root, { deviceId, metrics }, context) => {
      const { actor, bus } = context;
      const device = deviceId == null ? null : await deviceOf(context, deviceId);
      return live<TelemetryPoint, TelemetryPoint>({
        subscription: bus.subscribe('telemetry', device && `${actor.tenantId}/${device.id}`, {
          accept: (point) =>
            point.tenantId === actor.tenantId && (!metrics || metrics.some((name) => has(point, name))),
        }),
        select: (point) => (metrics ? only(point, metrics) : point),
      });
    },
    resolve: ({ value }) => value,
  }),
);

function has(point: TelemetryPoint, metric: string): boolean {
  return Object.hasOwn(point.numericValues, metric) || Object.hasOwn(point.stringValues, metric);
}

/** The point with only these of its metrics. */
function only(point: TelemetryPoint, metrics: readonly string[]): TelemetryPoint {
  const pick = <V>(values: Readonly<Record<string, V>>): Record<string, V> =>
    Object.fromEntries(Object.entries(values).filter(([name]) => metrics.includes(name)));
  return { ...point, numericValues: pick(point.numericValues), stringValues: pick(point.stringValues) };
}
