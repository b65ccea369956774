import { isDeepStrictEqual } from 'node:util';
import { FleetError } from './error.ts';

/** When people last changed a row, as the row stores it. */
export interface EditTimes {
  /** Strictly increases with each edit, so that no two states of a row have the same time. */
  readonly updatedAt: Date;
  /** The time of the last change of each field, as ISO 8601; a field that was never changed is absent. */
  readonly fieldTimes: unknown;
}

/** The error of an edit of a row that has been changed, or deleted, since the caller read it. */
export function staleEdit(message: string, changed: readonly string[], updatedAt: Date | null): FleetError {
  return new FleetError('CONFLICT', message, { field: ['ifUpdatedAt'], stale: { changed, updatedAt } });
}

/**
 * Throws CONFLICT unless `ifUpdatedAt` is the time of the row's last change. Absent or null: every edit is
 * accepted. Call it while the row is locked. `what` is the subject of the message: `the device`.
 */
export function checkNotStale(what: string, present: EditTimes, ifUpdatedAt: Date | null | undefined): void {
  if (ifUpdatedAt == null || ifUpdatedAt.getTime() === present.updatedAt.getTime()) return;
  // The column contains what `nextEdit` made.
  const times = Object.entries(present.fieldTimes as Record<string, string>);
  const changed = times.filter(([, time]) => Date.parse(time) > ifUpdatedAt.getTime()).map(([name]) => name);
  const fields = changed.length === 0 ? '' : ` (changed: ${changed.join(', ')})`;
  throw staleEdit(
    `${what} was last changed at ${present.updatedAt.toISOString()}${fields}, not at the ifUpdatedAt ${ifUpdatedAt.toISOString()}: read it again, then repeat the edit`,
    changed,
    present.updatedAt,
  );
}

/** The names of the fields in `next` whose values differ from those of `present`. */
export function changedFields<T extends object>(present: T, next: Partial<T>): (keyof T & string)[] {
  // The cast is safe: these are keys of `next`.
  const names = Object.keys(next) as (keyof T & string)[];
  return names.filter((name) => !isDeepStrictEqual(present[name], next[name]));
}

/** The times of the row after a change of these fields at `now` (milliseconds since 1970). */
export function nextEdit(present: EditTimes, changed: readonly string[], now: number): EditTimes {
  const updatedAt = laterThan(present.updatedAt, now);
  const times = Object.fromEntries(changed.map((name) => [name, updatedAt.toISOString()]));
  return { updatedAt, fieldTimes: { ...(present.fieldTimes as object), ...times } };
}

/** `now`, or one millisecond after `previous` if that is later. */
export function laterThan(previous: Date, now: number): Date {
  return new Date(Math.max(now, previous.getTime() + 1));
}
