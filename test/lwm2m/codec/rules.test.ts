import { describe, expect, it } from 'vitest';
import { parseTypes, spellDecoded } from '../../../src/cli/decode-spelling.ts';
import {
  decode,
  encode,
  encodeComposite,
  encodePaths,
  overlayModel,
  parseObjectLink,
  Path,
  registryModel,
} from '../../../src/lwm2m/index.ts';
import type { DecodeRequest, TimedValue, TypedValue } from '../../../src/lwm2m/index.ts';
import { vectors } from './vectors.ts';

const model = overlayModel(parseTypes(vectors.meta.exampleObjects).definitions(), registryModel());

/** Formats readings as `path type value`; a derived type has a question mark. */
function read(contentFormat: number, path: string, payload: string, more: Partial<DecodeRequest> = {}): string[] {
  const hex = /^(?:[0-9a-f]{2})*$/.test(payload);
  const bytes = new Uint8Array(Buffer.from(payload, hex ? 'hex' : 'utf8'));
  const request = { contentFormat, path: Path.parsePrefixed(path), payload: bytes, model, now: 1_700_000_000, ...more };
  return spellDecoded(decode(request)).map(
    (reading) => `${reading.path} ${reading.type}${reading.guessed ? '?' : ''} ${JSON.stringify(reading.value)}`,
  );
}

describe('an object without a definition', () => {
  it.each([
    [0, '/30000/0/1', 'x', '/30000/0/1 String? "x"'],
    [42, '/30000/0/1', '0102', '/30000/0/1 Opaque? {"hex":"0102"}'],
    [60, '/30000/0/1', '1bffffffffffffffff', '/30000/0/1 Unsigned Integer? "18446744073709551615"'],
    [60, '/30000/0/1', 'c11a5182428f', '/30000/0/1 Time? 1367491215'],
    [60, '/30000/0/1', 'f93c00', '/30000/0/1 Float? 1'],
    [110, '/', '[{"n":"/30000/0/1","v":1}]', '/30000/0/1 Integer? 1'],
    [110, '/', '[{"n":"/30000/0/1","v":1.5}]', '/30000/0/1 Float? 1.5'],
    [110, '/', '[{"n":"/30000/0/1","vlo":"1:2"}]', '/30000/0/1 Objlnk? "1:2"'],
    [112, '/', '81a2006a2f33303030302f302f3104f5', '/30000/0/1 Boolean? true'],
    [11542, '/30000/0', 'c10105', '/30000/0/1 Opaque? {"hex":"05"}'],
    [11543, '/30000/0', '{"e":[{"n":"1","bv":true}]}', '/30000/0/1 Boolean? true'],
    [11544, '/30000/0', 'a18319753000016161', '/30000/0/1 String? "a"'],
    [11542, '/3/0', 'c2190001', '/3/0/25 Opaque? {"hex":"0001"}'],
  ])('gets its types from content format %d at %s', (format, path, payload, reading) => {
    expect(read(format, path, payload)).toEqual([reading]);
  });

  it.each([
    [60, '/30000/0/1', 'f6'],
    [60, '/30000/0/1', 'f7'],
    [60, '/30000/0/1', '80'],
    [60, '/30000/0/1', 'f97e00'],
    [60, '/30000/0/1', 'd9010000'],
    [110, '/', '[{"n":"/30000/0/1","v":null}]'],
  ])('refuses items that no type allows: %d %s %s', (format, path, payload) => {
    expect(() => read(format, path, payload)).toThrow();
  });
});

