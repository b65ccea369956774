import { and, asc, gt, isNotNull, sql } from 'drizzle-orm';
import type { Store, Transaction } from '../store/index.ts';
import { SealError, type Seal } from './credentials/index.ts';
import { SEALED } from './sealed-columns.ts';
import { keepSecretKey, lockSecretKey, secretKeyState } from './secret-key-check.ts';

const ROWS_AT_ONCE = 500;

/**
 * Seals every secret of the database with `to` instead of `from`, all of them or none; it skips secrets that `to` sealed
 * before. From then on the database belongs to `to`. Resolves with the number of secrets that it sealed. Rejects with
 * SealError if the database or a secret belongs to a third key. Stop every server first: a running server would seal with
 * the old key.
 */
export async function reseal(store: Store, from: Seal, to: Seal): Promise<number> {
  return store.asSystem(async (tx) => {
    await lockSecretKey(tx);
    const foreign = (await secretKeyState(tx, from)) === 'other' && (await secretKeyState(tx, to)) === 'other';
    if (foreign) throw new SealError('the secrets of the database were sealed with another secret key');
    let count = 0;
    for (const place of SEALED) count += await resealColumn(tx, place, from, to);
    await keepSecretKey(tx, to);
    return count;
  });
}

async function resealColumn(
  tx: Transaction,
  { table, column, context }: (typeof SEALED)[number],
  from: Seal,
  to: Seal,
): Promise<number> {
  let count = 0;
  for (let last: string | null = null; ;) {
    const rows: { id: string; sealed: Uint8Array | null }[] = await tx
      .select({ id: table.id, sealed: column })
      .from(table)
      .where(and(isNotNull(column), last === null ? undefined : gt(table.id, last)))
      .orderBy(asc(table.id))
      .limit(ROWS_AT_ONCE);
    const resealed = rows.flatMap(({ id, sealed }) =>
      sealed === null || to.sealed(sealed) ? [] : { id, sealed: to.close(from.open(sealed, context(id)), context(id)) },
    );
    if (resealed.length > 0) {
      const ids = sql.param(resealed.map(({ id }) => id));
      const secrets = sql.param(resealed.map(({ sealed }) => sealed));
      await tx.execute(sql`
        update ${table} set ${sql.identifier(column.name)} = resealed.sealed
        from unnest(${ids}::uuid[], ${secrets}::bytea[]) as resealed (id, sealed) where ${table.id} = resealed.id`);
    }
    count += resealed.length;
    last = rows.at(-1)?.id ?? null;
    if (rows.length < ROWS_AT_ONCE) return count;
  }
}
