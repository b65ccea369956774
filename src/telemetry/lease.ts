import { and, eq, lt, or, sql } from 'drizzle-orm';

import { leases, type Transaction } from '../store/index.ts';

/**
 * Takes or renews the exclusive lease `name` for `ms` milliseconds of the database's clock; returns whether `holder`
 * has it. A lock would need an open transaction or connection, and the embedded database has only one connection, which
 * must stay free while the broker answers.
 */
export async function holdLease(tx: Transaction, name: string, holder: string, ms: number): Promise<boolean> {
  const until = sql`now() + ${ms} * interval '1 millisecond'`;
  const held = await tx
    .insert(leases)
    .values({ name, holder, until })
    .onConflictDoUpdate({
      target: leases.name,
      set: { holder, until },
      setWhere: or(eq(leases.holder, holder), lt(leases.until, sql`now()`)),
    })
    .returning({ name: leases.name });
  return held.length > 0;
}

export async function releaseLease(tx: Transaction, name: string, holder: string): Promise<void> {
  await tx.delete(leases).where(and(eq(leases.name, name), eq(leases.holder, holder)));
}
