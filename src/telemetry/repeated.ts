import { sql } from 'drizzle-orm';

import type { Transaction } from '../store/index.ts';
import type { Measurement } from './mapping.ts';

/** The measurement of a device, in the order of arrival. */
export interface DeviceMeasurement {
  readonly deviceId: string;
  readonly measurement: Measurement;
}

interface Known extends Record<string, unknown> {
  readonly device_id: string;
  readonly ms: string;
  readonly metrics: string[];
}

/**
 * Removes the metrics that the device has already reported for the same time, and the measurements that are then empty:
 * a device repeats a Send whose response was lost under a new message id. There is one value per device, metric and
 * time of the device; the first one stays. A measurement without a time of the device is always new.
 */
export async function withoutRepeated<T extends DeviceMeasurement>(tx: Transaction, all: readonly T[]): Promise<T[]> {
  const supplied = all.filter(({ measurement }) => measurement.supplied);
  if (supplied.length === 0) return [...all];
  const known = await knownMetrics(tx, supplied);
  return all.flatMap((each): T[] => {
    const { deviceId, measurement } = each;
    if (!measurement.supplied) return [each];
    const key = `${deviceId}/${measurement.time}`;
    const before = known.get(key) ?? new Set<string>();
    const numericValues = unknown(measurement.numericValues, before);
    const stringValues = unknown(measurement.stringValues, before);
    const fresh = [...Object.keys(numericValues), ...Object.keys(stringValues)];
    if (fresh.length === 0) return [];
    known.set(key, new Set([...before, ...fresh]));
    return [{ ...each, measurement: { ...measurement, numericValues, stringValues } }];
  });
}

/** The metrics of the stored points, by device and time. */
async function knownMetrics(tx: Transaction, all: readonly DeviceMeasurement[]): Promise<Map<string, Set<string>>> {
  const { rows } = await tx.execute<Known>(sql`
    select p.device_id, round(extract(epoch from p.timestamp) * 1000)::bigint as ms,
      array(select jsonb_object_keys(p.numeric_values) union select jsonb_object_keys(p.string_values)) as metrics
    from (
      select distinct * from unnest(
        ${sql.param(all.map(({ deviceId }) => deviceId))}::uuid[],
        ${sql.param(all.map(({ measurement }) => new Date(measurement.time).toISOString()))}::timestamptz[]
      )) as s(device_id, at)
    join telemetry_points p on p.device_id = s.device_id and p.timestamp = s.at`);
  const known = new Map<string, Set<string>>();
  for (const { device_id, ms, metrics } of rows) {
    const key = `${device_id}/${ms}`;
    known.set(key, new Set([...(known.get(key) ?? []), ...metrics]));
  }
  return known;
}

function unknown<T>(values: Readonly<Record<string, T>>, known: ReadonlySet<string>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(values).filter(([metric]) => !known.has(metric)));
}
