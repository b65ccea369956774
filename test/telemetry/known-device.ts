import { devices, profiles, tenants, type Store } from '../../src/store/index.ts';
import type { DeviceId, TenantId } from '../../src/fleet/index.ts';

/** A stored device, to which points and dead letters refer. */
export interface KnownDevice {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
}

/** Stores a device, its tenant and a profile. */
export async function addDevice(store: Store, tenant: string): Promise<KnownDevice> {
  const tenantId = tenant as TenantId;
  const deviceId = crypto.randomUUID() as DeviceId;
  const profileId = crypto.randomUUID();
  const now = new Date();
  await store.asSystem(async (tx) => {
    await tx.insert(tenants).values({ id: tenantId, name: '', createdAt: now }).onConflictDoNothing();
    await tx.insert(profiles).values({
      id: profileId,
      tenantId,
      name: profileId,
      isDefault: false,
      mappings: [],
      methods: [],
      offlineAfter: null,
      expectedInterval: null,
      createdAt: now,
      updatedAt: now,
    });
    await tx.insert(devices).values({
      id: deviceId,
      tenantId,
      endpoint: `urn:uuid:${deviceId}`,
      name: null,
      tags: [],
      profileId,
      status: 'ONLINE',
      lastSeen: null,
      createdAt: now,
      updatedAt: now,
    });
  });
  return { tenantId, deviceId };
}
