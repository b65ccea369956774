import { and, asc, desc, eq, gte, lt, or, sql, type SQL } from 'drizzle-orm';

import {
  badCursor,
  FleetError,
  isUuid,
  pageOf,
  windowOf,
  type Actor,
  type Cursor,
  type DeviceId,
  type Page,
  type PageRequest,
  type PageWindow,
  type TenantId,
} from '../fleet/index.ts';
import { telemetryPoints, type Store } from '../store/index.ts';
import { letterPage, type DeadLetterEntry } from './letter-page.ts';
import type { TelemetryPoint } from './point.ts';

export interface HistoryFilter {
  /** Only points with at least one of these metrics, and only these metrics of each point. */
  readonly metrics?: readonly string[] | null;
  /** `from` is inclusive, `to` is exclusive. */
  readonly from?: Date | null;
  readonly to?: Date | null;
}

/** Reads stored points and dead letters, newest first. */
export interface TelemetryHistory {
  page(actor: Actor, deviceId: DeviceId, request: PageRequest, filter?: HistoryFilter): Promise<Page<TelemetryPoint>>;
  /** The readings and payloads of the device that could not be used, newest first. */
  deadLetters(actor: Actor, deviceId: DeviceId, request: PageRequest): Promise<Page<DeadLetterEntry>>;
}

type Row = typeof telemetryPoints.$inferSelect;

export function createHistory(store: Store): TelemetryHistory {
  return {
    deadLetters: (actor, deviceId, request) => letterPage(store, actor, deviceId, request),
    async page(actor, deviceId, request, filter = {}) {
      if (filter.from && filter.to && filter.from > filter.to) {
        throw new FleetError('VALIDATION', `must not be after to, ${filter.to.toISOString()}`, { field: ['from'] });
      }
      const window = windowOf(request, 'telemetry', deviceId, filter);
      const beyond = beyondOf(window);
      const rows = isUuid(deviceId)
        ? await store.asTenant(actor.tenantId, (tx) =>
            tx
              .select()
              .from(telemetryPoints)
              .where(and(eq(telemetryPoints.deviceId, deviceId), ...conditions(filter), beyond))
              .orderBy(...orderOf(window))
              .limit(window.size + 1),
          )
        : [];
      return pageOf(rows, window, cursorOf, (row) => pointOf(row, filter.metrics ?? null));
    },
  };
}

function conditions({ metrics, from, to }: HistoryFilter): (SQL | undefined)[] {
  const { timestamp, numericValues, stringValues } = telemetryPoints;
  return [
    from ? gte(timestamp, from) : undefined,
    to ? lt(timestamp, to) : undefined,
    metrics
      ? or(sql`${numericValues} ?| ${sql.param([...metrics])}`, sql`${stringValues} ?| ${sql.param([...metrics])}`)
      : undefined,
  ];
}

/** Newest first; a backward page is read oldest first. */
function orderOf({ backward }: PageWindow): SQL[] {
  const direction = backward ? asc : desc;
  return [direction(telemetryPoints.timestamp), direction(telemetryPoints.eventId)];
}

/** Selects the points after the cursor, in the direction of the window. Throws VALIDATION for an invalid cursor. */
function beyondOf({ from, backward }: PageWindow): SQL | undefined {
  if (from === null) return undefined;
  const time = new Date(from.key);
  if (Number.isNaN(time.getTime()) || !isUuid(from.id)) {
    throw badCursor(backward);
  }
  const { timestamp, eventId } = telemetryPoints;
  const here = sql`(${sql.param(time, timestamp)}, ${from.id}::uuid)`;
  return backward ? sql`(${timestamp}, ${eventId}) > ${here}` : sql`(${timestamp}, ${eventId}) < ${here}`;
}

function cursorOf({ timestamp, eventId }: Row): Cursor {
  return { key: timestamp.toISOString(), id: eventId };
}

function pointOf(row: Row, metrics: readonly string[] | null): TelemetryPoint {
  return {
    eventId: row.eventId,
    deviceId: row.deviceId as DeviceId, // the store keeps ids without their brands
    tenantId: row.tenantId as TenantId,
    timestamp: row.timestamp,
    receivedAt: row.receivedAt,
    numericValues: only(row.numericValues, metrics),
    stringValues: only(row.stringValues, metrics),
  };
}

function only<T>(values: Readonly<Record<string, T>>, metrics: readonly string[] | null): Readonly<Record<string, T>> {
  if (metrics === null) return values;
  return Object.fromEntries(Object.entries(values).filter(([metric]) => metrics.includes(metric)));
}
