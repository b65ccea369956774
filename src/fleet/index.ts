export type { Actor, DeviceId, Role, TenantId } from './access.ts';
export { ensureAdminToken } from './access-admin.ts';
export { createAccess, LONGEST_TOKEN } from './access-keys.ts';
export type {
  Bootstrap,
  BootstrapPlan,
  Bootstraps,
  BootstrapStatus,
  FactoryCredential,
  PlanOwner,
} from './bootstrap.ts';
export { createBootstrapLookUp } from './bootstrap-look-up.ts';
export { createCredentialLookUp, type CredentialLookUp } from './credential-look-up.ts';
export type {
  CredentialHolder,
  CredentialKind,
  CredentialPurpose,
  DeviceCredential,
  IssuedCredential,
  NewCredential,
  TrustAnchor,
} from './credential.ts';
export { createCredentials, type CredentialBook, type Credentials } from './credentials.ts';
export type { CredentialGate } from './admission.ts';
export { createFleet, type FleetOptions, type FleetSnapshot, type RunningFleet } from './create-fleet.ts';
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
export type { Handshake, HandshakeReport, Handshakes } from './handshake.ts';
export { HandshakeLog } from './handshake-log.ts';
export type { Log } from './log.ts';
export { parseMappingPath, type MappingPath } from './mapping-path.ts';
export { cursorOf, pageOf, windowOf, type Cursor, type PageWindow } from './paging.ts';
export type { DeviceProfile, MetricMapping, RpcMethod } from './profile.ts';
export type { RegistrationProfile } from './registration-profiles.ts';
export type { Rpc, RpcError, RpcMode, RpcStatus, RpcTransition } from './rpc.ts';
export { reseal } from './reseal.ts';
export { Seal, SealError } from './seal.ts';
export type { SleepingDevice, SmsTrigger } from './sms-trigger.ts';
export type { DeadLetter, DeviceStatusEvent, TelemetryBatch, TelemetrySink } from './telemetry-sink.ts';
export { DEFAULT_TENANT, ensureDefaultTenant } from './tenant.ts';
export { isUuid } from './uuid.ts';
