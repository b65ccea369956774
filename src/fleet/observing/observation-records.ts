import { and, eq, or } from 'drizzle-orm';
import type { ObservationRecord } from '../../lwm2m/index.ts';
import { insertRows, observations, type Store, type Transaction } from '../../store/index.ts';
import { Batcher } from '../common/index.ts';
import { rowOfObservation } from '../presence/index.ts';

interface Change {
  readonly row: typeof observations.$inferInsert;
  readonly runs: boolean;
}

/** The observations that run, for the next start to take up: what begins and ends at once is stored together. */
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

  /** Resolves when it is committed. */
  started(observation: ObservationRecord): Promise<void> {
    return this.#batcher.add({ row: rowOfObservation(observation), runs: true });
  }

  /** Resolves when it is committed. */
  ended(observation: ObservationRecord): Promise<void> {
    return this.#batcher.add({ row: rowOfObservation(observation), runs: false });
  }

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
