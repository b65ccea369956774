import { and, arrayContains, eq, exists, gt, ilike, inArray, lt, or, sql, type SQL } from 'drizzle-orm';
import { devices, registrations, type Transaction } from '../../store/index.ts';
import { FleetError, type Cursor, type PageWindow, isUuid } from '../common/index.ts';
import type { DeviceRow, DeviceStatus } from '../devices/index.ts';

export interface DeviceFilter {
  readonly ids?: readonly string[];
  readonly status?: readonly DeviceStatus[];
  readonly profileId?: string;
  /** Has all of these tags. */
  readonly tags?: readonly string[];
  /** Part of the endpoint or the name, case-insensitive. */
  readonly search?: string;
  /** Registered with this object. */
  readonly objectId?: number;
  readonly lastSeenBefore?: Date;
  readonly lastSeenAfter?: Date;
}

export interface DeviceOrder {
  readonly field: 'ENDPOINT' | 'NAME' | 'LAST_SEEN' | 'CREATED_AT';
  readonly direction: 'ASC' | 'DESC';
}

const MOST_NAMED = 200;

/** The filter as a condition on devices; undefined takes every device of the tenant. */
export function conditionOf(tx: Transaction, filter: DeviceFilter | undefined): SQL | undefined {
  if (!filter) return undefined;
  const { ids, status, profileId, tags, search, objectId, lastSeenBefore, lastSeenAfter } = filter;
  for (const [name, list] of Object.entries({ ids, status, tags })) {
    if (list && list.length > MOST_NAMED) {
      throw new FleetError('VALIDATION', `at most ${MOST_NAMED} ${name}`, { field: ['filter', name] });
    }
  }
  return and(
    ids && anyOf(ids.filter(isUuid), (some) => inArray(devices.id, some)),
    status && anyOf(status, (some) => inArray(devices.status, [...some])),
    profileId === undefined ? undefined : isUuid(profileId) ? eq(devices.profileId, profileId) : sql`false`,
    tags && tags.length > 0 ? arrayContains(devices.tags, tags.map(storable)) : undefined,
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

/** PostgreSQL's text has no NUL, so that nothing stored holds one: what asks for it finds nothing. */
function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}

function searched(text: string): SQL | undefined {
  const pattern = `%${storable(text).replace(/[\\%_]/g, String.raw`\$&`)}%`;
  return or(ilike(devices.endpoint, pattern), ilike(devices.name, pattern));
}

/** How pages are ordered: the sort key (never null, so that the order is total with the id) and its text in a cursor. */
interface Ordering {
  readonly key: SQL;
  readonly textOf: (row: DeviceRow) => string;
  /** The cursor's text as a value of the key; throws for what is none. */
  readonly valueOf: (text: string) => SQL;
}

const time = (text: string): SQL => {
  const date = new Date(Number(text));
  if (Number.isNaN(date.getTime())) throw new FleetError('VALIDATION', 'no cursor of this order', { field: ['after'] });
  return sql`${date.toISOString()}::timestamptz`;
};

const ORDERINGS: Readonly<Record<DeviceOrder['field'], Ordering>> = {
  ENDPOINT: { key: sql`${devices.endpoint}`, textOf: (row) => row.endpoint, valueOf: (text) => sql`${text}` },
  NAME: { key: sql`coalesce(${devices.name}, '')`, textOf: (row) => row.name ?? '', valueOf: (text) => sql`${text}` },
  LAST_SEEN: {
    key: sql`coalesce(${devices.lastSeen}, '-infinity'::timestamptz)`,
    textOf: (row) => row.lastSeen?.getTime().toString() ?? '',
    valueOf: (text) => (text === '' ? sql`'-infinity'::timestamptz` : time(text)),
  },
  CREATED_AT: {
    key: sql`${devices.createdAt}`,
    textOf: (row) => row.createdAt.getTime().toString(),
    valueOf: time,
  },
};

/** The part of a statement that fetches one page along its window, and the cursors of its rows. */
export function orderingOf(
  order: DeviceOrder,
  window: PageWindow,
): { beyond: SQL | undefined; orderBy: SQL[]; cursor: (row: DeviceRow) => Cursor } {
  const { key, textOf, valueOf } = ORDERINGS[order.field];
  const descending = (order.direction === 'DESC') !== window.backward;
  const { from } = window;
  if (from && !isUuid(from.id)) {
    const field = [window.backward ? 'before' : 'after'];
    throw new FleetError('VALIDATION', 'no cursor of devices', { field });
  }
  return {
    beyond: from
      ? sql`(${key}, ${devices.id}) ${sql.raw(descending ? '<' : '>')} (${valueOf(from.key)}, ${from.id}::uuid)`
      : undefined,
    orderBy: descending ? [sql`${key} desc`, sql`${devices.id} desc`] : [sql`${key}`, sql`${devices.id}`],
    cursor: (row) => ({ key: textOf(row), id: row.id }),
  };
}
