export { deviceKey, type DeviceKey, parseDeviceKey } from './device-key.ts';
export { deviceOfRow, type DeviceRow } from './device-row.ts';
export type { Device, DeviceEvents, DeviceStatus, DeviceStatusChange, StatusReason } from './device.ts';
export {
  checkName,
  checkTags,
  createProvisioning,
  endpointProblem,
  type FactoryClaim,
  type NewDevice,
  normalEndpoint,
  profileFor,
  type Provisioning,
} from './provisioning.ts';
