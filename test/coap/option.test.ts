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

/** An option of so many bytes, all alike. */
const filled = (number: number, length: number, byte: number): MessageOption => ({
  number,
  value: new Uint8Array(length).fill(byte),
});

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

  it('are refused for a Uri-Path that is not UTF-8, wherever its bytes lie in memory', () => {
    const memory = Uint8Array.of(0x61, 0xff, 0x72, 0x64);
    const pathAt = (start: number) =>
      readRequestOptions([{ number: optionNumbers.uriPath, value: memory.subarray(start) }]);
    expect(pathAt(1)).toEqual({ unrecognized: optionNumbers.uriPath });
    expect(pathAt(2)).toMatchObject({ path: ['rd'] });
  });

  it.each([
    ['Proxy-Uri', optionNumbers.proxyUri],
    ['Proxy-Scheme', optionNumbers.proxyScheme],
  ])('say with %s that a proxy is wanted', (_name, number) => {
    expect(readRequestOptions([stringOption(number, 'coap://elsewhere/')])).toMatchObject({ proxied: true });
  });

  // The "Length" column of RFC 7252 §5.10, RFC 7959 §2.1.
  it.each([
    ['Uri-Host', optionNumbers.uriHost, 1, 255],
    ['Uri-Port', optionNumbers.uriPort, 0, 2],
    ['Uri-Path', optionNumbers.uriPath, 0, 255],
    ['Uri-Query', optionNumbers.uriQuery, 0, 255],
    ['Accept', optionNumbers.accept, 0, 2],
    ['Block1', optionNumbers.block1, 0, 3],
    ['Block2', optionNumbers.block2, 0, 3],
    ['Proxy-Uri', optionNumbers.proxyUri, 1, 1034],
    ['Proxy-Scheme', optionNumbers.proxyScheme, 1, 255],
  ])('are taken with a %s of %3$i to %4$i bytes, and refused with another', (_name, number, fewest, most) => {
    const read = (length: number) => readRequestOptions([{ number, value: new Uint8Array(length).fill(0x61) }]);
    const refused = { unrecognized: number };
    expect(read(fewest)).not.toEqual(refused);
    expect(read(most)).not.toEqual(refused);
    expect(read(most + 1)).toEqual(refused);
    if (fewest > 0) expect(read(fewest - 1)).toEqual(refused);
  });

  it.each([
    ['Observe', 'observe', optionNumbers.observe, 3],
    ['Content-Format', 'contentFormat', optionNumbers.contentFormat, 2],
    ['Size1', 'size1', optionNumbers.size1, 4],
  ] as const)('pass over a longer %s than it may have, and read one of %4$i bytes', (_name, field, number, most) => {
    expect(readRequestOptions([{ number, value: new Uint8Array(most).fill(1) }])).not.toMatchObject({ [field]: null });
    expect(readRequestOptions([{ number, value: new Uint8Array(most + 1).fill(1) }])).toMatchObject({ [field]: null });
  });

  it('pass over a No-Response of two bytes (RFC 7967 §2)', () => {
    expect(readRequestOptions([opaque(optionNumbers.noResponse, 0, 2)])).toMatchObject({ noResponse: 0 });
  });

  it('have a Request-Tag of up to 8 bytes, of several the first (RFC 9175 §3.2.1)', () => {
    expect(
      readRequestOptions([filled(optionNumbers.requestTag, 8, 1), filled(optionNumbers.requestTag, 8, 2)]),
    ).toMatchObject({ requestTag: filled(optionNumbers.requestTag, 8, 1).value });
    expect(readRequestOptions([filled(optionNumbers.requestTag, 0, 1)])).toMatchObject({ requestTag: NO_BYTES });
    expect(readRequestOptions([filled(optionNumbers.requestTag, 9, 1)])).toMatchObject({ requestTag: null });
  });

  it.each([
    ['Uri-Host', optionNumbers.uriHost],
    ['Uri-Port', optionNumbers.uriPort],
    ['Block1', optionNumbers.block1],
    ['Block2', optionNumbers.block2],
    ['Proxy-Uri', optionNumbers.proxyUri],
  ])('are refused for a second %s', (_name, number) => {
    expect(readRequestOptions([opaque(number, 1), opaque(number, 1)])).toEqual({ unrecognized: number });
  });

  it.each([
    ['Observe', 'observe', optionNumbers.observe],
    ['Size1', 'size1', optionNumbers.size1],
    ['No-Response', 'noResponse', optionNumbers.noResponse],
  ] as const)('keep the first %s of two', (_name, field, number) => {
    expect(readRequestOptions([opaque(number, 1), opaque(number, 2)])).toMatchObject({ [field]: 1 });
  });

  it('take an elective option that follows one of a wrong length', () => {
    const [long, short] = [opaque(optionNumbers.contentFormat, 1, 2, 3), opaque(optionNumbers.contentFormat, 60)];
    expect(readRequestOptions([long, short])).toMatchObject({ contentFormat: 60 });
  });

  it('are empty lists where there is neither path nor query', () => {
    expect(readRequestOptions([])).toEqual({
      path: [],
      query: [],
      contentFormat: null,
      accept: null,
      observe: null,
      block1: null,
      block2: null,
      size1: null,
      requestTag: null,
      noResponse: 0,
      proxied: false,
    });
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

  it.each([
    ['an unknown critical one', [opaque(65_001)]],
    ['a Block1 of four bytes', [opaque(optionNumbers.block1, 1, 2, 3, 4)]],
    ['a Block2 of four bytes', [opaque(optionNumbers.block2, 1, 2, 3, 4)]],
    ['a second Block1', [opaque(optionNumbers.block1, 1), opaque(optionNumbers.block1, 1)]],
    ['a second Block2', [opaque(optionNumbers.block2, 1), opaque(optionNumbers.block2, 1)]],
  ])('are refused for %s', (_name, options) => {
    expect(readResponseOptions(options)).toEqual({ unrecognized: options[0]?.number });
  });

  it('are all absent from a response without options, and from one with unknown elective options', () => {
    const none = {
      etag: null,
      observe: null,
      locationPath: [],
      contentFormat: null,
      maxAge: null,
      block2: null,
      block1: null,
      size2: null,
    };
    expect(readResponseOptions([])).toEqual(none);
    expect(readResponseOptions([opaque(65_000, 1)])).toEqual(none);
  });

  it.each([
    ['ETag', 'etag', optionNumbers.etag, 1, 8],
    ['Observe', 'observe', optionNumbers.observe, 0, 3],
    ['Content-Format', 'contentFormat', optionNumbers.contentFormat, 0, 2],
    ['Max-Age', 'maxAge', optionNumbers.maxAge, 0, 4],
    ['Size2', 'size2', optionNumbers.size2, 0, 4],
  ] as const)('have a %s of %4$i to %5$i bytes, and pass over another', (_name, field, number, fewest, most) => {
    const read = (length: number) => readResponseOptions([{ number, value: new Uint8Array(length).fill(1) }]);
    expect(read(fewest)).not.toMatchObject({ [field]: null });
    expect(read(most)).not.toMatchObject({ [field]: null });
    expect(read(most + 1)).toMatchObject({ [field]: null });
    if (fewest > 0) expect(read(fewest - 1)).toMatchObject({ [field]: null });
  });

  it('have a Location-Path of up to 255 bytes of UTF-8, and pass over another', () => {
    const options = readResponseOptions([
      filled(optionNumbers.locationPath, 255, 0x61),
      filled(optionNumbers.locationPath, 256, 0x61),
      filled(optionNumbers.locationPath, 1, 0xff),
      filled(optionNumbers.locationPath, 1, 0x62),
    ]);
    expect(options).toMatchObject({ locationPath: ['a'.repeat(255), 'b'] });
  });

  it.each([
    ['Observe', 'observe', optionNumbers.observe],
    ['Content-Format', 'contentFormat', optionNumbers.contentFormat],
    ['Max-Age', 'maxAge', optionNumbers.maxAge],
    ['Size2', 'size2', optionNumbers.size2],
  ] as const)('keep the first %s of two', (_name, field, number) => {
    expect(readResponseOptions([opaque(number, 1), opaque(number, 2)])).toMatchObject({ [field]: 1 });
  });

  it('keep the first ETag of two', () => {
    const tags = [opaque(optionNumbers.etag, 1), opaque(optionNumbers.etag, 2)];
    expect(readResponseOptions(tags)).toMatchObject({ etag: Uint8Array.of(1) });
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

  it.each([
    [0xff, [0xff]],
    [0x100, [1, 0]],
    [0xffff, [0xff, 0xff]],
    [0x1_0000, [1, 0, 0]],
    [0xff_ffff, [0xff, 0xff, 0xff]],
    [0x100_0000, [1, 0, 0, 0]],
    [0xffff_ffff, [0xff, 0xff, 0xff, 0xff]],
  ])('%i has its own number of bytes', (uint, bytes) => {
    const { number, value } = uintOption(optionNumbers.maxAge, uint);
    expect([number, Array.from(value)]).toEqual([optionNumbers.maxAge, bytes]);
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
    expect(blockAt(0xf_ffff, 16, 2 ** 30)).toEqual({ number: 0xf_ffff, more: true, size: 16 });
    expect(blockAt(0x10_0000, 16, 2 ** 30)).toBeNull();
    expect(blockAt(3, 64, 128)).toBeNull();
    expect(blockAt(1, 64, 127)).toEqual({ number: 1, more: false, size: 64 });
  });
});