describe('names and places', () => {
  it('may begin with the alternate path of the device', () => {
    const payload = '[{"n":"/lwm2m/3/0/9","v":1},{"n":"/1/0/1","v":60}]';
    expect(read(110, '/', payload, { rootPath: '/lwm2m' })).toEqual(['/3/0/9 Integer 1', '/1/0/1 Integer 60']);
    expect(read(11543, '/3/0', '{"bn":"/lwm2m/3/0","e":[{"n":"9","v":1}]}', { rootPath: '/lwm2m' })).toEqual([
      '/3/0/9 Integer 1',
    ]);
    expect(read(11544, '/3/0', 'a184656c776d326d03000901', { rootPath: '/lwm2m' })).toEqual(['/3/0/9 Integer 1']);
  });

  it('may be on an end device behind a gateway', () => {
    expect(read(110, '/', '[{"n":"/dev1/3/0/9","v":1}]')).toEqual(['/dev1/3/0/9 Integer 1']);
    expect(read(11542, '/dev1/3/0', 'c10901')).toEqual(['/dev1/3/0/9 Integer 1']);
    expect(read(11544, '/dev1/3/0', 'a18364646576310300a10901')).toEqual(['/dev1/3/0/9 Integer 1']);
    expect(read(11544, '/', 'a16464657631a18303000901')).toEqual(['/dev1/3/0/9 Integer 1']);
  });

  it.each([
    [110, '/', '[{"n":"3/0/9","v":1}]'],
    [110, '/', '[{"n":"/3/0/9/","v":1}]'],
    [110, '/', '[{"n":"/3/0/09","v":1}]'],
    [110, '/', '[{"bn":"/3/0","n":"9","v":1}]'],
    [110, '/', '[{"n":"/a/b/3/0/9","v":1}]'],
    [110, '/', '[{"n":"/3/0","v":1}]'],
    [0, '/3/0', '1'],
    [60, '/3', '01'],
    [42, '/', '01'],
    [11542, '/', 'c10901'],
    [11542, '/3/0/9', ''],
    [11542, '/3/0/9', 'c10901c10a01'],
    [11542, '/3/0', '00000100'],
    [11542, '/3/0', '0000c10901'],
    [11544, '/', 'a18080'],
    [11544, '/', 'a181646465763101'],
    [11544, '/', 'a103a16464657631a10901'],
    [11544, '/3', 'a10901'],
  ])('are refused when they are invalid: %d %s %s', (format, path, payload) => {
    expect(() => read(format, path, payload)).toThrow();
  });

  it('may be empty below the request path', () => {
    expect(read(110, '/3303', '[]')).toEqual([]);
    expect(read(112, '/3303', '80')).toEqual([]);
    expect(read(11542, '/3303', '')).toEqual([]);
    expect(read(11544, '/3303', 'a0')).toEqual([]);
    expect(read(11544, '/3303', 'bfff')).toEqual([]);
    expect(read(11544, '/3/0/6', 'a183030006a0')).toEqual(['/3/0/6 empty-multiple null']);
  });
});

describe('SenML', () => {
  it('adds base values, exactly when both are integers', () => {
    expect(read(110, '/', '[{"bn":"/9999/0/","bv":9007199254740992,"n":"1","v":1},{"n":"2","v":2}]')).toEqual([
      '/9999/0/1 Integer "9007199254740993"',
      '/9999/0/2 Unsigned Integer "9007199254740994"',
    ]);
    expect(read(110, '/', '[{"n":"/9999/0/3","bv":1,"v":0.5}]')).toEqual(['/9999/0/3 Float 1.5']);
  });

  it('ignores unknown fields in any order and depth', () => {
    expect(read(110, '/', '[{"x":[{"y":{}}],"u":"Cel","ut":5,"v":1,"bu":"V","n":"/9999/0/3"}]')).toEqual([
      '/9999/0/3 Float 1',
    ]);
    expect(read(112, '/', '81a400692f393939392f302f330201183280616b80')).toEqual(['/9999/0/3 Float 1']);
  });

  it.each([
    '[{"n":"/9999/0/1","v":1,"must_":2}]',
    '[{"bver":11,"n":"/9999/0/1","v":1}]',
    '[{"bver":"10","n":"/9999/0/1","v":1}]',
    '[{"n":"/9999/0/1","v":1,"v":2}]',
    '[{"n":"/9999/0/1","n":"/9999/0/2","v":1}]',
    '[{"n":"/9999/0/1","v":1,"vs":"x"}]',
    '[{"n":"/9999/0/1","v":1,"t":"5"}]',
    '[{"n":"/9999/0/1","v":1,"bt":1e300}]',
    '[{"n":"/9999/0/1","bv":"x","v":1}]',
    '[{"n":"/9999/0/1","s":1}]',
    '[{"n":"/9999/0/6","v":1.5}]',
    '[{"n":"/9999/0/2","v":-1}]',
    '[{"n":"/9999/0/1","v":9223372036854775808}]',
    '[{"n":"/9999/0/7","vs":"1-2"}]',
    '[{"n":"/9999/0/8","vs":"</3"}]',
    '[{"n":"/9999/0/3","v":1e400}]',
    '[{"n":"/9999/0/1","v":1,"t":1700000000},{"n":"/9999/0/1","v":2,"bt":1700000000}]',
  ])('refuses %s', (payload) => {
    expect(() => read(110, '/', payload)).toThrow();
  });

  it('accepts version 10 and lower', () => {
    expect(read(110, '/', '[{"bver":10,"n":"/9999/0/1","v":1}]')).toEqual(['/9999/0/1 Integer 1']);
  });
});

