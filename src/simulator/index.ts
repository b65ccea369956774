export { bootstrap, type BootstrapClientOptions, type ServerAccount } from './bootstrap-client.ts';
export { SimulatedDevice, type DeviceOptions } from './device.ts';
export type { PreSharedKey } from './dtls-tunnel.ts';
export { firmwarePackage } from './firmware.ts';
export { Fleet, type FleetOptions } from './fleet.ts';
