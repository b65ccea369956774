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
  /** Connections to Postgres at most; the embedded database has one. */
  readonly poolSize?: number;
  /** False: the schema is left as it is. */
  readonly migrate?: boolean;
  /** Told when the database is gone for good (embedded: LOST) or an idle connection broke (Postgres: a new one is made). */
  readonly onError?: (error: StoreError) => void;
}

const POOL_SIZE = 10;
/** An address that swallows packets would otherwise hold the start for two minutes. */
const CONNECT_TIMEOUT_MS = 5_000;

/**
 * Connects, migrates, and resolves with the store: `pg` and drizzle over PGlite or over Postgres, the same from here on.
 * Throws a StoreError with one clear line: UNREACHABLE, IN_USE or CANNOT_OPEN.
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
    // The error's own text may hold the URL; its code, or the server's answer, says what happened.
    const detail = error instanceof DatabaseError ? error.message : networkReason(error);
    throw new StoreError('UNREACHABLE', `can't reach Postgres at ${host}:${port} (database ${database}): ${detail}`);
  }
}

function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
