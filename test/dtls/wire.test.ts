import { describe, expect, it } from 'vitest';
import { lasting, Reader, uint, uint16s, vector } from '../../src/dtls/wire.ts';

function reader(hex: string): Reader {
  return new Reader(Buffer.from(hex, 'hex'), 'test');
}

const decodeError = expect.objectContaining({ code: 'decode_error' });

describe('a reader of the presentation language (RFC 5246 §4)', () => {
  it('reads numbers in network byte order, one behind the other', () => {
    const numbers = reader('010203040506');
    expect([numbers.uint(1), numbers.uint(2), numbers.uint(3)]).toEqual([0x01, 0x0203, 0x040506]);
  });

  it('counts the bytes that were read and those that are left', () => {
    const numbers = reader('010203');
    numbers.uint(1);
    expect([numbers.offset, numbers.left]).toEqual([1, 2]);
  });

  it('reads bytes up to the end, and refuses one more', () => {
    const bytes = reader('010203');
    expect(bytes.bytes(3)).toEqual(Buffer.from('010203', 'hex'));
    expect(() => bytes.bytes(1)).toThrow(decodeError);
    expect(bytes.bytes(0)).toHaveLength(0);
  });

  it.each([1, 2, 3] as const)('refuses a number of %i bytes when one of them is missing', (size) => {
    expect(() => new Reader(Buffer.alloc(size - 1), 'test').uint(size)).toThrow(decodeError);
  });

  it('accepts the end where everything was read, and refuses it where a byte is left', () => {
    const bytes = reader('0102');
    bytes.uint(1);
    expect(() => bytes.end()).toThrow(decodeError);
    bytes.uint(1);
    expect(() => bytes.end()).not.toThrow();
  });

  it('reads a vector behind its length, and no further', () => {
    const bytes = reader('0002aabbcc');
    expect(bytes.vector(2)).toEqual(Buffer.from('aabb', 'hex'));
    expect(bytes.left).toBe(1);
  });

  it('refuses a vector that is longer than the bytes that are left', () => {
    expect(() => reader('03aabb').vector(1)).toThrow(decodeError);
  });

  describe('of a vector with bounds', () => {
    it.each([0, 1])('refuses %i bytes where 2 are the fewest', (length) => {
      expect(() => new Reader(vector(1, Buffer.alloc(length)), 'test').vector(1, { min: 2 })).toThrow(decodeError);
    });

    it.each([2, 3])('takes %i bytes where 2 are the fewest', (length) => {
      expect(new Reader(vector(1, Buffer.alloc(length)), 'test').vector(1, { min: 2 })).toHaveLength(length);
    });

    it('refuses 4 bytes where 3 are the most', () => {
      expect(() => new Reader(vector(1, Buffer.alloc(4)), 'test').vector(1, { max: 3 })).toThrow(decodeError);
    });

    it.each([0, 2, 3])('takes %i bytes where 3 are the most', (length) => {
      expect(new Reader(vector(1, Buffer.alloc(length)), 'test').vector(1, { max: 3 })).toHaveLength(length);
    });

    it('takes an empty vector where none are given', () => {
      expect(reader('00').vector(1)).toHaveLength(0);
    });
  });
});

describe('writing the presentation language', () => {
  it.each([
    [1, 0x7f, '7f'],
    [2, 0x7f, '007f'],
    [3, 0x010203, '010203'],
  ] as const)('writes a number in %i bytes', (size, value, hex) => {
    expect(uint(size, value).toString('hex')).toBe(hex);
  });

  it('writes a vector behind its length', () => {
    expect(vector(2, Buffer.from('aabb', 'hex')).toString('hex')).toBe('0002aabb');
  });
});

describe('a list of 16-bit numbers', () => {
  it('holds each number in its order', () => {
    expect(uint16s(Buffer.from('000100020017', 'hex'), 'test')).toEqual([1, 2, 23]);
  });

  it('may be empty', () => {
    expect(uint16s(Buffer.alloc(0), 'test')).toEqual([]);
  });

  it('is refused when half a number is left', () => {
    expect(() => uint16s(Buffer.from('000100', 'hex'), 'test')).toThrow(decodeError);
  });
});

describe('a lasting copy', () => {
  it('has the same bytes in memory of its own, and none beside them', () => {
    const original = Buffer.from('session');
    const copy = lasting(original);
    original.fill(0);
    expect(copy.toString()).toBe('session');
    expect(copy.buffer.byteLength).toBe(7);
  });
});
