import {
  FleetError,
  hasEnded,
  progressOf,
  type DeviceStatusChange,
  type FleetEvents,
  type Rpc,
  type StatusReason,
} from '../../src/fleet/index.ts';
import type { TelemetryPoint } from '../../src/telemetry/index.ts';
import { BootstrapType } from '../bootstrap/bootstrap.ts';
import { builder } from '../builder.ts';
import { DeviceStatusEnum } from '../device/device.ts';
import { deviceFilter, DeviceFilterInput } from '../device/device-list.ts';
import { idOf } from '../global-id.ts';
import { live } from './live.ts';
import { deviceOf } from './subscribed-device.ts';
import { DeviceNode, RpcNode } from '../nodes.ts';
import { TelemetryPointType } from '../telemetry/telemetry.ts';
import { METRICS } from '../rules.ts';

builder.subscriptionType({
  description:
    'Events, over WebSocket (graphql-transport-ws) or SSE. The server keeps up to 1024 events for a slow subscriber and then drops the oldest; the next event has the number of dropped events in `extensions.missedEvents`.',
});

const StatusReasonEnum = builder.enumType('StatusReason', {
  description: 'Why a device’s status changed.',
  values: {
    PROVISIONED: {
      value: 'provisioned',
      description: 'The device was provisioned. Status and previous are both NEVER_SEEN.',
    },
    REGISTERED: { value: 'registered', description: 'The device registered.' },
    UPDATED: {
      value: 'updated',
      description:
        'The device updated its registration, or a message arrived from an OFFLINE device. Status and previous can be equal.',
    },
    DEREGISTERED: { value: 'deregistered', description: 'The device de-registered.' },
    EXPIRED: { value: 'expired', description: 'The lifetime of the registration ended without an Update.' },
    SILENT: { value: 'silent', description: 'No message arrived for the profile’s `offlineAfter`.' },
    DISCONNECTED: {
      value: 'disconnected',
      description: 'The DTLS session, or the TCP or TLS connection, of the device ended.',
    },
    ASLEEP: { value: 'asleep', description: 'A queue-mode device is now believed asleep.' },
    AWAKE: { value: 'awake', description: 'A message arrived from a sleeping queue-mode device.' },
    DELETED: {
      value: 'deleted',
      description: 'The device was deleted: `device` is null. Every subscriber gets this event, whatever its filter.',
    },
  } satisfies Record<string, { value: StatusReason; description: string }>,
});

const DeviceStatusChangeType = builder.objectRef<DeviceStatusChange>('DeviceStatusChange').implement({
  description: 'A change of a device’s status, or an Update that leaves the status unchanged.',
  fields: (t) => ({
    deviceId: t.expose('deviceId', { type: 'UUID', description: 'The device’s UUID.' }),
    device: t.field({
      type: DeviceNode,
      nullable: true,
      description: 'The device at the time of the event; null if it was deleted.',
      resolve: ({ deviceId }) => deviceId,
    }),
    endpoint: t.exposeString('endpoint', { description: 'The device’s endpoint name: `"urn:imei:123"`.' }),
    status: t.expose('status', { type: DeviceStatusEnum, description: 'The status after the change: `OFFLINE`.' }),
    previous: t.expose('previous', { type: DeviceStatusEnum, description: 'The status before the change: `ONLINE`.' }),
    reason: t.expose('reason', { type: StatusReasonEnum, description: 'The reason for the change: `EXPIRED`.' }),
    lastSeen: t.expose('lastSeen', {
      type: 'DateTime',
      nullable: true,
      description: 'When the device’s last message arrived; null if there was none.',
    }),
    at: t.expose('at', { type: 'DateTime', description: 'When the status changed.' }),
  }),
});

builder.subscriptionField('deviceStatusChanged', (t) =>
  t.field({
    type: DeviceStatusChangeType,
    description:
      'Delivers status changes of devices: provisioned, online, sleeping, offline, deleted. There is no first event with the current status; `deviceChanged` delivers changed names and tags. Example: `deviceStatusChanged(filter: { tags: ["roof"] })`.',
    args: {
      filter: t.arg({
        type: DeviceFilterInput,
        description: 'Selects devices by their state after the change. Absent or null: all devices of the tenant.',
      }),
    },
    subscribe: (_root, { filter: asked }, { fleet, actor, bus }) => {
      const filter = deviceFilter(asked);
      return live<DeviceStatusChange, DeviceStatusChange>({
        subscription: bus.subscribe('deviceStatusChanged', actor.tenantId),
        select: async (change) =>
          // A deleted device matches no filter any more.
          !filter || change.reason === 'deleted' || (await fleet.devices.matches(actor, change.deviceId, filter))
            ? change
            : null,
      });
    },
    resolve: ({ value }) => value,
  }),
);

builder.subscriptionField('rpcChanged', (t) =>
  t.field({
    type: RpcNode,
    description:
      'Delivers an RPC each time its status changes: one RPC, the RPCs of a device, or all RPCs of the tenant. With `id`, the first event has the current state, no later event has an earlier one, and the subscription completes after a final status. A PERSISTENT RPC is QUEUED again after an attempt without a response. Example: `rpcChanged(id: "…")`.',
    args: {
      id: t.arg.id({ description: 'Only this RPC: its global id or UUID. Absent or null: see deviceId.' }),
      deviceId: t.arg.id({
        description:
          'Only RPCs of this device: its global id or UUID. Absent or null, without id: all RPCs of the tenant.',
      }),
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
        if (id === null) return live<FleetEvents['rpcChanged'], Rpc>({ subscription, select: ({ rpc }) => rpc });
        // Events that wait while the present state is read can be older than it.
        let shown = -1;
        const advance = (rpc: Rpc): Rpc | null => {
          if (progressOf(rpc) <= shown) return null;
          shown = progressOf(rpc);
          return rpc;
        };
        return live<FleetEvents['rpcChanged'], Rpc>({
          subscription,
          select: ({ rpc }) => advance(rpc),
          present: async () => {
            const rpc = await read();
            shown = Math.max(shown, progressOf(rpc));
            return rpc;
          },
          isLast: ({ status }) => hasEnded(status),
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
      'Delivers a bootstrap each time it makes progress: the bootstraps of a device, or all bootstraps of the tenant. Example: `bootstrapChanged(deviceId: "…")`.',
    args: {
      deviceId: t.arg.id({ description: 'The device’s global id or UUID. Absent or null: all devices of the tenant.' }),
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
    description:
      'Delivers telemetry points when they are stored. Example: `telemetry(deviceId: "…", metrics: ["temperature"])`.',
    args: {
      deviceId: t.arg.id({ description: 'The device’s global id or UUID. Absent or null: all devices of the tenant.' }),
      metrics: t.arg.stringList({
        description:
          'Delivers only these metrics, and only points that have at least one of them: `["temperature"]`. Absent or null: all.',
        validate: METRICS,
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

/** The point with only the given metrics. */
function only(point: TelemetryPoint, metrics: readonly string[]): TelemetryPoint {
  const pick = <V>(values: Readonly<Record<string, V>>): Record<string, V> =>
    Object.fromEntries(Object.entries(values).filter(([name]) => metrics.includes(name)));
  return { ...point, numericValues: pick(point.numericValues), stringValues: pick(point.stringValues) };
}
