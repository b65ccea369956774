import { getTableColumns, sql } from 'drizzle-orm';
import type { PgTable } from 'drizzle-orm/pg-core';

import type { Transaction } from './store.ts';

/**
 * Inserts rows with one parameter per column (`insert … select … from unnest`): for 256 rows, Drizzle's `values` makes
 * thousands of parameters and blocks the thread for tens of milliseconds. All rows must have the columns of the first
 * row, without array columns. Identity values follow the order of the rows. `keep` leaves existing rows unchanged.
 */
export async function insertRows<T extends PgTable>(
  tx: Transaction,
  table: T,
  rows: readonly T['$inferInsert'][],
  onConflict: 'fail' | 'keep' = 'fail',
): Promise<void> {
  const [first] = rows;
  if (first === undefined) return;
  const columns = Object.entries(getTableColumns(table)).filter(([name]) => name in first);
  const names = columns.map(([, column]) => sql.identifier(column.name));
  const values = columns.map(([name, column]) => {
    const driven = rows.map((row: Record<string, unknown>) => {
      const value = row[name] ?? null;
      return value === null ? null : column.mapToDriverValue(value);
    });
    return sql`${sql.param(driven)}::${sql.raw(column.getSQLType())}[]`;
  });
  await tx.execute(
    sql`insert into ${table} (${sql.join(names, sql`, `)}) select * from unnest(${sql.join(values, sql`, `)})
      ${onConflict === 'keep' ? sql`on conflict do nothing` : sql``}`,
  );
}
