import { sql } from 'drizzle-orm';

import type { Transaction } from './store.ts';

/**
 * Waits until no other transaction holds the lock of this name, in any process, and holds it until the transaction
 * ends. Take it before counting rows against a limit: two transactions that count at the same time would both insert.
 * `name` contains all that the limit is for, such as the tenant's id. Different names may share a lock.
 */
export async function lockUntilEnd(tx: Transaction, name: string): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`);
}
