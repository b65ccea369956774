import { GraphQLError, Source } from 'graphql';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';

import { FleetError } from '../../src/fleet/index.ts';
import { createMask } from '../../src/server/masking.ts';

const ERROR = 50;

function masking() {
  const logged: { level: number; id?: string; err?: unknown }[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  return { mask: createMask(log, { introspection: true }), logged };
}

const masked = { message: expect.stringMatching(/./), extensions: { code: 'INTERNAL_SERVER_ERROR' } };

describe('an error for the caller', () => {
  it('of GraphQL itself passes as it is', () => {
    const { mask, logged } = masking();
    const error = new GraphQLError('Syntax Error', { source: new Source('{') });
    expect(mask(error)).toBe(error);
    const wrapped = new GraphQLError('wrapped', { originalError: error });
    expect(mask(wrapped)).toBe(wrapped);
    expect(logged).toEqual([]);
  });

  it('that the caller can mend passes with its code and its place', () => {
    const { mask, logged } = masking();
    const wrong = new FleetError('VALIDATION', 'first: too many', { field: ['first'] });
    const told = mask(new GraphQLError('first: too many', { originalError: wrong, path: ['devices'] }));
    expect(told).toMatchObject({ message: 'first: too many', extensions: { code: 'VALIDATION', field: ['first'] } });
    expect(told.path).toEqual(['devices']);
    expect(logged).toEqual([]);
  });
});

describe('an unexpected error', () => {
  it('becomes an id, under which it is logged, and keeps its place', () => {
    const { mask, logged } = masking();
    const error = mask(new GraphQLError('secret', { originalError: new Error('secret'), path: ['a', 0] }));
    expect(error).toMatchObject(masked);
    expect(error.path).toEqual(['a', 0]);
    expect(JSON.stringify(error)).not.toContain('secret');
    const { id } = error.extensions;
    expect(logged).toMatchObject([{ level: ERROR, id, err: { message: 'secret' } }]);
    expect(error.message).toContain(id);
  });

  it('inside a GraphQLError inside a GraphQLError does not pass either', () => {
    const { mask, logged } = masking();
    const inner = new GraphQLError('secret', { originalError: new Error('secret') });
    expect(mask(new GraphQLError('secret', { originalError: inner }))).toMatchObject(masked);
    expect(logged).toHaveLength(1);
  });

  it('has one id wherever it hits, and another error has another', () => {
    const { mask, logged } = masking();
    const cause = new Error('secret');
    const ids = [cause, cause, new Error('secret')].map(
      (originalError) => mask(new GraphQLError('', { originalError })).extensions['id'],
    );
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
    expect(logged.map(({ id }) => id)).toEqual([ids[0], ids[2]]);
  });

  it('that no field of an operation threw is logged too', () => {
    const { mask, logged } = masking();
    mask(new Error('secret'));
    expect(logged).toMatchObject([{ err: { message: 'secret' } }]);
  });

  it.each([['a text'], [7], [null], [undefined], [new Error('secret')]])(
    'may be anything that can be thrown: %j',
    (thrown) => {
      const { mask, logged } = masking();
      const error = mask(thrown);
      expect(error).toMatchObject(masked);
      expect(error.path).toBeUndefined();
      expect(logged).toMatchObject([{ level: ERROR, id: error.extensions['id'] }]);
    },
  );
});
