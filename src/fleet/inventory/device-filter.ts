import { and, arrayContains, eq, exists, gt, ilike, inArray, lt, or, sql, type SQL } from 'drizzle-orm';
import { devices, registrations, type Transaction } from '../../store/index.ts';
import { badCursor, FleetError, LIMITS, type Cursor, type PageWindow, isUuid, storable } from '../common/index.ts';
import type { DeviceRow, DeviceStatus } from '../devices/index.ts';

/** Selects the devices that match every given condition. An empty list selects nothing. */
export interface DeviceFilter {
  readonly ids?: readonly string[];
  readonly status?: readonly DeviceStatus[];
  readonly profileId?: string;
  /** The device has all of these tags. */
  readonly tags?: readonly string[];
  /** The endpoint or the name contains this text; upper and lower case are equal. */
  readonly search?: string;
  /** The device registered this object. */
  readonly objectId?: number;
  readonly lastSeenBefore?: Date;
  readonly lastSeenAfter?: Date;
}

/** The order of a list of devices. */
export interface DeviceOrder {
  readonly field: 'ENDPOINT' | 'NAME' | 'LAST_SEEN' | 'CREATED_AT';
  readonly direction: 'ASC' | 'DESC';
}

/** Returns the filter as a condition on devices; undefined selects every device of the tenant. */
export function conditionOf(tx: Transaction, filter: DeviceFilter | undefined): SQL | undefined {
  if (!filter) return undefined;
  const { ids, status, profileId, tags, search, objectId, lastSeenBefore, lastSeenAfter } = filter;
  for (const [name, list] of Object.entries({ ids, status, tags })) {
    if (list && list.length > LIMITS.filtered) {
      throw new FleetError(
        'VALIDATION',
        `filter.${name} must hold at most ${LIMITS.filtered} entries, not ${list.length}`,
        {
          field: ['filter', name],
        },
      );
    }
  }
  if (lastSeenAfter && lastSeenBefore && lastSeenAfter > lastSeenBefore) {
    throw new FleetError('VALIDATION', `must not be after lastSeenBefore, ${lastSeenBefore.toISOString()}`, {
      field: ['filter', 'lastSeenAfter'],
    });
  }
  return and(
    ids && anyOf(ids.filter(isUuid), (some) => inArray(devices.id, some)),
    status && anyOf(status, (some) => inArray(devices.status, [...some])),
    profileId === undefined ? undefined : isUuid(profileId) ? eq(devices.profileId, profileId) : sql`false`,
    tags && anyOf(tags, (all) => arrayContains(devices.tags, all.map(storable))),
    search ? searched(search) : undefined,
    objectId === undefined
      ? undefined
      : exists(
          tx
            .select({ one: sql`1` })
            .from(registrations)
            .where(and(eq(registrations.deviceId, devices.id), arrayContains(registrations.objectIds, [objectId]))),
        ),
    lastSeenBefore && lt(devices.lastSeen, lastSeenBefore),
    lastSeenAfter && gt(devices.lastSeen, lastSeenAfter),
  );
}

function anyOf<T>(list: readonly T[], condition: (list: T[]) => SQL): SQL {
  return list.length > 0 ? condition([...list]) : sql`false`;
}

function searched(text: string): SQL | undefined {
  const pattern = `%${storable(text).replace(/[\\%_]/g, String.raw`\$&`)}%`;
  return or(ilike(devices.endpoint, pattern), ilike(devices.name, pattern));
}

/** An order of pages. The sort key is never null, so that the key and the id together order all devices. */
interface Ordering {
  readonly key: SQL;
  readonly textOf: (row: DeviceRow) => string;
  /** Turns the key's text in a cursor into a value; throws FleetError VALIDATION if the text is invalid. */
  readonly valueOf: (text: string, backward: boolean) => SQL;
}

const time = (text: string, backward: boolean): SQL => {
  const date = new Date(Number(text));
  if (Number.isNaN(date.getTime())) throw badCursor(backward);
  return sql`${date.toISOString()}::timestamptz`;
};

const ORDERINGS: Readonly<Record<DeviceOrder['field'], Ordering>> = {
  ENDPOINT: { key: sql`${devices.endpoint}`, textOf: (row) => row.endpoint, valueOf: (text) => sql`${text}` },
  NAME: { key: sql`coalesce(${devices.name}, '')`, textOf: (row) => row.name ?? '', valueOf: (text) => sql`${text}` },
  LAST_SEEN: {
    key: sql`coalesce(${devices.lastSeen}, '-infinity'::timestamptz)`,
    textOf: (row) => row.lastSeen?.getTime().toString() ?? '',
    valueOf: (text, backward) => (text === '' ? sql`'-infinity'::timestamptz` : time(text, backward)),
  },
  CREATED_AT: {
    key: sql`${devices.createdAt}`,
    textOf: (row) => row.createdAt.getTime().toString(),
    valueOf: time,
  },
};

/** Returns the condition and the order of the statement that reads one page, and the cursor of a row. */
export function orderingOf(
  order: DeviceOrder,
  window: PageWindow,
): { beyond: SQL | undefined; orderBy: SQL[]; cursor: (row: DeviceRow) => Cursor } {
  const { key, textOf, valueOf } = ORDERINGS[order.field];
  const descending = (order.direction === 'DESC') !== window.backward;
  const { from } = window;
  if (from && !isUuid(from.id)) throw badCursor(window.backward);
  return {
    beyond: from
      ? sql`(${key}, ${devices.id}) ${sql.raw(descending ? '<' : '>')} (${valueOf(from.key, window.backward)}, ${from.id}::uuid)`
      : undefined,
    orderBy: descending ? [sql`${key} desc`, sql`${devices.id} desc`] : [sql`${key}`, sql`${devices.id}`],
    cursor: (row) => ({ key: textOf(row), id: row.id }),
  };
}
