import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Path } from '../../src/lwm2m/index.ts';

const ids = fc.array(fc.nat(65534), { maxLength: 4 });

describe('a path', () => {
  it('is parsed from its text, with and without the prefix of an end device', () => {
    fc.assert(
      fc.property(ids, fc.option(fc.stringMatching(/^[a-z][\w.-]{0,10}$/)), (given, prefix) => {
        const path = prefix === null ? Path.of(...given) : Path.of(...given).on(prefix);
        expect(Path.parsePrefixed(path.toString())).toEqual(path);
        expect(path.segments()).toEqual([...(prefix === null ? [] : [prefix]), ...given.map(String)]);
      }),
    );
  });

  it.each(['', '3', '//', '/3/', '/3//0', '/03', '/65535', '/-1', '/1/2/3/4/5', '/a/b', '/3/x', '/3/0 '])(
    'can’t be %j',
    (text) => {
      expect(() => Path.parsePrefixed(text)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
    },
  );

  it.each(['', '12', 'a/b', 'a b', 'é', 'x'.repeat(65)])('can’t have the prefix %j', (prefix) => {
    expect(() => Path.root.on(prefix)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
  });

  it('accepts a prefix only in parsePrefixed', () => {
    expect(() => Path.parse('/dev1/3/0')).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
  });

  it('contains the paths below it on the same device', () => {
    const instance = Path.of(3, 0);
    expect(instance.contains(Path.of(3, 0, 9))).toBe(true);
    expect(instance.contains(instance)).toBe(true);
    expect(instance.contains(Path.of(3, 1, 9))).toBe(false);
    expect(instance.contains(Path.of(3))).toBe(false);
    expect(instance.contains(Path.of(3, 0, 9).on('dev1'))).toBe(false);
    expect(instance.on('dev1').contains(Path.of(3, 0, 9).on('dev1'))).toBe(true);
  });

  it('keeps its prefix when it is cut and extended', () => {
    const path = Path.of(3, 0, 9).on('dev1');
    expect(String(path.cut(2))).toBe('/dev1/3/0');
    expect(String(path.cut(0))).toBe('/dev1');
    expect(String(path.child(1))).toBe('/dev1/3/0/9/1');
    expect(() => path.child(1).child(1)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
    expect(() => path.child(65535)).toThrow(expect.objectContaining({ code: 'INVALID_PATH' }));
  });

  it('sorts by numbers, parents first, end devices last', () => {
    const sorted = ['/', '/3', '/3/0', '/3/0/9', '/3/0/10', '/3/1', '/20', '/dev1', '/dev1/3', '/dev2'];
    const shuffled = [...sorted].reverse().map((text) => Path.parsePrefixed(text));
    expect(shuffled.sort((left, right) => left.compare(right)).map(String)).toEqual(sorted);
  });
});
