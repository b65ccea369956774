import { describe, expect, it } from 'vitest';
import { compare, mutationOf, type MutantResult } from '../../scripts/mutation/survivors.ts';

const CONTENT = ['function positive(n: number) {', '  if (n > 0) {', '    return true;', '  }', '}', ''].join('\n');

function mutant(start: [number, number], end: [number, number], replacement: string): MutantResult {
  return {
    id: '1',
    fileName: 'a.ts',
    mutatorName: 'any',
    status: 'Survived',
    replacement,
    location: { start: { line: start[0], column: start[1] }, end: { line: end[0], column: end[1] } },
  };
}

const condition = { line: 'if (n > 0) {', original: 'n > 0', replacement: 'n >= 0' };
const block = { line: 'if (n > 0) {', original: '{ return true; }', replacement: '{}' };

describe('a mutant', () => {
  it('is described by its source line, its text and its replacement', () => {
    expect(mutationOf(mutant([2, 7], [2, 12], 'n >= 0'), CONTENT)).toEqual(condition);
  });

  it('that covers several lines is described on one', () => {
    expect(mutationOf(mutant([2, 14], [4, 4], '{}'), CONTENT)).toEqual(block);
  });
});

describe('the comparison of survivors with their explanations', () => {
  const explanations = [{ file: 'a.ts', reason: 'both are alike', mutants: [condition] }];
  const mutated = new Set(['a.ts']);

  it('finds the explanation of a survivor by its text', () => {
    const survivor = { file: 'a.ts', ...condition };
    expect(compare([survivor], explanations, mutated)).toEqual({
      explained: [survivor],
      unexplained: [],
      outdated: [],
    });
  });

  it.each([
    ['another file', { file: 'b.ts', ...condition }],
    ['another line', { file: 'a.ts', ...condition, line: 'while (n > 0) {' }],
    ['another text', { file: 'a.ts', ...condition, original: 'n > 00' }],
    ['another replacement', { file: 'a.ts', ...condition, replacement: 'n <= 0' }],
  ])('finds none for %s, and calls the entry outdated', (_what, survivor) => {
    expect(compare([survivor], explanations, mutated)).toEqual({
      explained: [],
      unexplained: [survivor],
      outdated: [{ file: 'a.ts', ...condition }],
    });
  });

  it('explains one of two survivors that look alike by one entry', () => {
    const survivor = { file: 'a.ts', ...condition };
    expect(compare([survivor, survivor], explanations, mutated)).toEqual({
      explained: [survivor],
      unexplained: [survivor],
      outdated: [],
    });
  });

  it('does not call an entry outdated when its file was not mutated', () => {
    expect(compare([], explanations, new Set(['b.ts'])).outdated).toEqual([]);
  });
});
