import type { Device, DeviceProfile, Rpc } from '../src/fleet/index.ts';
import { builder } from './builder.ts';

/**
 * The types that `node(id:)` fetches, each with the call that loads many of them at once. These types refer to each other
 * in a cycle; they are therefore declared here, and device.ts, profile.ts and rpc.ts add their fields.
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
