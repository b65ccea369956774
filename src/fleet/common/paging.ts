import { createHash } from 'node:crypto';
import { FleetError } from './error.ts';
import { shown } from './text.ts';

/**
 * Cursor paging (Relay): `first` with or without `after`, or `last` with or without `before`. `first` and `last`:
 * 1..200.
 */
export interface PageRequest {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

/** The most items of one page. */
export const LARGEST_PAGE = 200;

/** A checked page request: how many rows, in which direction, and after which row. */
export interface PageWindow {
  readonly size: number;
  /** True for `last`: the query reads the rows in reverse order. */
  readonly backward: boolean;
  /**
   * The page begins after this row, in the direction of the query. Null: it begins at the start (backward: at the end).
   */
  readonly from: Cursor | null;
  /** Identifies the list, its order and its filter; every cursor contains it. */
  readonly list: string;
}

/** The position of a row: its sort key, then its id. Two rows can have the same key, but not the same id. */
export interface Cursor {
  readonly key: string;
  readonly id: string;
}

/**
 * Checks a page request. `list`: the name of the list, and everything that decides what it contains and in which order.
 * Throws FleetError VALIDATION unless the request has exactly one of first and last, in 1..200; also for a cursor that
 * is invalid, belongs to the other direction, or comes from another list.
 */
export function windowOf(request: PageRequest, ...list: readonly unknown[]): PageWindow {
  const { first, last, after, before } = request;
  const size = first ?? last;
  const field = last != null ? 'last' : 'first';
  if (size == null || (first != null && last != null)) {
    throw new FleetError('VALIDATION', 'give exactly one of first and last', { field: [field] });
  }
  if (!Number.isInteger(size) || size < 1 || size > LARGEST_PAGE) {
    throw new FleetError('VALIDATION', `${field}: ${size} is not in 1..${LARGEST_PAGE}`, { field: [field] });
  }
  const backward = last != null;
  const [wanted, wantedField, other, otherField] = backward
    ? [before, 'before', after, 'after']
    : [after, 'after', before, 'before'];
  if (other != null) {
    throw new FleetError('VALIDATION', `${otherField} can't be combined with ${field}`, { field: [otherField] });
  }
  const name = nameOf(list);
  return { size, backward, from: wanted == null ? null : parseCursor(wanted, wantedField, name), list: name };
}

/** A short name of the list. Nothing depends on its secrecy: a forged cursor can only begin a page elsewhere. */
function nameOf(list: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(list, withoutNull)).digest('base64url').slice(0, 11);
}

/** The error for a cursor whose position is impossible in the list. The server made no such cursor. */
export function badCursor(backward: boolean): FleetError {
  return new FleetError('VALIDATION', 'is not a cursor of this list: use one that a page of this list returned', {
    field: [backward ? 'before' : 'after'],
  });
}

/** A condition that is null is the same as an absent one. */
function withoutNull(_key: string, value: unknown): unknown {
  return value ?? undefined;
}

function cursorOf({ key, id }: Cursor, list: string): string {
  return Buffer.from(JSON.stringify([key, id, list])).toString('base64url');
}

function parseCursor(text: string, field: string, list: string): Cursor {
  let other = false;
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(parsed) && parsed.length === 3) {
      const [key, id, from] = parsed as unknown[];
      if (typeof key === 'string' && typeof id === 'string' && !`${key}${id}`.includes('\0')) {
        if (from === list) return { key, id };
        other = typeof from === 'string';
      }
    }
  } catch {
    // Not JSON: the error below covers this too.
  }
  const why = other
    ? 'is a cursor of another list, or of this list with another order or filter: begin without a cursor'
    : 'is not a cursor: use one that a page of this list returned';
  throw new FleetError('VALIDATION', `${field}: ${shown(text)} ${why}`, { field: [field] });
}

/**
 * Makes a page from the rows of a query. The query returns up to `size + 1` rows in the direction of the window; the
 * extra row shows that there are more rows, and is not part of the page.
 */
export function pageOf<Row, Node>(
  rows: readonly Row[],
  window: PageWindow,
  cursor: (row: Row) => Cursor,
  node: (row: Row) => Node,
): Page<Node> {
  const more = rows.length > window.size;
  const kept = rows.slice(0, window.size);
  if (window.backward) kept.reverse();
  return {
    edges: kept.map((row) => ({ cursor: cursorOf(cursor(row), window.list), node: node(row) })),
    hasNextPage: window.backward ? window.from !== null : more,
    hasPreviousPage: window.backward ? more : window.from !== null,
  };
}
