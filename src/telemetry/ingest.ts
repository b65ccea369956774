import { randomUUID } from 'node:crypto';

import type { Clock } from '../clock.ts';
import type { EventBus } from '../events/index.ts';
import type { TelemetryBatch, TelemetrySink } from '../fleet/index.ts';
import { deadLetters, insertRows, outbox, telemetryPoints, type Transaction } from '../store/index.ts';
import type { Counting } from './counters.ts';
import { letterOf, LetterBudget } from './dead-letters.ts';
import { deviceStatusJson, telemetryPointJson } from './event-json.ts';
import { measure, type Measured } from './mapping.ts';
import { EventIds, type Arrived } from './event-id.ts';
import type { Reading } from './metric-value.ts';
import type { TelemetryEvents, TelemetryPoint } from './point.ts';
import { withoutRepeated } from './repeated.ts';

export interface IngestOptions {
  readonly bus: EventBus<TelemetryEvents>;
  readonly clock: Clock;
  readonly counting: Counting;
  /** Called after a commit that added rows to the outbox; null: nothing is published, and the outbox stays empty. */
  readonly wakePublisher: (() => void) | null;
}

type Letter = typeof deadLetters.$inferInsert;
type Waiting = typeof outbox.$inferInsert;

/**
 * Converts the fleet's readings to points and stores them in the transaction that stores the last values, with one
 * statement per table. The ids of the outbox define the order of a device's events. They follow the order of commits,
 * because the fleet stores the readings of a tenant in one transaction after the other.
 */
export function createIngest({ bus, clock, counting, wakePublisher }: IngestOptions): TelemetrySink {
  const budget = new LetterBudget(counting);
  const ids = new EventIds(clock);
  const enqueue = async (tx: Transaction, rows: Waiting[]): Promise<void> => {
    if (wakePublisher) await insertRows(tx, outbox, rows);
  };

  return {
    async record(tx, batches) {
      const measured = batches.map((batch) => ({
        batch,
        ...measure(batch.mappings, batch.readings, batch.presumedAt),
      }));
      const arrived = measured.flatMap(({ batch, measurements }) =>
        measurements.map((measurement) => ({ deviceId: batch.deviceId, batch, measurement })),
      );
      const fresh = await withoutRepeated(tx, await ids.assign(tx, arrived));
      const points = fresh.map(pointOf);
      const letters = measured.flatMap(({ batch, refused }) => lettersOf(batch, refused));
      await insertRows(tx, telemetryPoints, points, 'keep');
      await insertRows(tx, deadLetters, budget.allowed(letters, clock.now()));
      const createdAt = new Date(clock.now());
      await enqueue(
        tx,
        points.map((point) => ({
          ...idsOf(point),
          kind: 'telemetry',
          event: telemetryPointJson(point),
          createdAt,
        })),
      );
      return () => {
        counting.points += points.length;
        counting.repeated += arrived.length - fresh.length;
        for (const { refused } of measured) for (const { reason } of refused) counting.deadLetters[reason]++;
        for (const point of points) bus.publish('telemetry', `${point.tenantId}/${point.deviceId}`, point);
        if (points.length > 0) wakePublisher?.();
      };
    },

    async enqueueStatus(tx, events) {
      const createdAt = new Date(clock.now());
      const rows = events.map((event): Waiting => {
        const eventId = randomUUID();
        return { ...idsOf({ ...event, eventId }), kind: 'status', event: deviceStatusJson(eventId, event), createdAt };
      });
      await enqueue(tx, rows);
      return () => wakePublisher?.();
    },

    async deadLetter(tx, { tenantId, deviceId, path, contentFormat, bytes, reason, receivedAt }) {
      const letter = letterOf({
        tenantId,
        deviceId,
        path,
        kind: 'payload',
        reason,
        bytes,
        contentFormat,
        receivedAt: new Date(receivedAt),
      });
      await insertRows(tx, deadLetters, budget.allowed([letter], clock.now()));
      counting.deadLetters.undecodable++;
    },
  };
}

function pointOf({ batch, measurement, eventId }: Arrived & { readonly eventId: string }): TelemetryPoint {
  const { tenantId, deviceId, receivedAt } = batch;
  const { time, numericValues, stringValues } = measurement;
  return {
    eventId,
    deviceId,
    tenantId,
    timestamp: new Date(time),
    receivedAt: new Date(receivedAt),
    numericValues,
    stringValues,
  };
}

function lettersOf({ tenantId, deviceId, receivedAt }: TelemetryBatch, refused: Measured['refused']): Letter[] {
  return refused.map(({ reading, reason }) =>
    letterOf({
      tenantId,
      deviceId,
      path: reading.path.toString(),
      kind: 'reading',
      reason,
      bytes: bytesOf(reading),
      contentFormat: null,
      receivedAt: new Date(receivedAt),
    }),
  );
}

function idsOf({ eventId, tenantId, deviceId }: Pick<TelemetryPoint, 'eventId' | 'tenantId' | 'deviceId'>) {
  return { eventId, tenantId, deviceId };
}

function bytesOf(reading: Reading): Uint8Array {
  if (reading.type === 'Opaque') return reading.value;
  if (reading.type === 'Objlnk') return Buffer.from(`${reading.value.objectId}:${reading.value.instanceId}`);
  return Buffer.from(String(reading.value));
}
