import { FleetError } from './error.ts';

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

const LARGEST_PAGE = 200;

/** A checked page request: how many rows, in which direction, and after which row. */
export interface PageWindow {
  readonly size: number;
  /** True for `last`: the query reads the rows in reverse order. */
  readonly backward: boolean;
  /**
   * The page begins after this row, in the direction of the query. Null: it begins at the start (backward: at the end).
   */
  readonly from: Cursor | null;
}

/** The position of a row: its sort key, then its id. Two rows can have the same key, but not the same id. */
export interface Cursor {
  readonly key: string;
  readonly id: string;
}

/**
 * Checks a page request. Throws FleetError VALIDATION unless it has exactly one of first and last, in 1..200; also for
 * a cursor that is invalid or belongs to the other direction.
 */
export function windowOf(request: PageRequest): PageWindow {
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
  return { size, backward, from: wanted == null ? null : parseCursor(wanted, wantedField) };
}

export function cursorOf({ key, id }: Cursor): string {
  return Buffer.from(JSON.stringify([key, id])).toString('base64url');
}

function parseCursor(text: string, field: string): Cursor {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (Array.isArray(parsed) && parsed.length === 2) {
      const [key, id] = parsed as unknown[];
      if (typeof key === 'string' && typeof id === 'string' && !`${key}${id}`.includes('\0')) return { key, id };
    }
  } catch {
    // Not JSON: the error below covers this too.
  }
  throw new FleetError('VALIDATION', `${field}: invalid cursor`, { field: [field] });
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
    edges: kept.map((row) => ({ cursor: cursorOf(cursor(row)), node: node(row) })),
    hasNextPage: window.backward ? window.from !== null : more,
    hasPreviousPage: window.backward ? more : window.from !== null,
  };
}
