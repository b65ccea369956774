export { SimulatedDevice, type DeviceOptions } from './device.ts';
export { firmwarePackage } from './firmware.ts';
export { Fleet, type FleetOptions } from './fleet.ts';
