import { inArray, lt, sql } from 'drizzle-orm';
import type { BaseLogger as Log } from 'pino';

import type { Clock, Timer } from '../clock.ts';
import { deadLetters, outbox, telemetryPoints, type Store } from '../store/index.ts';
import { MOST_LETTER_BYTES, MOST_LETTERS } from './dead-letters.ts';

export interface RetentionOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  /** Days before points, dead letters and unpublished events are deleted. */
  readonly days: number;
}

/** Rows per transaction. This limits how long other transactions wait. */
const LARGEST_DELETE = 5_000;
/** The first run waits until the start is over. */
const FIRST_MS = 60_000;
const EVERY_MS = 10 * 60_000;
const DAY_MS = 24 * 3_600_000;

/** Deletes old rows and surplus dead letters every ten minutes, in small transactions. */
export class Retention {
  readonly #options: RetentionOptions;
  #timer: Timer | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  start(): void {
    this.#sweepAfter(FIRST_MS);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }

  /** Resolves when no old row is left, or when stopped. */
  async sweep(): Promise<void> {
    const { store, clock, log, days } = this.#options;
    const before = new Date(clock.now() - days * DAY_MS);
    await this.#repeat(() => deleteOldPoints(store, before));
    await this.#repeat(() => deleteOldLetters(store, before));
    await this.#repeat(() => deleteSurplusLetters(store));
    const unsent = await this.#repeat(() => deleteOldEvents(store, before));
    if (unsent > 0) log.error({ events: unsent, days }, 'deleted unpublished events that exceeded the retention time');
    if (!this.#stopped) await store.maintain();
  }

  #sweepAfter(ms: number): void {
    if (this.#stopped) return;
    const { clock, log } = this.#options;
    this.#timer = clock.after(ms, () => {
      this.#sweeping = this.sweep()
        .catch((error: unknown) => log.error({ err: error }, 'deleting old telemetry failed'))
        .then(() => this.#sweepAfter(EVERY_MS));
    });
  }

  /** Repeats a step until it deletes fewer rows than its limit; returns the number of deleted rows. */
  async #repeat(step: () => Promise<number>): Promise<number> {
    let total = 0;
    while (!this.#stopped) {
      const deleted = await step();
      total += deleted;
      if (deleted < LARGEST_DELETE) break;
    }
    return total;
  }
}

async function deleteOldPoints(store: Store, before: Date): Promise<number> {
  const { eventId, receivedAt } = telemetryPoints;
  const { rowCount } = await store.asSystem((tx) => {
    const old = tx.select({ eventId }).from(telemetryPoints).where(lt(receivedAt, before)).limit(LARGEST_DELETE);
    return tx.delete(telemetryPoints).where(inArray(eventId, old));
  });
  return rowCount ?? 0;
}

async function deleteOldLetters(store: Store, before: Date): Promise<number> {
  const { id, receivedAt } = deadLetters;
  const { rowCount } = await store.asSystem((tx) => {
    const old = tx.select({ id }).from(deadLetters).where(lt(receivedAt, before)).limit(LARGEST_DELETE);
    return tx.delete(deadLetters).where(inArray(id, old));
  });
  return rowCount ?? 0;
}

/** Deletes the oldest letters of tenants with too many letters or bytes: a faulty device must not fill the disk. */
async function deleteSurplusLetters(store: Store): Promise<number> {
  const { id, tenantId, bytes } = deadLetters;
  const { rowCount } = await store.asSystem((tx) => {
    const newest = sql`(partition by ${tenantId} order by ${id} desc)`;
    const rank = sql<number>`row_number() over ${newest}`.as('rank');
    const size = sql<number>`sum(octet_length(${bytes})) over ${newest}`.as('size');
    const ranked = tx.select({ id, rank, size }).from(deadLetters).as('ranked');
    const surplus = tx
      .select({ id: ranked.id })
      .from(ranked)
      .where(sql`${ranked.rank} > ${MOST_LETTERS} or ${ranked.size} > ${MOST_LETTER_BYTES}`)
      .limit(LARGEST_DELETE);
    return tx.delete(deadLetters).where(inArray(id, surplus));
  });
  return rowCount ?? 0;
}

async function deleteOldEvents(store: Store, before: Date): Promise<number> {
  const { id, createdAt } = outbox;
  const { rowCount } = await store.asSystem((tx) => {
    const old = tx.select({ id }).from(outbox).where(lt(createdAt, before)).limit(LARGEST_DELETE);
    return tx.delete(outbox).where(inArray(id, old));
  });
  return rowCount ?? 0;
}
