import { DrizzleQueryError } from 'drizzle-orm/errors';
import { DatabaseError } from 'pg';
import { describe, expect, it } from 'vitest';

import { fromStatement, StoreError } from '../../src/store/error.ts';

function refused(code: string | undefined, constraint?: string): DatabaseError {
  return Object.assign(new DatabaseError('refused', 0, 'error'), { code, constraint, detail: 'secret' });
}

const wrapped = (cause?: Error): DrizzleQueryError => new DrizzleQueryError('insert …', ['secret'], cause);

describe('what a statement threw', () => {
  it.each<[string, unknown, object]>([
    ['23505', refused('23505', 'unique'), { code: 'CONFLICT', sqlState: '23505', constraint: 'unique' }],
    ['23503', refused('23503', 'key'), { code: 'REFERENCE', sqlState: '23503', constraint: 'key' }],
    ['another SQLSTATE', refused('42501'), { code: 'QUERY', sqlState: '42501', constraint: null }],
    ['no SQLSTATE', refused(undefined), { code: 'QUERY', sqlState: null, constraint: null }],
    ['23505 in an error of drizzle', wrapped(refused('23505')), { code: 'CONFLICT', sqlState: '23505' }],
    ['a broken connection', wrapped(new Error('ECONNRESET')), { code: 'LOST', sqlState: null, message: 'ECONNRESET' }],
    ['a parameter without an encoding', wrapped(new RangeError('Invalid time value')), { code: 'QUERY' }],
    ['an error of drizzle without a cause', wrapped(), { code: 'LOST', message: expect.stringMatching(/./) }],
  ])('becomes a StoreError without parameters: %s', (_case, thrown, expected) => {
    const error = fromStatement(thrown);
    expect(error).toBeInstanceOf(StoreError);
    expect(error).toMatchObject({ name: 'StoreError', ...expected });
    expect(`${JSON.stringify(error)} ${String((error as Error).cause)}`).not.toContain('secret');
  });

  it.each([new RangeError('no'), 'a text', undefined])('and is not the database’s passes unchanged: %s', (thrown) => {
    expect(fromStatement(thrown)).toBe(thrown);
  });
});
