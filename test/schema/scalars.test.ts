import { GraphQLError, GraphQLScalarType, parseValue } from 'graphql';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';

function scalar(name: string): GraphQLScalarType {
  const type = schema.getType(name);
  if (type instanceof GraphQLScalarType) return type;
  throw new Error(`no scalar ${name}`);
}

const variable = (name: string, value: unknown): unknown => scalar(name).parseValue(value);
const literal = (name: string, text: string): unknown => scalar(name).parseLiteral(parseValue(text));

describe('UUID', () => {
  it('accepts upper and lower case, and returns lower case', () => {
    expect(variable('UUID', 'D7B1C0E2-3F5A-4A4E-9C55-8F1DE2A0B6C7')).toBe('d7b1c0e2-3f5a-4a4e-9c55-8f1de2a0b6c7');
    expect(literal('UUID', '"d7b1c0e2-3f5a-4a4e-9c55-8f1de2a0b6c7"')).toBe('d7b1c0e2-3f5a-4a4e-9c55-8f1de2a0b6c7');
  });

  it.each([['d7b1c0e2'], [''], [7], ['g7b1c0e2-3f5a-4a4e-9c55-8f1de2a0b6c7']])('refuses %j', (value) => {
    expect(() => variable('UUID', value)).toThrow(/is not a valid UUID/);
  });
});

describe('DateTime', () => {
  it('accepts RFC 3339 with any offset, and returns UTC', () => {
    const date = variable('DateTime', '2026-05-29T16:30:00.5+02:00');
    expect(scalar('DateTime').serialize(date)).toBe('2026-05-29T14:30:00.500Z');
  });

  it.each([
    '2026-05-29',
    '2026-05-29T14:30:00',
    '2026-02-30T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-05-29T25:00:00Z',
    '29 May 2026',
    1_780_000_000,
    null,
  ])('refuses %j', (value) => {
    expect(() => variable('DateTime', value)).toThrow(/is not a valid date-time: it must be RFC 3339 with an offset/);
  });

  it('returns every time that it accepts unchanged', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
        expect(variable('DateTime', date.toISOString())).toEqual(date);
      }),
    );
  });
});

describe('ResourcePath', () => {
  it.each(['/', '/3', '/3303/0', '/3303/0/5700', '/3/0/6/1', '/65534', '/3303/*/5700', '/*/0', '/*'])(
    'accepts %s',
    (path) => {
      expect(variable('ResourcePath', path)).toBe(path);
      expect(literal('ResourcePath', JSON.stringify(path))).toBe(path);
    },
  );

  it.each(['', '3/0/9', '/3/', '/03', '/65535', '/3/0/9/1/2', '/3/x', '/**', '/3*', '/-1', '//3', 3303, null])(
    'refuses %j',
    (path) => {
      expect(() => variable('ResourcePath', path)).toThrow(/LwM2M path/);
    },
  );

  it('throws nothing but a GraphQLError for any other text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(variable('ResourcePath', text)).toBe(text);
        } catch (error) {
          expect(error).toBeInstanceOf(GraphQLError);
        }
      }),
    );
  });
});

describe('ResourceValue', () => {
  it.each([
    ['22.5', 22.5],
    ['true', true],
    ['"+01:00"', '+01:00'],
    ['-7', -7],
    ['9007199254740993', '9007199254740993'],
  ])('parses the literal %s as %j', (text, value) => {
    expect(literal('ResourceValue', text)).toBe(value);
  });

  it('accepts a multiple resource as an object from instance id to value', () => {
    expect(variable('ResourceValue', { 0: 1, 12: 'x' })).toEqual({ 0: 1, 12: 'x' });
  });

  it.each([[null], [[1]], [{ a: 1 }], [{ 0: { 1: 2 } }], [Number.NaN], [Number.POSITIVE_INFINITY], [{ '01': 1 }]])(
    'refuses %j',
    (value) => {
      expect(() => variable('ResourceValue', value)).toThrow(/is not a valid resource value/);
    },
  );
});

describe('JSON', () => {
  it('accepts any JSON value unchanged', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(scalar('JSON').serialize(variable('JSON', value))).toEqual(value);
      }),
    );
    expect(literal('JSON', '{ zone: 0, list: [1, "a"], off: null }')).toEqual({ zone: 0, list: [1, 'a'], off: null });
  });
});
