import { and, eq, or } from 'drizzle-orm';
import type { ObservationRecord } from '../../lwm2m/index.ts';
import { insertRows, observations, type Store, type Transaction } from '../../store/index.ts';
import { Batcher } from '../common/index.ts';
import { rowOfObservation } from '../presence/index.ts';

/** An observation that started (`runs`) or ended. */
interface Change {
  readonly row: typeof observations.$inferInsert;
  readonly runs: boolean;
}

/**
 * Keeps the running observations in the database, so that the next start of the server continues them. One transaction
 * stores the observations that start and end at about the same time.
 */
export class ObservationRecords {
  readonly #batcher: Batcher<Change, void>;

  constructor(store: Store) {
    this.#batcher = new Batcher<Change, void>({
      lane: ({ row }) => row.tenantId,
      key: ({ row }) => `${row.deviceId} ${row.token}`,
      async run(tenantId, changes) {
        await store.asTenant(tenantId, (tx) => apply(tx, changes));
        return changes.map(() => undefined);
      },
    });
  }

  /** Stores an observation that started. Resolves when it is committed. */
  started(observation: ObservationRecord): Promise<void> {
    return this.#batcher.add({ row: rowOfObservation(observation), runs: true });
  }

  /** Deletes an observation that ended. Resolves when the deletion is committed. */
  ended(observation: ObservationRecord): Promise<void> {
    return this.#batcher.add({ row: rowOfObservation(observation), runs: false });
  }

  /** Resolves when every change added so far is stored or refused. */
  idle(): Promise<void> {
    return this.#batcher.idle();
  }
}

async function apply(tx: Transaction, changes: readonly Change[]): Promise<void> {
  const started = changes.filter(({ runs }) => runs).map(({ row }) => row);
  const ended = changes
    .filter(({ runs }) => !runs)
    .map(({ row }) => and(eq(observations.deviceId, row.deviceId), eq(observations.token, row.token)));
  await insertRows(tx, observations, started, 'keep');
  if (ended.length > 0) await tx.delete(observations).where(or(...ended));
}
