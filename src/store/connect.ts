import { Client, DatabaseError, Pool } from 'pg';

import { openEmbedded } from './embedded.ts';
import { StoreError } from './error.ts';
import { migrate } from './migrate.ts';
import { createStore, type Database, type Store } from './store.ts';

export type DatabaseLocation =
  | { readonly kind: 'embedded'; readonly directory: string }
  | { readonly kind: 'postgres'; readonly url: string };

export interface StoreOptions {
  readonly database: DatabaseLocation;
  /** The maximum number of connections to Postgres; the embedded database has one. */
  readonly poolSize?: number;
  /** False: does not migrate the schema. */
  readonly migrate?: boolean;
  /**
   * Called when the embedded database has ended, or when an idle connection to Postgres broke; the pool opens a new
   * one.
   */
  readonly onError?: (error: StoreError) => void;
}

const POOL_SIZE = 10;
/** Without it, an address that drops packets would delay the start by two minutes. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects to PGlite or Postgres, migrates the schema, and resolves with the store. Both databases are used through
 * `pg` and drizzle. Throws a StoreError with a message of one line: UNREACHABLE, IN_USE or CANNOT_OPEN.
 */
export async function openStore(options: StoreOptions): Promise<Store> {
  const database = await connect(options);
  const { pool, end } = database;
  pool.on('error', (error) =>
    options.onError?.(new StoreError('LOST', `a database connection broke: ${error.message}`)),
  );
  const close = (): Promise<void> => pool.end().then(end);
  if (options.migrate !== false) {
    try {
      await migrate(pool);
    } catch (error) {
      await close();
      throw error;
    }
  }
  return createStore(database);
}

async function connect(options: StoreOptions): Promise<Database> {
  if (options.database.kind === 'embedded') {
    const embedded = await openEmbedded(options.database.directory, (error) => options.onError?.(error));
    const pool = new Pool({
      stream: () => embedded.connect(),
      user: 'postgres',
      database: 'postgres',
      max: 1,
      idleTimeoutMillis: 0,
    });
    return { pool, embedded: true, end: () => embedded.close() };
  }
  const pool = new Pool({
    connectionString: options.database.url,
    max: options.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  });
  await reach(pool, options.database.url);
  return { pool, embedded: false, end: async () => {} };
}

async function reach(pool: Pool, url: string): Promise<void> {
  try {
    const client = await pool.connect();
    client.release();
  } catch (error) {
    await pool.end();
    const { host, port, database } = new Client({ connectionString: url });
    // The error's message may contain the URL with its password; use its code or the server's message.
    const detail = error instanceof DatabaseError ? error.message : networkReason(error);
    throw new StoreError('UNREACHABLE', `can't reach Postgres at ${host}:${port} (database ${database}): ${detail}`);
  }
}

function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
