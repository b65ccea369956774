import { getTableName } from 'drizzle-orm';
import { foreignKey, type AnyPgColumn, type ForeignKeyBuilder } from 'drizzle-orm/pg-core';

/** The two columns that identify a row of a tenant. */
interface RowOfTenant {
  readonly tenantId: AnyPgColumn;
  readonly id: AnyPgColumn;
}

/**
 * A foreign key that includes the tenant, so that no row can refer to a row of another tenant: the check of a foreign
 * key ignores row-level security. The referenced table needs a unique constraint of the two columns.
 */
export function sameTenant(
  { tenantId, id }: RowOfTenant,
  referenced: RowOfTenant,
  onDelete: 'cascade' | 'no action' = 'cascade',
): ForeignKeyBuilder {
  return foreignKey({
    name: `${getTableName(id.table)}_${id.name}_of_tenant`,
    columns: [tenantId, id],
    foreignColumns: [referenced.tenantId, referenced.id],
  }).onDelete(onDelete);
}
