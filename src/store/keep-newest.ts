import { inArray, sql, type SQL } from 'drizzle-orm';
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core';
import type { Transaction } from './store.ts';

/** The rows of a table that `keepNewest` compares. */
export interface Ranked {
  readonly table: PgTable;
  readonly id: PgColumn;
  /** The rows to look at. */
  readonly where: SQL | undefined;
  /** Rows with the same value compete. */
  readonly by: PgColumn;
  /** The newest first, such as `id desc`. */
  readonly newestFirst: readonly SQL[];
}

/** Deletes all but the `most` newest rows of each value of `by`. */
export async function keepNewest(
  tx: Transaction,
  { table, id, where, by, newestFirst }: Ranked,
  most: number,
): Promise<void> {
  const order = sql.join([...newestFirst], sql`, `);
  const ranked = tx
    .select({ id, rank: sql<number>`row_number() over (partition by ${by} order by ${order})`.as('rank') })
    .from(table)
    .where(where)
    .as('ranked');
  const surplus = tx
    .select({ id: ranked.id })
    .from(ranked)
    .where(sql`${ranked.rank} > ${most}`);
  await tx.delete(table).where(inArray(id, surplus));
}
