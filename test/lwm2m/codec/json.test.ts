import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Item } from '../../../src/lwm2m/codec/item.ts';
import { readJson } from '../../../src/lwm2m/codec/json-reader.ts';

/** Converts an item to the value that JSON.parse returns. */
function plain(item: Item): unknown {
  switch (item.kind) {
    case 'array':
      return item.items.map(plain);
    case 'map':
      return Object.fromEntries(item.entries.map(([key, value]) => [plain(key), plain(value)]));
    case 'null':
      return null;
    case 'integer':
    case 'float':
      return Number(item.value);
    case 'text':
    case 'boolean':
      return item.value;
    default:
      throw new Error(`JSON has no ${item.kind}`);
  }
}

function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch {
    return 'refused';
  }
}

describe('the JSON reader', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6, stringUnit: 'binary' }), fc.constantFrom(0, 1, 2), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(plain(readJson(spaced))).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  it('accepts and refuses the same texts as JSON.parse', () => {
    const piece = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '"a"',
      '\\n',
      '\\u00e9',
      '\\x',
      '1',
      '-',
      '.5',
      '0',
      'e3',
      'true',
      'nul',
      'null',
      ' ',
      '\t',
      '\u0001',
      'NaN',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        expect(outcome(() => plain(readJson(text)))).toEqual(outcome(() => JSON.parse(text) as unknown));
      }),
      { numRuns: 10_000 },
    );
  });

  it.each([
    ['9007199254740993', 9_007_199_254_740_993n],
    ['-9223372036854775808', -(2n ** 63n)],
    ['18446744073709551615', 2n ** 64n - 1n],
    ['18446744073709551615.0', 2n ** 64n - 1n],
    ['9.223372036854775807e18', 2n ** 63n - 1n],
    ['1e400', Infinity],
    ['1e3', 1000],
    ['123456789012345678901', 123456789012345680000],
    ['1e-400', 0],
  ])('keeps %s exact when it fits 64 bits', (text, value) => {
    expect(readJson(text)).toMatchObject({ value });
  });

  it.each(['"\\ud800"', '"\\udc00\\ud800"', `${'['.repeat(18)}${']'.repeat(18)}`, '\ufeff1', ''])(
    'refuses %j',
    (text) => {
      expect(() => readJson(text)).toThrow(expect.objectContaining({ code: 'INVALID_PAYLOAD' }));
    },
  );
});
