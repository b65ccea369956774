export {
  badCursor,
  type Cursor,
  FleetError,
  type FleetErrorCode,
  isUuid,
  LARGEST_PAGE,
  LIMITS,
  limitsOf,
  type Log,
  type Page,
  pageOf,
  type PageRequest,
  type PageWindow,
  shown,
  storable,
  type TextLimits,
  textProblem,
  windowOf,
} from './common/index.ts';
export {
  type Access,
  type Actor,
  createAccess,
  DEFAULT_TENANT,
  type DeviceId,
  ensureAdminToken,
  ensureDefaultTenant,
  LONGEST_TOKEN,
  type Role,
  type TenantId,
} from './access/index.ts';
export { resourceTypeOf } from './objects/index.ts';
export type { Definitions, JsonValue, KnownDefinition, WriteValue } from './objects/index.ts';
export {
  createCredentialLookUp,
  createCredentials,
  type CredentialBook,
  type CredentialGate,
  type CredentialHolder,
  type CredentialKind,
  type CredentialLookUp,
  type CredentialPurpose,
  type Credentials,
  type DeviceCredential,
  type HandshakeRecord,
  HandshakeLog,
  type HandshakeReport,
  type Handshakes,
  type IssuedCredential,
  type NewCredential,
  Seal,
  SealError,
  type TrustAnchor,
} from './credentials/index.ts';
export { createRevocations, type Revocations } from './revocations.ts';
export type { OperationInput, RpcMethod } from './operations/index.ts';
export {
  type DeviceProfile,
  type MappingPath,
  type MetricMapping,
  canHaveName,
  parseMappingPath,
  type ProfileInput,
  type Profiles,
  type RegistrationProfile,
} from './profiles/index.ts';
export type {
  Device,
  DeviceChange,
  DeviceDeletion,
  DevicePart,
  DeviceStatus,
  DeviceStatusChange,
  StatusReason,
} from './devices/index.ts';
export type {
  DeadLetter,
  DeviceStatusEvent,
  ResourceState,
  TelemetryBatch,
  TelemetrySink,
  TreeSelector,
} from './readings/index.ts';
export {
  type Bootstrap,
  type BootstrapPlan,
  type Bootstraps,
  type BootstrapStatus,
  createBootstrapLookUp,
  type FactoryCredential,
  type PlanOwner,
  type StoredPlan,
} from './bootstrap/index.ts';
export type {
  DeviceRegistration,
  RegistrationProblem,
  RegistrationProblemKind,
  RegistrationProblems,
} from './presence/index.ts';
export type { DeviceObservation, WantedState, WatchState } from './observing/index.ts';
export type { DeviceFilter, DeviceOrder, Devices, DeviceSizes, Watch, Watching } from './inventory/index.ts';
export { hasEnded, progressOf, RPC_LIMITS } from './rpcs/index.ts';
export type {
  Delivery,
  Rpc,
  RpcError,
  RpcErrorCode,
  RpcMode,
  RpcOptions,
  Rpcs,
  RpcStatus,
  RpcTransition,
  SleepingDevice,
  SmsTrigger,
} from './rpcs/index.ts';
export { createFleet } from './create-fleet.ts';
export type { ReadingRates } from './readings/index.ts';
export type { FleetOptions, FleetSnapshot, RunningFleet } from './running-fleet.ts';
export type { FleetEvents } from './events.ts';
export { reseal } from './reseal.ts';
export { checkValueOf, keepSecretKey, lockSecretKey, secretKeyState, type SecretKeyState } from './secret-key-check.ts';
export type { Fleet } from './fleet.ts';
