import { decode as cbor2Decode, encode as cbor2Encode, Tag } from 'cbor2';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCbor } from '../../../src/lwm2m/codec/cbor-reader.ts';
import { CborWriter } from '../../../src/lwm2m/codec/cbor-writer.ts';
import type { Item } from '../../../src/lwm2m/codec/item.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));

/** Converts an item to the value that cbor2 returns. */
function plain(item: Item): unknown {
  switch (item.kind) {
    case 'array':
      return item.items.map(plain);
    case 'map':
      return new Map(item.entries.map(([key, value]) => [plain(key), plain(value)]));
    case 'null':
      return null;
    case 'other':
      return undefined;
    default:
      return item.value;
  }
}

const value = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc
      .bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n })
      .map((big) => (Number.isSafeInteger(Number(big)) ? Number(big) : big)),
    fc.double({ noNaN: true }).map((number) => number + 0),
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .uniqueArray(fc.tuple(fc.oneof(fc.integer(), fc.string()), tie('value')), {
        selector: ([key]) => key,
        maxLength: 5,
      })
      .map((entries) => new Map(entries)),
  ),
})).value;

describe('the CBOR reader', () => {
  it('reads what cbor2 writes', () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(plain(readCbor(cbor2Encode(given)))).toEqual(given);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads the numbers, dates and fractions that cbor2 tags', () => {
    expect(plain(readCbor(cbor2Encode(new Tag(1, 1_367_491_215))))).toBe(1_367_491_215);
    expect(plain(readCbor(cbor2Encode(new Tag(0, '2013-05-02T10:40:15Z'))))).toBe(1_367_491_215);
    expect(plain(readCbor(cbor2Encode(new Tag(4, [-1, 45]))))).toBe(4.5);
    expect(plain(readCbor(cbor2Encode(new Tag(4, [2, 45]))))).toBe(4500);
  });

  it.each([
    ['f97c00', Infinity],
    ['f90001', 2 ** -24],
    ['f97bff', 65_504],
    ['f98000', -0],
    ['fa7f7fffff', 3.4028234663852886e38],
    ['1b0000000000000001', 1],
    ['3bffffffffffffffff', -(2n ** 64n)],
    ['c240', 0],
    ['c24a00000000000000000100', 256],
    ['c34a000000000000000000ff', -256],
    ['c48220182d', 4.5],
    ['7f61736174ff', 'st'],
    ['7f6060ff', ''],
    ['5f4101420203ff', new Uint8Array([1, 2, 3])],
    ['5fff', new Uint8Array()],
    ['c1fb41d452d9e2200000', 1_363_896_200],
    ['c074323031332d30332d32315432303a30343a30305a', 1_363_896_240],
    ['bf0102ff', new Map([[1, 2]])],
    ['f7', undefined],
    ['d82548aabbccddeeff0011', undefined],
  ])('reads %s', (hex, expected) => {
    expect(plain(readCbor(bytes(hex)))).toEqual(expected);
  });

  it.each([
    ['', 'nothing'],
    ['0000', 'a second item'],
    ['1c', 'reserved additional information'],
    ['1f', 'an indefinite integer'],
    ['df00ff', 'an indefinite tag'],
    ['7f6161', 'chunks without an end'],
    ['7f7f6161ffff', 'chunks in chunks'],
    ['7f4161ff', 'a chunk of bytes in a text'],
    ['7f61c361a9ff', 'a character split by chunks'],
    ['bf01ff', 'a key without a value'],
    ['a101', 'a map cut short'],
    ['f800', 'a simple value in two bytes that fits one'],
    ['c26161', 'a bignum of text'],
    ['c249010000000000000000', 'a bignum of 65 bits'],
    ['c48101', 'a fraction of one number'],
    ['c4821903e91a00', 'a fraction cut short'],
    ['c4821a0001000001', 'a fraction without end'],
    ['c07131', 'a date cut short'],
    ['c06131', 'an invalid date'],
    ['c16131', 'an epoch time of text'],
    ['63c328', 'a text cut short'],
    ['62c328', 'invalid UTF-8'],
  ])('refuses %s: %s', (hex, what) => {
    expect(() => readCbor(bytes(hex)), what).toThrow(expect.objectContaining({ code: 'INVALID_PAYLOAD' }));
  });
});

describe('the CBOR writer', () => {
  it('writes the shortest form, which cbor2 can read', () => {
    const integer = fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(integer, (big) => {
        const written = new CborWriter().integer(big).finish();
        expect(BigInt(cbor2Decode<number | bigint>(written))).toBe(big);
        expect(written).toEqual(cbor2Encode(Number.isSafeInteger(Number(big)) ? Number(big) : big));
      }),
    );
    fc.assert(
      fc.property(
        fc.double({ noNaN: true }),
        fc.string({ unit: 'binary', maxLength: 600 }),
        fc.uint8Array(),
        (float, text, octets) => {
          const written = new CborWriter()
            .array(6)
            .float(float)
            .text(text)
            .bytes(octets)
            .boolean(true)
            .null()
            .map(0)
            .finish();
          expect(cbor2Decode(written)).toEqual([float, text, octets, true, null, {}]);
        },
      ),
    );
  });

  it('grows with its content', () => {
    const writer = new CborWriter().array(1000);
    for (let index = 0; index < 1000; index += 1) writer.text('x'.repeat(100));
    expect(cbor2Decode(writer.finish())).toEqual(Array.from({ length: 1000 }, () => 'x'.repeat(100)));
  });
});
