import { createHash, randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';

import type { Clock } from '../clock.ts';
import type { TelemetryBatch } from '../fleet/index.ts';
import type { Transaction } from '../store/index.ts';
import type { Measurement } from './mapping.ts';

/** A measurement and the batch that it comes from. */
export interface Arrived {
  readonly batch: TelemetryBatch;
  readonly measurement: Measurement;
}

/** EXCHANGE_LIFETIME (RFC 7252 §4.8.2): for so long a device repeats a message at most, and does not use its ID again. */
const MESSAGE_LIFETIME_MS = 247_000;

/**
 * Gives each measurement the id of its event. A device repeats a message that was not acknowledged, also when the
 * process ended after the commit and before the acknowledgement. The id is computed from the message, so the repeated
 * message has the same ids, and what is stored under them is not stored and published again.
 *
 * The ids contain a period of time, because a device uses a message ID again after EXCHANGE_LIFETIME. Within one process
 * the CoAP layer recognizes repeated messages; so the database is asked only until the lifetime has passed since the
 * start.
 */
export class EventIds {
  readonly #clock: Clock;
  readonly #startedAt: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** Returns the measurements that are not stored yet, with their ids. */
  async assign<T extends Arrived>(
    tx: Transaction,
    arrived: readonly T[],
  ): Promise<(T & { readonly eventId: string })[]> {
    const named = arrived.map((each) => ({ ...each, eventId: eventId(each, 0) }));
    if (this.#clock.now() - this.#startedAt > MESSAGE_LIFETIME_MS) return named;
    const former = arrived.map((each) => eventId(each, 1));
    const ids = [...named.map((each) => each.eventId), ...former];
    const stored = await storedSince(tx, ids, new Date(this.#clock.now() - MESSAGE_LIFETIME_MS));
    return named.filter((each, index) => !stored.has(each.eventId) && !stored.has(former[index] ?? ''));
  }
}

/** `periodsAgo`: 1 for the id that the message got if it arrived in the period before this one. */
function eventId({ batch, measurement }: Arrived, periodsAgo: number): string {
  const { tenantId, deviceId, message, receivedAt } = batch;
  if (message === null) return randomUUID();
  const period = Math.floor(receivedAt / MESSAGE_LIFETIME_MS) - periodsAgo;
  const { supplied, time, numericValues, stringValues } = measurement;
  const content = [tenantId, deviceId, message, period, supplied ? time : null, numericValues, stringValues];
  return uuidOf(createHash('sha256').update(JSON.stringify(content)).digest());
}

/** RFC 9562 §5.8: a UUID of version 8, with bits of our own choice. */
function uuidOf(hash: Buffer): string {
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x80, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex', 0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

async function storedSince(tx: Transaction, ids: readonly string[], since: Date): Promise<ReadonlySet<string>> {
  const { rows } = await tx.execute<{ event_id: string }>(sql`
    select event_id from telemetry_points
    where event_id = any(${sql.param(ids)}::uuid[]) and received_at > ${since.toISOString()}::timestamptz`);
  return new Set(rows.map((row) => row.event_id));
}
