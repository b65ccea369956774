import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatExecuteArguments, Lwm2mError, parseExecuteArguments } from '../../../src/lwm2m/index.ts';
import { vectors } from '../codec/vectors.ts';

describe('arguments of an Execute', () => {
  it.each(vectors.execute.valid)('reads $text', ({ text, args }) => {
    expect(parseExecuteArguments(text)).toEqual(args);
    expect(parseExecuteArguments(formatExecuteArguments(args))).toEqual(args);
  });

  it.each(vectors.execute.invalid)('refuses $text: $reason', ({ text }) => {
    expect(() => parseExecuteArguments(text)).toThrow(Lwm2mError);
  });

  it('gives the offset of the error', () => {
    expect(() => parseExecuteArguments("0='a',x")).toThrow(expect.objectContaining({ offset: 6 }));
  });

  it.each<Record<string, string | null>>([
    { 10: null },
    { a: null },
    { 0: 'a b' },
    { 0: "it's" },
    { 0: 'a\\b' },
    { 0: '"' },
    { 0: 'é' },
  ])('writes no %o', (args) => {
    expect(() => formatExecuteArguments(args)).toThrow(Lwm2mError);
  });

  it('reads what it writes, for every character of the grammar', () => {
    const codes = [0x21, ...range(0x23, 0x26), ...range(0x28, 0x5b), ...range(0x5d, 0x7e)];
    const unit = fc.constantFrom(...codes.map((code) => String.fromCharCode(code)));
    const args = fc.dictionary(fc.stringMatching(/^[0-9]$/), fc.option(fc.string({ unit })), { noNullPrototype: true });
    fc.assert(
      fc.property(args, (given) => {
        expect(parseExecuteArguments(formatExecuteArguments(given))).toEqual(given);
      }),
    );
  });
});

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
