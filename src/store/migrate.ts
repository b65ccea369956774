import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate as applyMigrations } from 'drizzle-orm/node-postgres/migrator';
import type { Pool } from 'pg';

import { StoreError } from './error.ts';
import { RIGHTS_SQL, ROLES_SQL } from './row-security.ts';

/** A lock number that no other program uses on this database: "tree" in ASCII. */
const MIGRATION_LOCK = 0x74726565;

/**
 * Migrates the database to the current schema. An advisory lock makes processes that start at the same time wait for
 * each other: Drizzle's migrator takes no lock, so all but one would fail. Uses one connection. Throws CANNOT_OPEN.
 */
export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query(`select pg_advisory_lock(${MIGRATION_LOCK})`);
    await client.query(ROLES_SQL);
    await applyMigrations(drizzle(client), { migrationsFolder: migrationsFolder() });
    await client.query(RIGHTS_SQL);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new StoreError('CANNOT_OPEN', `can't migrate the database: ${detail}`, { cause: error });
  } finally {
    await client.query(`select pg_advisory_unlock(${MIGRATION_LOCK})`).catch((lost: Error) => (broken = lost));
    client.release(broken);
  }
}

/** Finds `migrations/` in the package's root, two levels above src/store and three above dist/src/store. */
export function migrationsFolder(): string {
  for (const up of ['../../migrations', '../../../migrations']) {
    const folder = fileURLToPath(new URL(up, import.meta.url));
    if (existsSync(`${folder}/meta/_journal.json`)) return folder;
  }
  throw new StoreError('CANNOT_OPEN', 'the migrations folder is missing from the installation');
}
