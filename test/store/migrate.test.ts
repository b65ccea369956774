import type { Pool } from 'pg';
import { describe, expect, it } from 'vitest';

import { migrate } from '../../src/store/migrate.ts';

/** A pool of one connection, on which the statements that match `failing` fail; and what was done with it. */
function scripted(...failing: RegExp[]) {
  const done: string[] = [];
  const query = async (statement: string | { text: string }): Promise<{ rows: unknown[] }> => {
    const text = typeof statement === 'string' ? statement : statement.text;
    if (failing.some((pattern) => pattern.test(text))) throw new Error(`failed: ${text}`);
    done.push(text);
    return { rows: [] };
  };
  const release = (broken?: Error): void => void done.push(broken ? 'discarded' : 'released');
  const client = { query, release };
  return { pool: { connect: async () => client } as unknown as Pool, done }; // all that a migration asks of a pool
}

const position = (done: string[], pattern: RegExp): number => done.findIndex((text) => pattern.test(text));

describe('a migration', () => {
  it('makes the roles first and states the rights last, while no other process migrates', async () => {
    const { pool, done } = scripted();
    await migrate(pool);
    const steps = [
      /pg_advisory_lock/,
      /create role/,
      /create schema/i,
      /grant select/,
      /pg_advisory_unlock/,
      /released/,
    ];
    const order = steps.map((step) => position(done, step));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((one, other) => one - other));
    const numbers = done.filter((text) => text.includes('pg_advisory')).map((text) => /\((.*)\)/.exec(text)?.[1]);
    expect(numbers).toEqual([numbers[0], numbers[0]]);
  });

  it.each([/pg_advisory_lock/, /create role/, /create schema/i, /grant select/])(
    'that fails at %s is CANNOT_OPEN, and keeps no other process waiting',
    async (failing) => {
      const { pool, done } = scripted(failing);
      await expect(migrate(pool)).rejects.toMatchObject({
        name: 'StoreError',
        code: 'CANNOT_OPEN',
        message: expect.stringMatching(/failed/i),
        cause: expect.any(Error),
      });
      expect(done.at(-2)).toContain('pg_advisory_unlock');
      expect(done.at(-1)).toBe('released');
    },
  );

  it('discards a connection that can’t even give the lock back', async () => {
    const { pool, done } = scripted(/pg_advisory_unlock/);
    await migrate(pool);
    expect(done.at(-1)).toBe('discarded');
  });
});
