import { AsyncLocalStorage } from 'node:async_hooks';

import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { escapeLiteral, type Pool } from 'pg';

import { StoreError, fromConnection, fromStatement } from './error.ts';
import { APP_ROLE, CONNECTION_SQL, SYSTEM_ROLE } from './row-security.ts';

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
  /** Runs one statement, for the readiness check. */
  ping(): Promise<void>;
  /**
   * Vacuums and analyzes the embedded database, which has no autovacuum (Postgres has). Call it after many rows were
   * deleted. Other statements wait while it runs.
   */
  maintain(): Promise<void>;
  /** Waits for running transactions, then closes. Idempotent. */
  close(): Promise<void>;
}

/** A connected database. */
export interface Database {
  readonly pool: Pool;
  /** True for PGlite, which has no autovacuum. */
  readonly embedded: boolean;
  /** Closes the database after the pool has ended. */
  end(): Promise<void>;
}

export function createStore({ pool, embedded, end }: Database): Store {
  const running = new AsyncLocalStorage<{ open: boolean }>();
  let closed: Promise<void> | undefined;

  async function transaction<T>(rights: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (running.getStore()?.open) {
      throw new StoreError('NESTED', 'a transaction was started inside a transaction: use the tx of the outer one');
    }
    const client = await pool.connect().catch(failed);
    const scope = { open: true };
    let broken: Error | undefined;
    try {
      // The simple protocol runs both statements in one round trip.
      await client.query(`begin; ${rights}`).catch(failed);
      const result = await running.run(scope, () => work(drizzle(client)));
      const { command } = await client.query('commit').catch(failed);
      // PostgreSQL answers the commit of a failed transaction with ROLLBACK, not with an error.
      if (command !== 'COMMIT') throw new StoreError('QUERY', 'a statement failed, so the transaction was rolled back');
      return result;
    } catch (error) {
      await client.query('rollback').catch((lost: Error) => (broken = lost));
      throw fromStatement(error);
    } finally {
      scope.open = false;
      client.release(broken);
    }
  }

  return {
    asTenant: (tenantId, work) => transaction(rightsOf(APP_ROLE, tenantId), work),
    asSystem: (work) => transaction(rightsOf(SYSTEM_ROLE, ''), work),
    ping: async () => void (await pool.query('select 1')),
    async maintain() {
      if (!embedded) return;
      const client = await pool.connect();
      let broken: Error | undefined;
      try {
        // Only the owner may vacuum a table.
        await client.query('reset role');
        await client.query('vacuum (analyze)');
      } finally {
        await client.query(CONNECTION_SQL).catch((lost: Error) => (broken = lost));
        client.release(broken);
      }
    },
    close: () => (closed ??= pool.end().then(end)),
  };
}

function failed(error: unknown): never {
  throw fromConnection(error);
}

/** Both settings end with the transaction, so that a connection returns to the pool without rights. */
function rightsOf(role: string, tenantId: string): string {
  return `select set_config('role', '${role}', true), set_config('app.tenant', ${escapeLiteral(tenantId)}, true)`;
}