describe('values', () => {
  it.each([
    [60, '/9999/0/1', 'f95640', '/9999/0/1 Integer 100'],
    [60, '/9999/0/3', '1864', '/9999/0/3 Float 100'],
    [60, '/9999/0/3', 'fb7e37e43c8800759c', '/9999/0/3 Float 1e+300'],
    [60, '/9999/0/0', '7f61616162ff', '/9999/0/0 String "ab"'],
    [60, '/9999/0/6', 'c1fb41d452d9e2200000', '/9999/0/6 Time 1363896200'],
    [0, '/9999/0/7', 'FFFF:FFFF', '/9999/0/7 Objlnk "65535:65535"'],
    [0, '/9999/0/5', 'AQIDBAU=', '/9999/0/5 Opaque {"hex":"0102030405"}'],
    [0, '/9999/0/3', '.5', '/9999/0/3 Float 0.5'],
    [0, '/9999/0/3', '-.5', '/9999/0/3 Float -0.5'],
    [0, '/9999/0/3', '+21.5', '/9999/0/3 Float 21.5'],
    [110, '/9999/0', '[{"bn":"/9999/0/5","vd":"+/8="}]', '/9999/0/5 Opaque {"hex":"fbff"}'],
    [110, '/9999/0', '[{"bn":"/9999/0/5","vd":"-_8"}]', '/9999/0/5 Opaque {"hex":"fbff"}'],
    [11543, '/9999/0', '{"bn":"/9999/0","e":[{"n":"/1","v":5}]}', '/9999/0/1 Integer 5'],
    [11543, '/9999/0', '{"bn":"9999/0/","e":[{"n":"1","v":5}]}', '/9999/0/1 Integer 5'],
    [11543, '/9999/0', '{"bn":"/9999/0/30","e":[{"n":"0","sv":"x"}]}', '/9999/0/300 String "x"'],
    [11542, '/9999/0', 'e8012c03616263', '/9999/0/300 String "abc"'],
    [11542, '/9999/0', 'c803080000000000000000', '/9999/0/3 Float 0'],
    [11542, '/9999/0', 'c70500000000000000', '/9999/0/5 Opaque {"hex":"00000000000000"}'],
    [11542, '/3/0/6', '410001410105', '/3/0/6/0 Integer 1|/3/0/6/1 Integer 5'],
    [11542, '/9999/0', '0300c10101', '/9999/0/1 Integer 1'],
    [1541, '/9999/0/1', '5', '/9999/0/1 Integer 5'],
    [1542, '/9999/0', 'c10105', '/9999/0/1 Integer 5'],
    [1543, '/9999/0', '{"e":[{"n":"1","v":5}]}', '/9999/0/1 Integer 5'],
    [
      11543,
      '/9999',
      '{"bn":"/","e":[{"n":"9999/0/1","v":5},{"n":"65/0/1","sv":"x"}]}',
      '/9999/0/1 Integer 5|/65/0/1 String "x"',
    ],
    [11543, '/9999/0', '{"bn":"/9999/0","e":[{"n":"1","v":5}]}', '/9999/0/1 Integer 5'],
    [11543, '/9999/0', '{"e":[]}', ''],
    [11543, '/9999/0/7', '{"e":[{"ov":"66:1"}]}', '/9999/0/7 Objlnk "66:1"'],
    [110, '/9999/0/7', '[{"n":"/9999/0/7","vs":"66:1"}]', '/9999/0/7 Objlnk "66:1"'],
  ])('%d %s %s is %s', (format, path, payload, readings) => {
    expect(read(format, path, payload).join('|')).toBe(readings);
  });

  it.each([
    [60, '/9999/0/1', 'f93e00'],
    [60, '/9999/0/1', 'c11a5182428f'],
    [60, '/9999/0/3', 'f97e00'],
    [60, '/9999/0/3', 'f97c00'],
    [60, '/9999/0/4', '01'],
    [60, '/9999/0/6', 'fb3ff8000000000000'],
    [60, '/9999/0/2', '20'],
    [0, '/9999/0/1', ' 5'],
    [0, '/9999/0/1', '+5'],
    [0, '/9999/0/1', '5\n'],
    [0, '/9999/0/1', ''],
    [0, '/9999/0/1', '1e3'],
    [0, '/9999/0/2', '-1'],
    [0, '/9999/0/2', '18446744073709551616'],
    [0, '/9999/0/3', 'inf'],
    [0, '/9999/0/3', '1e400'],
    [0, '/9999/0/3', '1.'],
    [0, '/9999/0/7', '66'],
    [0, '/9999/0/7', '66:0:1'],
    [0, '/9999/0/7', '066:0'],
    [0, '/9999/0/8', '</3'],
    [42, '/9999/0/1', '05'],
    [11542, '/9999/0', 'c301000001'],
    [11542, '/9999/0', 'c10402'],
    [11542, '/9999/0', 'c4037fc00000'],
    [11542, '/9999/0', 'c2083c2f'],
    [11543, '/9999/0', '{"e":[{"n":"1","v":5},{"n":"1","v":6}]}'],
    [11543, '/9999/0', '{"e":[{"n":"5","sv":"AQI"}]}'],
    [11543, '/9999/0', '{"e":[{"n":"1","v":5,"sv":"5"}]}'],
    [11543, '/9999/0', '{"e":[{"n":"1","v":"5"}]}'],
    [11543, '/9999/0', '{"e":[],"e":[]}'],
    [9, '/9999/0/1', '05'],
    [40, '/', '</1/0>'],
  ])('refuses an invalid value: %d %s %s', (format, path, payload) => {
    expect(() => read(format, path, payload)).toThrow();
  });

  it('reads all forms of the null link', () => {
    for (const text of ['65535:65535', 'FFFF:FFFF', 'ffff:ffff']) {
      expect(parseObjectLink(text)).toEqual({ objectId: 65535, instanceId: 65535 });
    }
  });

  it('reads a resource by the object version that the device registered', () => {
    const payload = '[{"n":"/21/0/0","vs":"key"}]';
    expect(read(110, '/', payload, { versionOf: () => '1.0' })).toEqual(['/21/0/0 String "key"']);
    expect(() => read(110, '/', payload, { versionOf: () => '2.0' })).toThrow('a text is not a valid Opaque');
  });
});

