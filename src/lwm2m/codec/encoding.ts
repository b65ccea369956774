import { Lwm2mError } from '../error.ts';
import type { Path } from '../path.ts';
import { checkedValue } from '../value.ts';
import type { TypedValue } from '../value.ts';
import { contentFormatName } from './content-format.ts';
import { FIRST_ABSOLUTE_TIME } from './time.ts';

/** A value with its path and its time of measurement in seconds since the Unix epoch (absent or null: not given). */
export interface TimedValue {
  readonly path: Path;
  readonly value: TypedValue;
  readonly time?: number | null;
}

/** A value of a Write-Composite; null deletes the resource instance (Core 1.2 §6.3.9). */
export interface CompositeValue {
  readonly path: Path;
  readonly value: TypedValue | null;
  readonly time?: number | null;
}

/** Checks each value against its type (INVALID_VALUE) and that its path is one of a resource (INVALID_PATH). */
export function checkedValues<V extends CompositeValue>(values: readonly V[]): readonly V[] {
  return values.map((entry) => {
    if (entry.path.resourceId === null)
      throw new Lwm2mError('INVALID_PATH', `${entry.path} can't have a value: it is not the path of a resource`);
    return entry.value === null ? entry : { ...entry, value: checkedValue(entry.value) };
  });
}

/** Throws INVALID_PATH when a path is outside the request path. */
export function checkInside(path: Path, places: readonly Path[]): void {
  const outside = places.find((place) => !path.contains(place));
  if (outside !== undefined) throw new Lwm2mError('INVALID_PATH', `${outside} is not at or below ${path}`);
}

/** For formats without times: throws UNSUPPORTED_FORMAT when a value has a time, so that no time is lost. */
export function checkUntimed(contentFormat: number, values: readonly CompositeValue[]): void {
  const timed = values.find(({ time }) => (time ?? null) !== null);
  if (timed !== undefined) {
    throw new Lwm2mError(
      'UNSUPPORTED_FORMAT',
      `${contentFormatName(contentFormat)} can't carry the time of ${timed.path}`,
    );
  }
}

/** Throws INVALID_ARGUMENT when a path appears twice with the same time. */
export function checkOnce(values: readonly CompositeValue[]): void {
  const seen = new Set<string>();
  for (const { path, time } of values) {
    const key = `${path}@${time ?? null}`;
    if (seen.has(key)) throw new Lwm2mError('INVALID_ARGUMENT', `${path} appears twice`);
    seen.add(key);
  }
}

/** Checks that SenML and LwM2M JSON can carry the time: below 2^28 it would be relative. Throws UNSUPPORTED_FORMAT. */
export function checkedTime(time: number): number {
  if (Number.isFinite(time) && time >= FIRST_ABSOLUTE_TIME) return time;
  throw new Lwm2mError(
    'UNSUPPORTED_FORMAT',
    `no content format can carry the time ${time}: it must be at least ${FIRST_ABSOLUTE_TIME} s`,
  );
}

/** The base name, such as `/3/0/`, when all paths are in one instance of the device itself; else undefined. */
export function commonInstance(places: readonly Path[]): string | undefined {
  const [first] = places;
  if (first === undefined || places.length < 2 || first.instanceId === null || first.prefix !== null) return undefined;
  const instance = first.cut(2);
  return places.every((place) => instance.contains(place)) ? `${instance}/` : undefined;
}
