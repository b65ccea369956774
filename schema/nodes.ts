import type { Device, DeviceProfile, Rpc } from '../src/fleet/index.ts';
import { builder } from './builder.ts';

/**
 * The types that have global ids, and how those that many fields ask for are fetched in one call. They name each other
 * in circles, so they are declared here and given their fields in device.ts, profile.ts and rpc.ts.
 */
export const DeviceNode = builder.loadableNodeRef('Device', {
  id: { resolve: (device: Device) => device.id },
  load: (ids: string[], { fleet, actor }) => fleet.devices.many(actor, ids),
});

export const DeviceProfileNode = builder.loadableNodeRef('DeviceProfile', {
  id: { resolve: (profile: DeviceProfile) => profile.id },
  load: (ids: string[], { fleet, actor }) => fleet.profiles.many(actor, ids),
});

export const RpcNode = builder.loadableNodeRef('Rpc', {
  id: { resolve: (rpc: Rpc) => rpc.id },
  load: (ids: string[], { fleet, actor }) => fleet.rpcs.many(actor, ids),
});
