export type { Actor, DeviceId, Role, TenantId } from './access.ts';
export type {
  Device,
  DeviceRegistration,
  DeviceStatus,
  JsonValue,
  ResourceState,
  RunningObservation,
} from './device.ts';
export { FleetError, type FleetErrorCode } from './error.ts';
export type { DeviceStatusChange, FleetEvents, StatusReason } from './events.ts';
export type * from './fleet.ts';
export type { DeviceProfile, MetricMapping, RpcMethod } from './profile.ts';
export type { Rpc, RpcError, RpcMode, RpcStatus, RpcTransition } from './rpc.ts';
export type { DeadLetter, DeviceStatusEvent, TelemetryBatch, TelemetrySink } from './telemetry-sink.ts';
