import type { DeviceId, TenantId } from '../access/index.ts';

/**
 * What the LwM2M room calls a device, and the key of its events: `acme/d7b1c0e2-…`. It says the tenant, so that whatever
 * arrives for a device is stored as its tenant without asking anybody.
 */
export type DeviceKey = string;

export function deviceKey(tenantId: TenantId, deviceId: DeviceId): DeviceKey {
  return `${tenantId}/${deviceId}`;
}

export function parseDeviceKey(key: DeviceKey): { tenantId: TenantId; deviceId: DeviceId } {
  const slash = key.indexOf('/');
  // Both halves are what deviceKey put together.
  return { tenantId: key.slice(0, slash) as TenantId, deviceId: key.slice(slash + 1) as DeviceId };
}
