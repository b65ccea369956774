import type { ClientBase } from 'pg';
import { describe, expect, it } from 'vitest';

import { migrate } from '../../src/store/migrate.ts';

const OPTIONS = { embedded: false, schema: null, prefix: null, lockMs: 60_000, onNotice: (): void => {} };

/** What an empty database answers. */
const ANSWERS: readonly (readonly [RegExp, object])[] = [
  [/current_database\(\) as database/, { database: 'iot', schema: 'public' }],
  [/pg_try_advisory_xact_lock/, { free: true }],
];

/** A connection on which the statements that match `failing` fail; and what was done with it. */
function scripted(...failing: RegExp[]) {
  const done: string[] = [];
  const query = async (text: string): Promise<{ rows: unknown[] }> => {
    if (failing.some((pattern) => pattern.test(text))) throw new Error(`failed: ${text}`);
    done.push(text);
    return { rows: ANSWERS.filter(([pattern]) => pattern.test(text)).map(([, row]) => row) };
  };
  return { client: { query } as unknown as ClientBase, done }; // all that a migration asks of a client
}

const position = (done: string[], pattern: RegExp): number => done.findIndex((text) => pattern.test(text));

describe('a migration', () => {
  it('is one transaction, which takes the lock first, then makes the roles, and states the rights last', async () => {
    const { client, done } = scripted();
    expect(await migrate(client, OPTIONS)).toEqual({
      name: 'public',
      roles: { app: 'treeline_iot_app', system: 'treeline_iot_system', connection: 'treeline_iot_connection' },
    });
    const steps = [
      /^begin$/,
      /pg_try_advisory_xact_lock/,
      /create role/,
      /create schema/i,
      /CREATE POLICY/,
      /grant select/,
      /^commit$/,
    ];
    const order = steps.map((step) => position(done, step));
    expect(order).not.toContain(-1);
    expect(order).toEqual([...order].sort((one, other) => one - other));
  });

  it('names no role of another installation', async () => {
    const { client, done } = scripted();
    await migrate(client, OPTIONS);
    expect(done.filter((text) => /treeline_(app|system|connection)/.test(text))).toEqual([]);
  });

  it.each([/pg_try_advisory_xact_lock/, /create role/, /create schema/i, /grant select/])(
    'that fails at %s is CANNOT_OPEN, and is rolled back, which ends its lock',
    async (failing) => {
      const { client, done } = scripted(failing);
      await expect(migrate(client, OPTIONS)).rejects.toMatchObject({
        name: 'StoreError',
        code: 'CANNOT_OPEN',
        message: expect.stringMatching(/failed/i),
      });
      expect(done.at(-1)).toBe('rollback');
      expect(done).not.toContain('commit');
    },
  );
});
