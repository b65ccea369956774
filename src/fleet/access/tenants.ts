import type { Clock } from '../../clock.ts';
import { tenants, type Store } from '../../store/index.ts';
import type { TenantId } from './actor.ts';

/** The tenant of a new installation. The admin token and the devices that provision themselves belong to it. */
export const DEFAULT_TENANT = 'default' as TenantId; // ensureDefaultTenant makes this tenant

/** Makes the default tenant if it does not exist. Call it at each start. */
export async function ensureDefaultTenant(store: Store, clock: Clock): Promise<void> {
  await store.asSystem((tx) =>
    tx
      .insert(tenants)
      .values({ id: DEFAULT_TENANT, name: 'Default', createdAt: new Date(clock.now()) })
      .onConflictDoNothing(),
  );
}
