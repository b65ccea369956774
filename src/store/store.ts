import { AsyncLocalStorage } from 'node:async_hooks';

import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { escapeLiteral, type Client, type Pool, type QueryConfig, type PoolClient } from 'pg';

import type { Clock } from '../clock.ts';
import { within } from './deadline.ts';
import { StoreError, fromConnection, fromStatement } from './error.ts';
import { TOO_MANY_CONNECTIONS } from './postgres.ts';
import type { RoleNames } from './roles.ts';

/** Runs statements in a transaction. A failed statement ends the transaction: to continue, use a savepoint. */
export type Transaction = Omit<NodePgDatabase, 'transaction'>;

export interface Store {
  /**
   * Runs `work` in a transaction of one tenant: row-level security lets it read and write only that tenant's rows.
   * Commits when `work` resolves, rolls back when it rejects. `work` must not start another transaction (NESTED): with
   * the single connection of the embedded database it would wait for itself.
   */
  asTenant<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Like `asTenant`, but for all tenants. Use it only for work that concerns all of them: finding the tenant of a token
   * or an endpoint, restoring state after a restart, sending to the broker, deleting old rows.
   */
  asSystem<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** Runs one statement, for the readiness check. Rejects after PING_MS at the latest. */
  ping(): Promise<void>;
  /**
   * Vacuums and analyzes the embedded database, which has no autovacuum (Postgres has). Call it after many rows were
   * deleted. Other statements wait while it runs.
   */
  maintain(): Promise<void>;
  /** Values for the metrics. */
  snapshot(): StoreSnapshot;
  /** Waits for running transactions, at most CLOSE_MS on Postgres, then closes. Idempotent. */
  close(): Promise<void>;
}

export interface StoreSnapshot {
  /** Connections now: open ones, those of them without a transaction, and callers that wait for one. */
  readonly connections: { readonly open: number; readonly idle: number; readonly waiting: number };
  /** Connections that broke or did not answer in time. */
  readonly lost: number;
  /** How often Postgres refused a connection because it has no more; the caller then waited. */
  readonly refused: number;
}

/** A connected and migrated database. */
export interface Database {
  readonly pool: Pool;
  readonly clock: Clock;
  readonly roles: RoleNames;
  /** Gives a connection its settings and takes its rights away. */
  readonly connectSql: string;
  /** The settings of each transaction, where a connection can't keep them; else null. */
  readonly transactionSql: string | null;
  /** True for PGlite, which has no autovacuum. */
  readonly embedded: boolean;
  /** Closes the database after the pool has ended. */
  end(): Promise<void>;
}

/** The readiness check must answer soon, whatever the database does. */
const PING_MS = 1_500;
/** A connection whose server has stopped never confirms its end. */
const CLOSE_MS = 3_000;
/** How long a caller waits while Postgres allows no more connections; the others return theirs meanwhile. */
const BUSY_MS = 10_000;
const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 500;
/** A large database takes minutes. */
const VACUUM: QueryConfig & { query_timeout: number } = { text: 'vacuum (analyze)', query_timeout: 600_000 };

export function createStore(database: Database): Store {
  const { pool, clock, roles, connectSql, transactionSql, embedded, end } = database;
  const running = new AsyncLocalStorage<{ open: boolean }>();
  const counts = { lost: 0, refused: 0 };
  let closed: Promise<void> | undefined;

  // `pg` reports a broken connection as an event too. Without a listener, the event would end the process.
  const clients = new Set<PoolClient>();
  pool.on('connect', (client) => clients.add(client.on('error', () => void counts.lost++)));
  pool.on('remove', (client) => clients.delete(client));

  async function connection(): Promise<PoolClient> {
    const until = clock.now() + BUSY_MS;
    for (let delay = FIRST_RETRY_MS; ; delay = Math.min(2 * delay, LONGEST_RETRY_MS)) {
      try {
        return await pool.connect();
      } catch (error) {
        const failure = fromConnection(error);
        if (failure.sqlState !== TOO_MANY_CONNECTIONS) throw failure;
        counts.refused++;
        if (clock.now() + delay > until) {
          throw new StoreError('BUSY', `Postgres has no connection left: ${failure.message}`, {
            sqlState: TOO_MANY_CONNECTIONS,
          });
        }
        await new Promise<void>((resolve) => clock.after(delay, resolve));
      }
    }
  }

  async function transaction<T>(rights: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (running.getStore()?.open) {
      throw new StoreError('NESTED', 'a transaction was started inside a transaction: use the tx of the outer one');
    }
    const client = await connection();
    const scope = { open: true };
    let broken: Error | undefined;
    try {
      // The simple protocol runs all statements in one round trip.
      const begin = ['begin', transactionSql, rights].filter((statement) => statement !== null);
      await client.query(begin.join('; ')).catch(failed);
      const result = await running.run(scope, () => work(drizzle(client)));
      const { command } = await client.query('commit').catch(failed);
      // PostgreSQL answers the commit of a failed transaction with ROLLBACK, not with an error.
      if (command !== 'COMMIT') throw new StoreError('QUERY', 'a statement failed, so the transaction was rolled back');
      return result;
    } catch (error) {
      const failure = fromStatement(error);
      if (failure instanceof StoreError && failure.code === 'LOST') {
        // A rollback would wait for its own deadline on a connection that does not answer.
        broken = failure;
      } else {
        await client.query('rollback').catch((lost: Error) => (broken = lost));
      }
      throw failure;
    } finally {
      scope.open = false;
      client.release(broken);
    }
  }

  async function endPool(): Promise<void> {
    if (embedded) return pool.end();
    await within(clock, CLOSE_MS, () => pool.end()).catch(() => clients.forEach(destroy));
  }

  return {
    asTenant: (tenantId, work) => transaction(rightsOf(roles.app, tenantId), work),
    asSystem: (work) => transaction(rightsOf(roles.system, ''), work),
    ping: async () => void (await within(clock, PING_MS, () => pool.query('select 1')).catch(failed)),
    async maintain() {
      if (!embedded) return;
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        // Only the owner may vacuum a table.
        await client.query('reset role');
        await client.query(VACUUM);
      } finally {
        await client.query(connectSql).catch((lost: Error) => (broken = lost));
        client.release(broken);
      }
    },
    snapshot: () => ({
      connections: { open: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount },
      ...counts,
    }),
    close: () => (closed ??= endPool().then(end)),
  };
}

/** Ends a connection without the goodbye that its server would have to confirm. */
function destroy(client: PoolClient): void {
  (client as PoolClient & Client).connection.stream.destroy(); // a pool's clients are Clients
}

function failed(error: unknown): never {
  throw fromConnection(error);
}

/** Both settings end with the transaction, so that a connection returns to the pool without rights. */
function rightsOf(role: string, tenantId: string): string {
  return `select set_config('role', ${escapeLiteral(role)}, true), set_config('app.tenant', ${escapeLiteral(tenantId)}, true)`;
}
