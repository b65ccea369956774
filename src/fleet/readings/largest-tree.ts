import { sql } from 'drizzle-orm';
import { largestTrees, type Transaction } from '../../store/index.ts';

/** What one device has of which a value is stored. */
export interface TreeSize {
  readonly objects: number;
  readonly instances: number;
  readonly resources: number;
}

/** What one device has registered. */
export interface RegisteredSize {
  readonly registeredObjects: number;
  readonly registeredInstances: number;
}

/**
 * Records the size of a device's tree, or of its registration, if no device of the tenant had as much so far. Call it at
 * the end of a transaction: it locks the tenant's row, but only if a number grows.
 */
export async function recordTreeSize(
  tx: Transaction,
  tenantId: string,
  size: TreeSize | RegisteredSize,
): Promise<void> {
  const all = { objects: 0, instances: 0, resources: 0, registeredObjects: 0, registeredInstances: 0, ...size };
  await tx.execute(sql`
    insert into largest_trees as known
      (tenant_id, objects, instances, resources, registered_objects, registered_instances)
    select ${tenantId}, ${all.objects}::int, ${all.instances}::int, ${all.resources}::int,
      ${all.registeredObjects}::int, ${all.registeredInstances}::int
    where not exists (
      select from largest_trees where tenant_id = ${tenantId} and objects >= ${all.objects}::int
        and instances >= ${all.instances}::int and resources >= ${all.resources}::int
        and registered_objects >= ${all.registeredObjects}::int
        and registered_instances >= ${all.registeredInstances}::int)
    on conflict (tenant_id) do update set
      objects = greatest(known.objects, excluded.objects),
      instances = greatest(known.instances, excluded.instances),
      resources = greatest(known.resources, excluded.resources),
      registered_objects = greatest(known.registered_objects, excluded.registered_objects),
      registered_instances = greatest(known.registered_instances, excluded.registered_instances)`);
}

/**
 * Returns a bound of the tree of any one device of the transaction's tenant: what is registered and what has values may
 * differ, so both count.
 */
export async function largestTree(tx: Transaction): Promise<TreeSize> {
  const [row] = await tx.select().from(largestTrees);
  return {
    objects: (row?.objects ?? 0) + (row?.registeredObjects ?? 0),
    instances: (row?.instances ?? 0) + (row?.registeredInstances ?? 0),
    resources: row?.resources ?? 0,
  };
}
