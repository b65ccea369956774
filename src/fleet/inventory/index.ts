export type { DeviceFilter, DeviceOrder } from './device-filter.ts';
export { createDevices, type DeviceSizes, type Devices } from './devices.ts';
export { createWatching, type Watch, type Watching } from './watching.ts';
