import { AsyncLocalStorage } from 'node:async_hooks';

import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { escapeLiteral, type Pool } from 'pg';

import { StoreError, fromStatement } from './error.ts';
import { APP_ROLE, SYSTEM_ROLE } from './row-security.ts';

/** Statements inside a transaction. A statement that failed has ended it: to go on after one, use a savepoint. */
export type Transaction = Omit<NodePgDatabase, 'transaction'>;

export interface Store {
  /**
   * Runs `work` in a transaction as one tenant: row-level security shows and takes that tenant's rows only. Commits when
   * `work` resolves, rolls back when it rejects. Nothing in `work` may start another transaction (NESTED): with the
   * embedded database's single connection it would wait for itself.
   */
  asTenant<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * As `asTenant`, over all tenants. Only for what crosses them by nature: whose token or endpoint is this, what was
   * there before the restart, what waits for the broker, what is too old.
   */
  asSystem<T>(work: (tx: Transaction) => Promise<T>): Promise<T>;
  /** One statement round to the database: what readiness asks. */
  ping(): Promise<void>;
  /**
   * Gives the space of deleted rows back and renews the planner's statistics. Postgres does that by itself; the embedded
   * database has nobody who does, so what deletes much calls this afterwards. Others wait while it runs.
   */
  maintain(): Promise<void>;
  /** Waits for running transactions, then closes. Idempotent. */
  close(): Promise<void>;
}

/** What the pool speaks to. */
export interface Database {
  readonly pool: Pool;
  /** PGlite, which has neither an autovacuum nor a process of its own. */
  readonly embedded: boolean;
  /** Closes what the pool spoke to, once the pool has ended. */
  end(): Promise<void>;
}

export function createStore({ pool, embedded, end }: Database): Store {
  const running = new AsyncLocalStorage<{ open: boolean }>();
  let closed: Promise<void> | undefined;

  async function transaction<T>(rights: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (running.getStore()?.open) {
      throw new StoreError('NESTED', 'a transaction was started inside a transaction: use the tx of the outer one');
    }
    const client = await pool.connect();
    const scope = { open: true };
    let broken: Error | undefined;
    try {
      // One round trip: the simple protocol takes both statements.
      await client.query(`begin; ${rights}`);
      const result = await running.run(scope, () => work(drizzle(client)));
      const { command } = await client.query('commit');
      // PostgreSQL answers a commit of a failed transaction with a rollback, and no error.
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
    maintain: async () => void (embedded && (await pool.query('vacuum (analyze)'))),
    close: () => (closed ??= pool.end().then(end)),
  };
}

/** Both settings end with the transaction: a connection goes back to the pool without any rights. */
function rightsOf(role: string, tenantId: string): string {
  return `select set_config('role', '${role}', true), set_config('app.tenant', ${escapeLiteral(tenantId)}, true)`;
}
