import type { Clock } from '../../clock.ts';
import { tenants, type Store } from '../../store/index.ts';
import type { TenantId } from './actor.ts';

/** The tenant of a fresh installation: of the admin token, and of devices that provision themselves. */
export const DEFAULT_TENANT = 'default' as TenantId; // the one slug that needs no look-up

/** Makes the default tenant when it is missing: once, at start. */
export async function ensureDefaultTenant(store: Store, clock: Clock): Promise<void> {
  await store.asSystem((tx) =>
    tx
      .insert(tenants)
      .values({ id: DEFAULT_TENANT, name: 'Default', createdAt: new Date(clock.now()) })
      .onConflictDoNothing(),
  );
}
