import type { DeviceId, TenantId } from '../access/index.ts';

/**
 * The name of a device in the LwM2M server and the key of its events: `acme/d7b1c0e2-…`. It contains the tenant, so that
 * the fleet can store the data of a device as its tenant without a lookup.
 */
export type DeviceKey = string;

export function deviceKey(tenantId: TenantId, deviceId: DeviceId): DeviceKey {
  return `${tenantId}/${deviceId}`;
}

export function parseDeviceKey(key: DeviceKey): { tenantId: TenantId; deviceId: DeviceId } {
  const slash = key.indexOf('/');
  // The casts are safe: deviceKey joined the two ids.
  return { tenantId: key.slice(0, slash) as TenantId, deviceId: key.slice(slash + 1) as DeviceId };
}
