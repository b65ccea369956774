import { describe, expect, it } from 'vitest';
import { pageOf, windowOf } from '../../../src/fleet/common/paging.ts';

const rows = ['a', 'b', 'c', 'd', 'e'].map((key) => ({ key, id: `id-${key}` }));

/** Answers as a table does: the rows of the window, and one more than asked for. */
function fetch(window: ReturnType<typeof windowOf>) {
  const along = window.backward ? rows.toReversed() : rows;
  const start = window.from ? along.findIndex((row) => row.key === window.from?.key) + 1 : 0;
  return along.slice(start, start + window.size + 1);
}

function page(request: Parameters<typeof windowOf>[0]) {
  const window = windowOf(request);
  return pageOf(
    fetch(window),
    window,
    (row) => row,
    (row) => row.key,
  );
}

describe('paging', () => {
  it('walks forward over every row once', () => {
    const first = page({ first: 2 });
    expect(first.edges.map((edge) => edge.node)).toEqual(['a', 'b']);
    expect([first.hasPreviousPage, first.hasNextPage]).toEqual([false, true]);
    const second = page({ first: 3, after: first.edges.at(-1)?.cursor ?? null });
    expect(second.edges.map((edge) => edge.node)).toEqual(['c', 'd', 'e']);
    expect([second.hasPreviousPage, second.hasNextPage]).toEqual([true, false]);
  });

  it('walks backward, giving each page in the order of the whole', () => {
    const last = page({ last: 2 });
    expect(last.edges.map((edge) => edge.node)).toEqual(['d', 'e']);
    expect([last.hasPreviousPage, last.hasNextPage]).toEqual([true, false]);
    const before = page({ last: 3, before: last.edges[0]?.cursor ?? null });
    expect(before.edges.map((edge) => edge.node)).toEqual(['a', 'b', 'c']);
    expect(before.hasPreviousPage).toBe(false);
  });

  it.each([
    [{}, 'first'],
    [{ first: 1, last: 1 }, 'last'],
    [{ first: 0 }, 'first'],
    [{ first: 201 }, 'first'],
    [{ last: 1.5 }, 'last'],
    [{ first: 1, before: page({ first: 1 }).edges[0]?.cursor ?? '' }, 'before'],
    [{ first: 1, after: 'bm8' }, 'after'],
    [{ first: 1, after: Buffer.from('[1,2]').toString('base64url') }, 'after'],
  ])('refuses %j, naming the field', (request, field) => {
    expect(() => windowOf(request)).toThrow(expect.objectContaining({ code: 'VALIDATION', field: [field] }));
  });
});
