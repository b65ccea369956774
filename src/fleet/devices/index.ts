export { deviceKey, type DeviceKey, parseDeviceKey } from './device-key.ts';
export { deviceOfRow, type DeviceRow } from './device-row.ts';
export type {
  Device,
  DeviceChange,
  DeviceDeletion,
  DeviceEvents,
  DevicePart,
  DeviceStatus,
  DeviceStatusChange,
  StatusReason,
} from './device.ts';
export {
  type AutoProvisionLimits,
  checkName,
  checkTags,
  createProvisioning,
  endpointMismatch,
  endpointProblem,
  type FactoryClaim,
  type NewDevice,
  type Newcomer,
  normalEndpoint,
  profileFor,
  type Provisioning,
} from './provisioning.ts';
