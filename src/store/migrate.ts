import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { readMigrationFiles } from 'drizzle-orm/migrator';
import { escapeIdentifier, type ClientBase } from 'pg';

import { fromConnection, LOCK_NOT_AVAILABLE, StoreError } from './error.ts';
import { defaultPrefix, presentPrefix, roleNames, SHARED_PREFIX, type RoleNames } from './roles.ts';
import { adoptSql, MIGRATIONS_TABLE, rightsSql, rolesSql, sharingSql, WRITTEN_ROLES } from './row-security.ts';
import { settingsSql } from './session.ts';

/** A lock number that no other program uses on this database: "tree" in ASCII. */
const MIGRATION_LOCK = 0x74726565;

/** A migration may build an index of a large table. */
const STATEMENT_MS = 3_600_000;

export interface MigrationOptions {
  readonly embedded: boolean;
  /** The schema of the tables; null: the first of the user's search path. */
  readonly schema: string | null;
  /** The prefix of the role names; null: that of the database, and for a new database one of its own. */
  readonly prefix: string | null;
  /** How long to wait for another process that migrates, and for a locked table. */
  readonly lockMs: number;
  /** Called with a sentence that an operator should know: a wait, or a database that shares its roles. */
  readonly onNotice: (text: string) => void;
  /** Fills the new tables of a restore; absent: the tables keep what they have. */
  readonly filling?: Filling;
}

/** The rows of a backup, which become those of a database without tables. */
export interface Filling {
  /** The last migration of the database that the rows come from: their tables are made as they were then. */
  readonly migration: number;
  /** Throws unless the schema has no tables. */
  requireEmpty(schema: string): Promise<void>;
  /** Inserts the rows; the later migrations follow. */
  insert(schema: Schema): Promise<void>;
}

/** What a migrated database has. */
export interface Schema {
  /** The schema of the tables. */
  readonly name: string;
  readonly roles: RoleNames;
}

/**
 * Migrates the database to the current schema, in one transaction, so that it also works through a connection pooler.
 * Processes that start at the same time wait for each other. The tables are in the first schema of the user's search
 * path. Throws CANNOT_OPEN with the reason in one line.
 */
export async function migrate(client: ClientBase, options: MigrationOptions): Promise<Schema> {
  try {
    await client.query('begin');
    const schema = await migrated(client, options);
    await client.query('commit');
    return schema;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    const { message } = fromConnection(error);
    const doing = options.filling ? 'restore the backup' : 'migrate the database';
    throw new StoreError('CANNOT_OPEN', `can't ${doing}: ${message}`);
  }
}

async function migrated(client: ClientBase, options: MigrationOptions): Promise<Schema> {
  const { database, schema } = await placeOf(client, options.schema);
  const deadlines = { statementMs: STATEMENT_MS, lockMs: options.lockMs, idleTransactionMs: options.lockMs };
  await client.query(settingsSql(schema, options.embedded ? null : deadlines, true));
  await waitForTurn(client, options);
  await options.filling?.requireEmpty(schema);
  const present = await presentPrefix(client);
  const fresh = options.embedded ? SHARED_PREFIX : defaultPrefix(database, schema);
  const roles = roleNames(options.prefix ?? present ?? fresh);
  await client.query(rolesSql(roles));
  if (options.filling) {
    await applyMigrations(client, schema, roles, options.filling.migration);
    await client.query(rightsSql(roles));
    await options.filling.insert({ name: schema, roles });
  }
  await applyMigrations(client, schema, roles);
  await client.query(adoptSql(roles));
  await client.query(rightsSql(roles));
  const sharing = (await client.query<{ datname: string }>(sharingSql(roles))).rows.map(({ datname }) => datname);
  if (sharing.length > 0) {
    options.onNotice(
      `the roles ${Object.values(roles).join(', ')} are also those of the database ${sharing.join(', ')}: an owner of one may read the rows of the other; TREELINE_DATABASE_ROLES gives this one its own`,
    );
  }
  return { name: schema, roles };
}

/** The database, and the schema of the tables. Throws if there is no such schema. */
export async function placeOf(
  client: ClientBase,
  wanted: string | null,
): Promise<{ database: string; schema: string }> {
  const { rows } = await client.query<{ database: string; schema: string | null }>(
    `select current_database() as database,
            case when $1::text is null then current_schema() else (select nspname from pg_namespace where nspname = $1) end
              as schema`,
    [wanted],
  );
  const { database = '', schema = null } = rows[0] ?? {};
  if (schema !== null) return { database, schema };
  throw new Error(
    wanted === null
      ? 'no schema of the search path exists; create it, or change search_path'
      : `the schema ${JSON.stringify(wanted)} does not exist; create it`,
  );
}