const at = (path: string, value: TypedValue, time?: number): TimedValue => ({
  path: Path.parse(path),
  value,
  ...(time === undefined ? {} : { time }),
});
const one: TypedValue = { type: 'Integer', value: 1 };
const refusal = (contentFormat: number, path: string, values: readonly TimedValue[], empty: readonly Path[] = []) => {
  try {
    return encode({ contentFormat, path: Path.parse(path), values, empty });
  } catch (error) {
    return error;
  }
};

describe('an encoder refuses', () => {
  it.each([
    [
      'a value out of its range',
      110,
      '/9999/0',
      [at('/9999/0/1', { type: 'Integer', value: 2n ** 63n })],
      'INVALID_VALUE',
    ],
    [
      'a number that is not exact',
      110,
      '/9999/0',
      [at('/9999/0/1', { type: 'Integer', value: 2 ** 53 })],
      'INVALID_VALUE',
    ],
    ['a fraction', 112, '/9999/0', [at('/9999/0/1', { type: 'Time', value: 1.5 })], 'INVALID_VALUE'],
    ['NaN', 11542, '/9999/0', [at('/9999/0/3', { type: 'Float', value: Number.NaN })], 'INVALID_VALUE'],
    ['a lone surrogate', 11542, '/9999/0', [at('/9999/0/0', { type: 'String', value: '\ud800' })], 'INVALID_VALUE'],
    ['an invalid Corelnk', 0, '/9999/0/8', [at('/9999/0/8', { type: 'Corelnk', value: '<' })], 'INVALID_VALUE'],
    [
      'a link out of range',
      0,
      '/9999/0/7',
      [at('/9999/0/7', { type: 'Objlnk', value: { objectId: 65536, instanceId: 0 } })],
      'INVALID_VALUE',
    ],
    ['a path outside the request path', 11542, '/9999/0', [at('/9999/1/1', one)], 'INVALID_PATH'],
    ['a path that can’t have a value', 110, '/9999', [at('/9999/1', one)], 'INVALID_PATH'],
    ['a path twice', 11544, '/9999/0', [at('/9999/0/1', one), at('/9999/0/1', one)], 'INVALID_ARGUMENT'],
    [
      'a resource with and without instances',
      11542,
      '/9999/0',
      [at('/9999/0/9', one), at('/9999/0/9/0', one)],
      'INVALID_ARGUMENT',
    ],
    ['the same in LwM2M CBOR', 11544, '/9999/0', [at('/9999/0/9/0', one), at('/9999/0/9', one)], 'INVALID_ARGUMENT'],
    ['a time where the format has none', 11542, '/9999/0', [at('/9999/0/1', one, 1_700_000_000)], 'UNSUPPORTED_FORMAT'],
    ['a time that would be relative', 110, '/9999/0', [at('/9999/0/1', one, 5)], 'UNSUPPORTED_FORMAT'],
    [
      'two values in a format for one',
      0,
      '/9999/0/1',
      [at('/9999/0/1', one), at('/9999/0/1', one)],
      'UNSUPPORTED_FORMAT',
    ],
    ['a number as octets', 42, '/9999/0/1', [at('/9999/0/1', one)], 'UNSUPPORTED_FORMAT'],
    ['TLV above an object', 11542, '/', [at('/9999/0/1', one)], 'UNSUPPORTED_FORMAT'],
    ['an unknown format', 9, '/9999/0', [at('/9999/0/1', one)], 'UNSUPPORTED_FORMAT'],
  ])('%s', (_what, contentFormat, path, values, code) => {
    expect(refusal(contentFormat, path, values)).toMatchObject({ name: 'Lwm2mError', code });
  });

  it('empty paths and deletions that the format can’t carry', () => {
    expect(refusal(110, '/9999', [], [Path.of(9999, 5)])).toMatchObject({ code: 'UNSUPPORTED_FORMAT' });
    const deletion = [{ path: Path.of(9999, 0, 9, 1), value: null }];
    expect(() => encodeComposite(112, deletion)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_FORMAT' }));
    expect(() => encodePaths(11544, [Path.root])).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_FORMAT' }));
    expect(() => encodePaths(112, [])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('encoding', () => {
  it.each<[number, string, readonly [string, TypedValue][], string]>([
    [11542, '/9999/0', [['/9999/0/2', { type: 'Unsigned Integer', value: 255 }]], 'c20200ff'],
    [11542, '/9999/0', [['/9999/0/2', { type: 'Unsigned Integer', value: 2n ** 64n - 1n }]], 'c80208ffffffffffffffff'],
    [11542, '/9999/0/9', [['/9999/0/9/0', { type: 'Integer', value: 1 }]], '8309410001'],
    [11542, '/9999/0/9/0', [['/9999/0/9/0', { type: 'Integer', value: 1 }]], '410001'],
    [11542, '/9999', [['/9999/0/1', { type: 'Integer', value: -129 }]], '0400c201ff7f'],
    [60, '/9999/0/3', [['/9999/0/3', { type: 'Float', value: 1.5 }]], 'fa3fc00000'],
    [60, '/9999/0/3', [['/9999/0/3', { type: 'Float', value: 0.1 }]], 'fb3fb999999999999a'],
    [11544, '/9999/0/1', [['/9999/0/1', { type: 'Integer', value: 1 }]], 'a18219270f00a10101'],
  ])('writes in format %d at %s the values %o as %s', (contentFormat, path, values, hex) => {
    const written = encode({
      contentFormat,
      path: Path.parse(path),
      values: values.map(([place, value]) => ({ path: Path.parse(place), value })),
    });
    expect(Buffer.from(written).toString('hex')).toBe(hex);
  });

  it.each<[number, TypedValue, string]>([
    [0, { type: 'Float', value: 6.667e-11 }, '0.00000000006667'],
    [0, { type: 'Float', value: 1e21 }, '1000000000000000000000'],
    [0, { type: 'Float', value: -0.5 }, '-0.5'],
    [0, { type: 'Boolean', value: true }, '1'],
    [0, { type: 'Opaque', value: Uint8Array.of(1, 2, 3, 4, 5) }, 'AQIDBAU='],
    [110, { type: 'Opaque', value: Uint8Array.of(0xfb, 0xff) }, '[{"bn":"/9999/0/1","vd":"-_8"}]'],
    [110, { type: 'Integer', value: 2n ** 63n - 1n }, '[{"bn":"/9999/0/1","v":9223372036854775807}]'],
    [
      110,
      { type: 'Objlnk', value: { objectId: 65535, instanceId: 65535 } },
      '[{"bn":"/9999/0/1","vlo":"65535:65535"}]',
    ],
    [11543, { type: 'Opaque', value: Uint8Array.of(0xfb, 0xff) }, '{"bn":"/9999/0/1","e":[{"n":"","sv":"+/8="}]}'],
  ])('writes in format %d the value %o as %s', (contentFormat, value, text) => {
    const path = Path.of(9999, 0, 1);
    expect(Buffer.from(encode({ contentFormat, path, values: [{ path, value }] })).toString('utf8')).toBe(text);
  });

  it('writes an instance once for all its resources', () => {
    const values: TimedValue[] = [
      { path: Path.of(3, 0, 9), value: { type: 'Integer', value: 100 } },
      { path: Path.of(3, 0, 6, 0), value: { type: 'Integer', value: 1 }, time: 1_700_000_000.5 },
    ];
    const written = encode({ contentFormat: 110, path: Path.of(3, 0), values });
    expect(Buffer.from(written).toString('utf8')).toBe(
      '[{"bn":"/3/0/","n":"9","v":100},{"n":"6/0","v":1,"t":1700000000.5}]',
    );
  });
});
