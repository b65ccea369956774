import { and, eq, isNotNull, sql } from 'drizzle-orm';
import { lockUntilEnd, SECRET_KEY_CHECK, settings, type Transaction } from '../store/index.ts';
import type { Seal } from './credentials/index.ts';
import { SEALED } from './sealed-columns.ts';

/** Its fingerprint under the secret key is the check value. It says nothing about the key. */
const CHECKED_TEXT = 'the secret key of this database';

/**
 * What a database says about a secret key. `same`: the database belongs to it. `other`: the database belongs to another
 * key. `unknown`: the database has no check value, and no secret contradicts the key.
 */
export type SecretKeyState = 'same' | 'other' | 'unknown';

/** Lets one process at a time decide about the secret key, until the transaction ends. */
export function lockSecretKey(tx: Transaction): Promise<void> {
  return lockUntilEnd(tx, SECRET_KEY_CHECK);
}

/**
 * Compares a secret key with the check value of the database. Databases of earlier versions have none: there, the key is
 * right if it opens one of the stored secrets, or if there are none. Null means that there is no key: then the state is
 * `other` if the database has a check value or a secret.
 */
export async function secretKeyState(tx: Transaction, seal: Seal | null): Promise<SecretKeyState> {
  const [row] = await tx.select({ value: settings.value }).from(settings).where(eq(settings.key, SECRET_KEY_CHECK));
  if (row !== undefined) return seal !== null && row.value === checkValueOf(seal) ? 'same' : 'other';
  let secrets = false;
  for (const { table, column, context } of SEALED) {
    const some = isNotNull(column);
    secrets ||= (await tx.select({ id: table.id }).from(table).where(some).limit(1)).length > 0;
    if (seal === null) continue;
    const ofKey = and(some, sql`substring(${column} from 2 for 4) = ${seal.keyId}`);
    const [found]: { id: string; sealed: Uint8Array | null }[] = await tx
      .select({ id: table.id, sealed: column })
      .from(table)
      .where(ofKey)
      .limit(1);
    if (found?.sealed && opens(seal, found.sealed, context(found.id))) return 'unknown';
  }
  return secrets ? 'other' : 'unknown';
}

/** Stores the check value: from now on, no other key is right. */
export async function keepSecretKey(tx: Transaction, seal: Seal): Promise<void> {
  const value = checkValueOf(seal);
  await tx
    .insert(settings)
    .values({ key: SECRET_KEY_CHECK, value })
    .onConflictDoUpdate({ target: settings.key, set: { value } });
}

/** The check value of a secret key, as the database and the header of a backup have it. */
export function checkValueOf(seal: Seal): string {
  return seal.fingerprint(CHECKED_TEXT);
}

function opens(seal: Seal, sealed: Uint8Array, context: string): boolean {
  try {
    seal.open(sealed, context);
    return true;
  } catch {
    return false;
  }
}