/** Takes the lock of migrations until the end of the transaction: without it, all but one process would fail. */
async function waitForTurn(client: ClientBase, { lockMs, onNotice }: MigrationOptions): Promise<void> {
  const { rows } = await client.query<{ free: boolean }>(`select pg_try_advisory_xact_lock(${MIGRATION_LOCK}) as free`);
  if (rows[0]?.free) return;
  const holder = await client.query<{ pid: number }>(
    `select pid from pg_locks where locktype = 'advisory' and objid = ${MIGRATION_LOCK} and granted
        and database = (select oid from pg_database where datname = current_database())`,
  );
  const who = `another process, which migrates the database (PostgreSQL process ${holder.rows[0]?.pid ?? 'unknown'})`;
  onNotice(`waiting up to ${lockMs / 1000} s for ${who}`);
  try {
    await client.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
  } catch (error) {
    if (fromConnection(error).sqlState !== LOCK_NOT_AVAILABLE) throw error;
    throw new Error(`waited ${lockMs / 1000} s for ${who}`, { cause: error });
  }
}

/**
 * Applies the missing migrations of the folder. They were generated for the schema `public` and the roles of the first
 * version; both are replaced. Drizzle's own migrator would require the right to create a schema in the database.
 */
async function applyMigrations(client: ClientBase, schema: string, roles: RoleNames, until = Infinity): Promise<void> {
  const { place, table } = migrationsTable(schema);
  if (!(await exists(client, table))) {
    if (place !== schema) await client.query(`create schema if not exists ${escapeIdentifier(place)}`);
    await client.query(`create table ${table} (id serial primary key, hash text not null, created_at bigint)`);
  }
  const applied = (await appliedMigration(client, schema)) ?? 0;
  const migrations = readMigrationFiles({ migrationsFolder: migrationsFolder() });
  if (applied > (migrations.at(-1)?.folderMillis ?? 0)) {
    throw new Error('it has the schema of a newer version of Treeline; start that version, or restore a backup');
  }
  for (const { sql, folderMillis, hash } of migrations) {
    if (folderMillis <= applied || folderMillis > until) continue;
    for (const statement of sql) {
      await client.query(
        statement
          .replaceAll('"public".', `${escapeIdentifier(schema)}.`)
          .replaceAll(`"${WRITTEN_ROLES.app}"`, escapeIdentifier(roles.app))
          .replaceAll(`"${WRITTEN_ROLES.system}"`, escapeIdentifier(roles.system)),
      );
    }
    await client.query(`insert into ${table} (hash, created_at) values ($1, $2)`, [hash, folderMillis]);
  }
}

/**
 * The first versions had the table of migrations in a schema of its own. Another schema than `public` may belong to a
 * user without the right to create one.
 */
function migrationsTable(schema: string): { readonly place: string; readonly table: string } {
  const place = schema === 'public' ? 'drizzle' : schema;
  return { place, table: `${escapeIdentifier(place)}.${escapeIdentifier(MIGRATIONS_TABLE)}` };
}

/** The last migration that was applied, as milliseconds (`when` in the journal); null if there was none. */
export async function appliedMigration(client: ClientBase, schema: string): Promise<number | null> {
  const { table } = migrationsTable(schema);
  if (!(await exists(client, table))) return null;
  const { rows } = await client.query<{ at: string | null }>(`select max(created_at) as at from ${table}`);
  const at = rows[0]?.at ?? null;
  return at === null ? null : Number(at);
}

async function exists(client: ClientBase, table: string): Promise<boolean> {
  const { rows } = await client.query<{ found: boolean }>('select to_regclass($1) is not null as found', [table]);
  return rows[0]?.found === true;
}

/** The migrations that this version knows, in order, as milliseconds. */
export function knownMigrations(): readonly number[] {
  return readMigrationFiles({ migrationsFolder: migrationsFolder() }).map(({ folderMillis }) => folderMillis);
}

/** Finds `migrations/` in the package's root, two levels above src/store and three above dist/src/store. */
export function migrationsFolder(): string {
  for (const up of ['../../migrations', '../../../migrations']) {
    const folder = fileURLToPath(new URL(up, import.meta.url));
    if (existsSync(`${folder}/meta/_journal.json`)) return folder;
  }
  throw new StoreError('CANNOT_OPEN', 'the migrations folder is missing from the installation');
}
