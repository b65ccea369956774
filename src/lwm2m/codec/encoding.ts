import { Lwm2mError } from '../error.ts';
import type { Path } from '../path.ts';
import { checkedValue } from '../value.ts';
import type { TypedValue } from '../value.ts';
import { contentFormatName } from './content-format.ts';
import { FIRST_ABSOLUTE_TIME } from './time.ts';

/** A value at its place, and when it was measured, in seconds since the Unix epoch (absent or null: not said). */
export interface TimedValue {
  readonly path: Path;
  readonly value: TypedValue;
  readonly time?: number | null;
}

/** What a Write-Composite says of a place; null deletes the resource instance (Core 1.2 §6.3.9). */
export interface CompositeValue {
  readonly path: Path;
  readonly value: TypedValue | null;
  readonly time?: number | null;
}

/** The values in the ranges of their types; throws INVALID_VALUE, and INVALID_PATH for what is no resource. */
export function checkedValues<V extends CompositeValue>(values: readonly V[]): readonly V[] {
  return values.map((entry) => {
    if (entry.path.resourceId === null) throw new Lwm2mError('INVALID_PATH', `${entry.path} holds no value itself`);
    return entry.value === null ? entry : { ...entry, value: checkedValue(entry.value) };
  });
}

/** For formats whose payload lies below the request path. Throws INVALID_PATH. */
export function checkInside(path: Path, places: readonly Path[]): void {
  const outside = places.find((place) => !path.contains(place));
  if (outside !== undefined) throw new Lwm2mError('INVALID_PATH', `${outside} is not in ${path}`);
}

/** For formats without times. Throws UNSUPPORTED_FORMAT rather than lose one. */
export function checkUntimed(contentFormat: number, values: readonly CompositeValue[]): void {
  const timed = values.find(({ time }) => (time ?? null) !== null);
  if (timed !== undefined) {
    throw new Lwm2mError(
      'UNSUPPORTED_FORMAT',
      `${contentFormatName(contentFormat)} can't say when ${timed.path} was measured`,
    );
  }
}

/** Each place (at each time) once. Throws INVALID_ARGUMENT. */
export function checkOnce(values: readonly CompositeValue[]): void {
  const seen = new Set<string>();
  for (const { path, time } of values) {
    const key = `${path}@${time ?? null}`;
    if (seen.has(key)) throw new Lwm2mError('INVALID_ARGUMENT', `${path} is given twice`);
    seen.add(key);
  }
}

/** A time that SenML and LwM2M JSON say as it is: below 2^28 it would count from now. Throws UNSUPPORTED_FORMAT. */
export function checkedTime(time: number): number {
  if (Number.isFinite(time) && time >= FIRST_ABSOLUTE_TIME) return time;
  throw new Lwm2mError('UNSUPPORTED_FORMAT', `no format can say that a value was measured at ${time} s`);
}

/** `/3/0/` where every place lies in one instance of the device itself; undefined where they don't. */
export function commonInstance(places: readonly Path[]): string | undefined {
  const [first] = places;
  if (first === undefined || places.length < 2 || first.instanceId === null || first.prefix !== null) return undefined;
  const instance = first.cut(2);
  return places.every((place) => instance.contains(place)) ? `${instance}/` : undefined;
}
