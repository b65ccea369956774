import { LARGEST_PAGE, type Page, type PageRequest } from '../src/fleet/index.ts';

const DEFAULT_PAGE = 50;

/** The number of items that a page may hold, for its cost. The fleet refuses a size out of range when it fetches the page. */
export function pageSize({ first, last }: PageRequest): number {
  return Math.min(first ?? last ?? DEFAULT_PAGE, LARGEST_PAGE);
}

export function pageRequest({ first, after, last, before }: PageRequest): PageRequest {
  return { first: first ?? (last == null ? DEFAULT_PAGE : null), after, last, before };
}

/** A page as a Relay connection. */
export function connection<T>({ edges, hasNextPage, hasPreviousPage }: Page<T>): {
  edges: { cursor: string; node: T }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
} {
  return {
    edges: edges.map(({ cursor, node }) => ({ cursor, node })),
    pageInfo: {
      hasNextPage,
      hasPreviousPage,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}
