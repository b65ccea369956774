import { Client, Pool, type PoolConfig } from 'pg';

import { systemClock, type Clock } from '../clock.ts';
import { embeddedConnection, openEmbedded } from './embedded.ts';
import { StoreError } from './error.ts';
import { migrate, type Schema } from './migrate.ts';
import type { DatabaseLocation } from './owner.ts';
import { connectPostgres, CONNECT_TIMEOUT_MS, type PostgresRoute } from './postgres.ts';
import { connectionRoleSql } from './row-security.ts';
import { settingsSql, type Deadlines } from './session.ts';
import { createStore, type Store } from './store.ts';

export interface StoreOptions {
  readonly database: DatabaseLocation;
  /** The maximum number of connections to Postgres; the embedded database has one. */
  readonly poolSize?: number;
  /** How long Postgres may take for a statement, in milliseconds. */
  readonly statementMs?: number;
  /** How long a start waits for another process that migrates, and for a locked table, in milliseconds. */
  readonly migrationWaitMs?: number;
  /**
   * Called when the embedded database has ended, or when an idle connection to Postgres broke; the pool opens a new
   * one.
   */
  readonly onError?: (error: StoreError) => void;
  /** Called during the start with a sentence that an operator should know, such as what the start waits for. */
  readonly onNotice?: (text: string) => void;
  readonly clock?: Clock;
}

export const POOL_SIZE = 10;
export const STATEMENT_MS = 20_000;
const MIGRATION_WAIT_MS = 60_000;
/** A statement may wait this long for a lock. */
const LONGEST_LOCK_WAIT_MS = 10_000;
const IDLE_TRANSACTION_MS = 60_000;
/** The server cancels a statement at its deadline; if it does not even answer that, the connection is dead. */
const ANSWER_MS = 5_000;
/** The embedded database has one connection, which vacuums too. */
const EMBEDDED_MS = 60_000;
const LONGEST_MIGRATION_MS = 3_600_000;

/**
 * Connects to PGlite or Postgres, migrates the schema, and resolves with the store. Both databases are used through
 * `pg` and drizzle. Throws a StoreError with a message of one line: UNREACHABLE, BUSY, IN_USE or CANNOT_OPEN.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  return options.database.kind === 'embedded'
    ? openEmbeddedStore(options, options.database.directory)
    : openPostgresStore(options, options.database);
}

async function openEmbeddedStore(options: StoreOptions, directory: string): Promise<Store> {
  const embedded = await openEmbedded(
    directory,
    (error) => options.onError?.(error),
    (text) => options.onNotice?.(text),
  );
  const connection = embeddedConnection(embedded);
  const client = new Client(connection);
  client.on('error', () => {});
  let schema: Schema;
  try {
    await client.connect();
    schema = await migrate(client, { ...migrationOptions(options), embedded: true, schema: null, prefix: null });
    await client.end();
  } catch (error) {
    await embedded.close();
    throw error;
  }
  const sql = `${settingsSql(schema.name, null, false)}; ${connectionRoleSql(schema.roles)}`;
  const pool = openPool(options, {
    ...connection,
    max: 1,
    idleTimeoutMillis: 0,
    connectionTimeoutMillis: EMBEDDED_MS,
    query_timeout: EMBEDDED_MS,
    onConnect: async (opened) => void (await opened.query(sql)),
  });
  const clock = options.clock ?? systemClock;
  return createStore({
    pool,
    clock,
    roles: schema.roles,
    connectSql: sql,
    transactionSql: null,
    embedded: true,
    end: () => embedded.close(),
  });
}

async function openPostgresStore(
  options: StoreOptions,
  { url, roles }: { readonly url: string; readonly roles?: string | null },
): Promise<Store> {
  const clock = options.clock ?? systemClock;
  const { route, schema } = await migratePostgres(options, url, roles ?? null);
  const statementMs = options.statementMs ?? STATEMENT_MS;
  const deadlines: Deadlines = {
    statementMs,
    lockMs: Math.min(statementMs, LONGEST_LOCK_WAIT_MS),
    idleTransactionMs: IDLE_TRANSACTION_MS,
  };
  const connectSql = `${settingsSql(schema.name, deadlines, false)}; ${connectionRoleSql(schema.roles)}`;
  const pool = openPool(options, {
    ...route.config,
    max: options.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: statementMs + ANSWER_MS,
    // What is set outside of a transaction would stay with the pooler's connection and reach other sessions.
    ...(route.pooled ? {} : { onConnect: async (opened) => void (await opened.query(connectSql)) }),
  });
  const transactionSql = route.pooled ? settingsSql(schema.name, deadlines, true) : null;
  return createStore({
    pool,
    clock,
    roles: schema.roles,
    connectSql,
    transactionSql,
    embedded: false,
    end: async () => {},
  });
}

/** Migrates with the rights of the connection's user, on a connection of its own. */
async function migratePostgres(
  options: StoreOptions,
  url: string,
  prefix: string | null,
): Promise<{ route: PostgresRoute; schema: Schema }> {
  const { client, route } = await connectPostgres(url, LONGEST_MIGRATION_MS);
  try {
    if (route.pooled) {
      options.onNotice?.(
        'DATABASE_URL leads through a connection pooler: each transaction sets what it needs, and what other processes revoke is found by checks, not by NOTIFY',
      );
    }
    const rules = { embedded: false, schema: route.url.schema, prefix };
    return { route, schema: await migrate(client, { ...migrationOptions(options), ...rules }) };
  } finally {
    await client.end().catch(() => {});
  }
}

function migrationOptions(options: StoreOptions): { lockMs: number; onNotice: (text: string) => void } {
  return {
    lockMs: options.migrationWaitMs ?? MIGRATION_WAIT_MS,
    onNotice: (text) => options.onNotice?.(text),
  };
}

function openPool(options: StoreOptions, config: PoolConfig): Pool {
  const pool = new Pool(config);
  pool.on('error', (error) =>
    options.onError?.(new StoreError('LOST', `a database connection broke: ${error.message}`)),
  );
  return pool;
}
