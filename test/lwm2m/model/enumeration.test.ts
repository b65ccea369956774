import { describe, expect, it } from 'vitest';
import { enumerationEntries, isComplete } from '../../../src/lwm2m/index.ts';

describe('a range that lists values', () => {
  it.each<[string, (readonly [number, string])[]]>([
    ['0: off, 1: on', [[0, 'off'], [1, 'on']]], // prettier-ignore
    ['0=off;1=on', [[0, 'off'], [1, 'on']]], // prettier-ignore
    ['0 - off 1 - on (default)', [[0, 'off'], [1, 'on (default)']]], // prettier-ignore
    ['-1: unknown\n\t\t\t255: non_responsive', [[-1, 'unknown'], [255, 'non_responsive']]], // prettier-ignore
    ['1 : ratio of 2.5 V', [[1, 'ratio of 2.5 V']]], // prettier-ignore
  ])('%j has labels', (range, labels) => {
    expect(enumerationEntries(range)).toEqual(labels.map(([low, label]) => ({ low, high: low, label })));
  });

  it('may have one label for several values', () => {
    expect(enumerationEntries('0: off, 1..9: reserved')).toEqual([
      { low: 0, high: 0, label: 'off' },
      { low: 1, high: 9, label: 'reserved' },
    ]);
  });

  it.each(['', '0..100', '0,1,2', '1 - 5', '1 to 5', 'off: 0, on: 1', '0: a, 0: b', '0:, 1: on', '16 bits'])(
    '%j has no labels',
    (range) => {
      expect(enumerationEntries(range)).toBeNull();
    },
  );

  it.each([
    ['0: off, 1: on', true],
    ['0: off, 1: on, others: reserved', false],
    ['0: off, 1: on, ...', false],
  ])('%j is complete: %s', (range, complete) => {
    expect(isComplete(enumerationEntries(range) ?? [])).toBe(complete);
  });

  it('is read in linear time', () => {
    const before = performance.now();
    enumerationEntries('0: '.repeat(5000));
    enumerationEntries(`${'1 '.repeat(8000)}:`);
    enumerationEntries(' '.repeat(16_000));
    expect(performance.now() - before).toBeLessThan(500);
  });
});
