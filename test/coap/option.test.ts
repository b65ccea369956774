import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blockAt, blockOption, readBlock } from '../../src/coap/block.ts';
import { NO_BYTES, type MessageOption } from '../../src/coap/message.ts';
import {
  optionNumbers,
  readRequestOptions,
  readResponseOptions,
  readUint,
  stringOption,
  uintOption,
} from '../../src/coap/option.ts';

const opaque = (number: number, ...value: number[]): MessageOption => ({ number, value: Uint8Array.from(value) });

describe('options of a request', () => {
  it('are read into named fields', () => {
    const options = readRequestOptions([
      stringOption(optionNumbers.uriHost, 'example.org'),
      uintOption(optionNumbers.observe, 0),
      uintOption(optionNumbers.uriPort, 5683),
      stringOption(optionNumbers.uriPath, 'rd'),
      stringOption(optionNumbers.uriPath, 'ä/ü'),
      uintOption(optionNumbers.contentFormat, 11542),
      stringOption(optionNumbers.uriQuery, 'ep=urn:x'),
      stringOption(optionNumbers.uriQuery, 'Q'),
      uintOption(optionNumbers.accept, 112),
      uintOption(optionNumbers.block2, 0x06),
      uintOption(optionNumbers.block1, 0x1e),
      uintOption(optionNumbers.size1, 70_000),
      uintOption(optionNumbers.noResponse, 2),
      opaque(optionNumbers.requestTag, 1, 2),
    ]);
    expect(options).toEqual({
      path: ['rd', 'ä/ü'],
      query: ['ep=urn:x', 'Q'],
      contentFormat: 11542,
      accept: 112,
      observe: 0,
      block1: 0x1e,
      block2: 0x06,
      size1: 70_000,
      requestTag: Uint8Array.of(1, 2),
      noResponse: 2,
      proxied: false,
    });
  });

  it('distinguish an absent option from one that is zero', () => {
    expect(readRequestOptions([])).toMatchObject({ contentFormat: null, accept: null, observe: null, block1: null });
    expect(readRequestOptions([uintOption(optionNumbers.contentFormat, 0)])).toMatchObject({ contentFormat: 0 });
  });

  it.each([
    ['an unknown critical option', opaque(65_001)],
    ['OSCORE, whose protection would be ignored', opaque(optionNumbers.oscore, 9)],
    ['If-Match, whose condition would be ignored', opaque(optionNumbers.ifMatch, 1)],
    ['If-None-Match', opaque(optionNumbers.ifNoneMatch)],
    ['an Accept of three bytes', opaque(optionNumbers.accept, 1, 2, 3)],
    ['a Block1 of four bytes', opaque(optionNumbers.block1, 1, 2, 3, 4)],
    ['a Uri-Path of 256 bytes', { number: optionNumbers.uriPath, value: new Uint8Array(256).fill(0x61) }],
    ['a Uri-Query that is not UTF-8', opaque(optionNumbers.uriQuery, 0x65, 0x70, 0x3d, 0xff)],
  ])('are refused for %s', (_name, option) => {
    expect(readRequestOptions([option])).toEqual({ unrecognized: option.number });
  });

  it('are refused for a repeated critical option that is not repeatable', () => {
    const accept = uintOption(optionNumbers.accept, 110);
    expect(readRequestOptions([accept, accept])).toEqual({ unrecognized: optionNumbers.accept });
  });

  it('ignore elective options that are unknown, too long or repeated', () => {
    const options = readRequestOptions([
      uintOption(optionNumbers.contentFormat, 40),
      uintOption(optionNumbers.contentFormat, 60),
      opaque(optionNumbers.size1, 1, 2, 3, 4, 5),
      opaque(65_000, 1),
    ]);
    expect(options).toMatchObject({ contentFormat: 40, size1: null });
  });

  it('keep a character that really is U+FFFD', () => {
    expect(readRequestOptions([stringOption(optionNumbers.uriPath, '\uFFFD')])).toMatchObject({ path: ['\uFFFD'] });
  });

  it('include whether the request is for a proxy', () => {
    const options = [stringOption(optionNumbers.proxyUri, 'coap://elsewhere/')];
    expect(readRequestOptions(options)).toMatchObject({ proxied: true });
  });
});

describe('options of a response', () => {
  it('are read into named fields', () => {
    const options = readResponseOptions([
      opaque(optionNumbers.etag, 1, 2, 3),
      uintOption(optionNumbers.observe, 0xff_ffff),
      stringOption(optionNumbers.locationPath, 'rd'),
      stringOption(optionNumbers.locationPath, '5a3f'),
      uintOption(optionNumbers.contentFormat, 110),
      uintOption(optionNumbers.maxAge, 0xffff_ffff),
      uintOption(optionNumbers.block2, 8),
      uintOption(optionNumbers.block1, 6),
      uintOption(optionNumbers.size2, 5_000),
    ]);
    expect(options).toEqual({
      etag: Uint8Array.of(1, 2, 3),
      observe: 0xff_ffff,
      locationPath: ['rd', '5a3f'],
      contentFormat: 110,
      maxAge: 0xffff_ffff,
      block2: 8,
      block1: 6,
      size2: 5_000,
    });
  });

  it('are refused for an unknown critical option', () => {
    expect(readResponseOptions([opaque(65_001)])).toEqual({ unrecognized: 65_001 });
  });
});

describe('unsigned integers', () => {
  it('are written in the fewest bytes, zero in none, and read back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (uint) => {
        const { value } = uintOption(optionNumbers.maxAge, uint);
        expect(readUint(value)).toBe(uint);
        expect(value[0]).not.toBe(0);
      }),
    );
    expect(uintOption(optionNumbers.maxAge, 0).value).toEqual(NO_BYTES);
  });

  it('may have leading zeros', () => {
    expect(readUint(Uint8Array.of(0, 0, 40))).toBe(40);
  });
});

describe('block options', () => {
  it('are read back as written, for every size', () => {
    fc.assert(
      fc.property(fc.nat(0xf_ffff), fc.boolean(), fc.nat(6), (number, more, szx) => {
        const block = { number, more, size: 16 << szx };
        expect(readBlock(readUint(blockOption(optionNumbers.block1, block).value))).toEqual(block);
      }),
    );
  });

  it('have the bytes of RFC 7959 §3.1: number 3, more, 128 bytes is 0x3b', () => {
    expect(blockOption(optionNumbers.block2, { number: 3, more: true, size: 128 }).value).toEqual(Uint8Array.of(0x3b));
  });

  it('are null for the reserved size', () => {
    expect(readBlock(7)).toBeNull();
  });

  it('end at the end of the body', () => {
    expect(blockAt(0, 64, 128)).toEqual({ number: 0, more: true, size: 64 });
    expect(blockAt(1, 64, 128)).toEqual({ number: 1, more: false, size: 64 });
    expect(blockAt(2, 64, 128)).toBeNull();
    expect(blockAt(0, 64, 0)).toEqual({ number: 0, more: false, size: 64 });
    expect(blockAt(0x10_0000, 16, 2 ** 30)).toBeNull();
  });
});
