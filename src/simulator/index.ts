export type { AccountOptions } from './account.ts';
export { bootstrap, type BootstrapClientOptions, type ServerAccount } from './bootstrap-client.ts';
export { SimulatedDevice, type DeviceOptions } from './device.ts';
export { firmwarePackage } from './firmware.ts';
export { Fleet, type FleetOptions } from './fleet.ts';
export type { Channel, PreSharedKey, ServerAddress, TlsCredentials } from './server-address.ts';
