import { Client, DatabaseError, Pool, type PoolConfig } from 'pg';

import { openEmbedded } from './embedded.ts';
import { StoreError } from './error.ts';
import { migrate } from './migrate.ts';
import { CONNECTION_SQL } from './row-security.ts';
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
  const server = await connect(options);
  if (options.migrate !== false) {
    // The migration needs the rights of the connection's user, so it has a pool of its own.
    const owner = new Pool({ ...server.connection, max: 1 });
    // The statement that the broken connection interrupts reports it.
    owner.on('error', () => {});
    try {
      await migrate(owner);
    } catch (error) {
      await owner.end().then(server.end);
      throw error;
    }
    await owner.end();
  }
  const pool = new Pool({
    ...server.connection,
    onConnect: async (client) => void (await client.query(CONNECTION_SQL)),
  });
  pool.on('error', (error) =>
    options.onError?.(new StoreError('LOST', `a database connection broke: ${error.message}`)),
  );
  return createStore({ pool, embedded: server.embedded, end: server.end });
}

/** A database that can be reached, and how to connect to it. */
interface Server extends Omit<Database, 'pool'> {
  readonly connection: PoolConfig;
}

async function connect(options: StoreOptions): Promise<Server> {
  if (options.database.kind === 'embedded') {
    const embedded = await openEmbedded(options.database.directory, (error) => options.onError?.(error));
    const connection = {
      stream: () => embedded.connect(),
      user: 'postgres',
      database: 'postgres',
      max: 1,
      idleTimeoutMillis: 0,
    };
    return { connection, embedded: true, end: () => embedded.close() };
  }
  const connection = {
    connectionString: options.database.url,
    max: options.poolSize ?? POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
  };
  await reach(new Pool({ ...connection, max: 1 }), options.database.url);
  return { connection, embedded: false, end: async () => {} };
}

async function reach(pool: Pool, url: string): Promise<void> {
  try {
    const client = await pool.connect();
    client.release();
  } catch (error) {
    const { host, port, database } = new Client({ connectionString: url });
    // The error's message may contain the URL with its password; use its code or the server's message.
    const detail = error instanceof DatabaseError ? error.message : networkReason(error);
    throw new StoreError('UNREACHABLE', `can't reach Postgres at ${host}:${port} (database ${database}): ${detail}`);
  } finally {
    await pool.end();
  }
}

function networkReason(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
