import { sql } from 'drizzle-orm';
import type { Pool } from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';

import { apiKeys, settings, tenants, type StoreError } from '../../src/store/index.ts';
import { systemClock } from '../../src/clock.ts';
import { roleNames, SHARED_PREFIX } from '../../src/store/roles.ts';
import { connectionRoleSql } from '../../src/store/row-security.ts';
import { createStore } from '../../src/store/store.ts';
import { migratedDatabase, ownerPool, useStore } from './database.ts';

const store = useStore({ poolSize: 1 });
const now = new Date('2026-01-01T00:00:00Z');

const key = (tenantId: string, name: string): typeof apiKeys.$inferInsert => ({
  id: crypto.randomUUID(),
  tenantId,
  name,
  role: 'viewer',
  tokenHash: `hash of ${tenantId}'s ${name}`,
  createdAt: now,
});

const refusal = (attempt: Promise<unknown>): Promise<StoreError> =>
  attempt.then(
    () => Promise.reject(new Error('it was not refused')),
    (error: StoreError) => error,
  );

beforeAll(async () => {
  await store().asSystem(async (tx) => {
    await tx.insert(tenants).values([
      { id: 'acme', name: 'Acme', createdAt: now },
      { id: 'umbrella', name: 'Umbrella', createdAt: now },
    ]);
    await tx.insert(apiKeys).values([key('acme', 'dashboard'), key('umbrella', 'dashboard')]);
  });
});

describe('a transaction of one tenant', () => {
  it('reads only its own rows', async () => {
    const rows = await store().asTenant('acme', (tx) => tx.select().from(apiKeys));
    expect(rows.map((row) => row.tenantId)).toEqual(['acme']);
    expect(await store().asTenant('acme', (tx) => tx.select({ id: tenants.id }).from(tenants))).toEqual([
      { id: 'acme' },
    ]);
  });

  it('can neither insert, change nor delete another tenant’s rows', async () => {
    const inserted = await refusal(store().asTenant('acme', (tx) => tx.insert(apiKeys).values(key('umbrella', 'x'))));
    expect(inserted).toMatchObject({ code: 'QUERY', sqlState: '42501' });
    const moved = await refusal(store().asTenant('acme', (tx) => tx.update(apiKeys).set({ tenantId: 'umbrella' })));
    expect(moved).toMatchObject({ code: 'QUERY', sqlState: '42501' });
    await store().asTenant('acme', (tx) => tx.delete(apiKeys).where(sql`${apiKeys.tenantId} = 'umbrella'`));
    expect(await store().asTenant('umbrella', (tx) => tx.$count(apiKeys))).toBe(1);
  });

  it('reads no rows as a tenant that does not exist, even with SQL in its ID', async () => {
    for (const id of ['', 'nobody', "acme' or 'a' = 'a", 'acme\\', "'; drop table tenants; --"]) {
      expect(await store().asTenant(id, (tx) => tx.$count(apiKeys))).toBe(0);
    }
  });

  it('may not access tables of the installation or change its own tenant', async () => {
    const error = await refusal(store().asTenant('acme', (tx) => tx.select().from(settings)));
    expect(error).toMatchObject({ code: 'QUERY', sqlState: '42501' });
    await refusal(store().asTenant('acme', (tx) => tx.update(tenants).set({ name: 'mine' })));
  });

  it('leaves no rights on the connection', async () => {
    await store().asTenant('acme', async () => {});
    await store().asSystem(async () => {});
    const after = await store().asTenant('umbrella', (tx) => tx.execute(sql`select current_user, session_user`));
    expect(after.rows[0]).toMatchObject({ current_user: 'treeline_app' });
    expect(await store().asTenant('umbrella', (tx) => tx.$count(apiKeys))).toBe(1);
  });

  it('rolls back when its work rejects, and rejects with the same error', async () => {
    const attempt = store().asTenant('acme', async (tx) => {
      await tx.insert(apiKeys).values(key('acme', 'lost'));
      throw new RangeError('no');
    });
    await expect(attempt).rejects.toThrow(new RangeError('no'));
    expect(await store().asTenant('acme', (tx) => tx.$count(apiKeys))).toBe(1);
  });

  it('rejects when the work ignored a failed statement, because its commit was a rollback', async () => {
    const error = await refusal(
      store().asTenant('acme', async (tx) => {
        await tx.insert(apiKeys).values(key('acme', 'lost'));
        await tx.execute(sql`select 1 / 0`).catch(() => {});
      }),
    );
    expect(error.message).toContain('rolled back');
    expect(await store().asTenant('acme', (tx) => tx.$count(apiKeys))).toBe(1);
  });

  it('continues after a failed statement inside a savepoint', async () => {
    const count = await store().asTenant('acme', async (tx) => {
      await tx.execute(sql`savepoint attempt`);
      await tx.execute(sql`select 1 / 0`).catch(() => tx.execute(sql`rollback to savepoint attempt`));
      return tx.$count(apiKeys);
    });
    expect(count).toBe(1);
  });

  it('refuses a nested transaction immediately, because a pool of one would wait for itself', async () => {
    const nested = store().asTenant('acme', () => store().asTenant('acme', async () => 'never'));
    expect(await refusal(nested)).toMatchObject({ code: 'NESTED', message: expect.stringMatching(/./) });
    const across = store().asSystem(() => store().asTenant('acme', async () => 'never'));
    expect(await refusal(across)).toMatchObject({ code: 'NESTED' });
    const after = await store().asTenant(
      'acme',
      async () => new Promise<number>((resolve) => setImmediate(resolve, 1)),
    );
    expect(after).toBe(1);
  });

  it('may be followed by another that was prepared inside it', async () => {
    const signals: (() => void)[] = [];
    const over = new Promise<void>((resolve) => signals.push(resolve));
    let following: Promise<number> | undefined;
    await store().asTenant('acme', async () => {
      following = over.then(() => store().asTenant('acme', (tx) => tx.$count(apiKeys)));
    });
    for (const signal of signals) signal();
    expect(await following).toBe(1);
  });

  it('waits in order when all connections are in use', async () => {
    const order: number[] = [];
    await Promise.all(
      [1, 2, 3, 4, 5].map((turn) =>
        store().asTenant('acme', async (tx) => {
          await tx.execute(sql`select ${turn}`);
          order.push(turn);
        }),
      ),
    );
    expect(order).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('an error of a statement', () => {
  it('has the name of the constraint', async () => {
    const taken = await refusal(store().asTenant('acme', (tx) => tx.insert(apiKeys).values(key('acme', 'dashboard'))));
    expect(taken).toMatchObject({ name: 'StoreError', code: 'CONFLICT', constraint: 'api_keys_token_hash' });
    const orphan = await refusal(store().asSystem((tx) => tx.insert(apiKeys).values(key('nobody', 'k'))));
    expect(orphan).toMatchObject({ code: 'REFERENCE', constraint: 'api_keys_tenant_id_tenants_id_fk' });
  });

  it('contains no parameter of the statement', async () => {
    const secret = 'p4ssw0rd';
    const attempts = [
      store().asSystem((tx) => tx.insert(apiKeys).values({ ...key('nobody', 'k'), tokenHash: secret })),
      store().asSystem((tx) => tx.execute(sql`insert into settings (key, value) values (null, ${`"${secret}"`})`)),
      store().asSystem((tx) => tx.execute(sql`select ${secret} from nowhere`)),
    ];
    for (const error of await Promise.all(attempts.map(refusal))) {
      expect(`${error.stack} ${String(error.cause)} ${JSON.stringify(error)}`).not.toContain(secret);
    }
  });
});

describe('a transaction across tenants', () => {
  it('reads the rows of every tenant', async () => {
    expect(await store().asSystem((tx) => tx.$count(apiKeys))).toBe(2);
  });
});

const roles = roleNames(SHARED_PREFIX);
const PLAIN = { clock: systemClock, roles, connectSql: connectionRoleSql(roles), transactionSql: null };

/** A pool of one connection that answers as `answers` says, else with an empty result, and what was done with it. */
function scripted(answers: Readonly<Record<string, object | Error>>, embedded = false) {
  const done: unknown[] = [];
  const query = async (text: string): Promise<object> => {
    done.push(text.split(';')[0]);
    const answer = answers[text] ?? {};
    if (answer instanceof Error) throw answer;
    return answer;
  };
  const release = (broken?: Error): void => void done.push(broken ? `discarded: ${broken.message}` : 'released');
  const pool = {
    query,
    connect: async () => ({ query, release }),
    end: async () => void done.push('pool ended'),
    on: () => {},
  };
  // What a store asks of a pool, and of its clients.
  const made = createStore({
    ...PLAIN,
    pool: pool as unknown as Pool,
    embedded,
    end: async () => void done.push('ended'),
  });
  return { store: made, done };
}

describe('the connection of a transaction', () => {
  const committed = { command: 'COMMIT' };

  it('goes back to the pool', async () => {
    const { store, done } = scripted({ commit: committed });
    expect(await store.asSystem(async () => 7)).toBe(7);
    expect(done).toEqual(['begin', 'commit', 'released']);
  });

  it('goes back to the pool when the work failed and was rolled back', async () => {
    const { store, done } = scripted({ commit: committed });
    await expect(store.asSystem(() => Promise.reject(new RangeError('no')))).rejects.toThrow('no');
    expect(done).toEqual(['begin', 'rollback', 'released']);
  });

  it('is discarded when not even the rollback came through', async () => {
    const { store, done } = scripted({ rollback: new Error('broken') });
    await expect(store.asSystem(() => Promise.reject(new RangeError('no')))).rejects.toThrow('no');
    expect(done).toEqual(['begin', 'rollback', 'discarded: broken']);
  });

  it('whose commit was answered with a rollback is QUERY', async () => {
    const { store } = scripted({ commit: { command: 'ROLLBACK' } });
    expect(await refusal(store.asSystem(async () => 7))).toMatchObject({ code: 'QUERY' });
  });
});

describe('a store', () => {
  it('asks the database whether it is there', async () => {
    const { store, done } = scripted({ 'select 1': new Error('away') });
    await expect(store.ping()).rejects.toThrow('away');
    expect(done).toEqual(['select 1']);
  });

  it('leaves maintenance to Postgres, which does it by itself', async () => {
    const { store, done } = scripted({});
    await store.maintain();
    expect(done).toEqual([]);
  });

  it('closes its pool, then what the pool spoke to, once', async () => {
    const { store, done } = scripted({});
    await Promise.all([store.close(), store.close()]);
    await store.close();
    expect(done).toEqual(['pool ended', 'ended']);
  });

  it('leaves a connection without any rights, and renews the statistics of the embedded database', async () => {
    const { location, drop } = await migratedDatabase();
    const { pool, close } = await ownerPool(location);
    const owned = createStore({ ...PLAIN, pool, embedded: true, end: async () => {} });
    try {
      await owned.asSystem((tx) => tx.insert(tenants).values({ id: 'acme', name: 'Acme', createdAt: now }));
      await owned.asTenant('acme', (tx) => tx.select().from(tenants));
      const rights = `select current_user = session_user as own, current_setting('app.tenant', true) as tenant`;
      expect((await pool.query(rights)).rows).toEqual([{ own: true, tenant: '' }]);
      const statistics = `select reltuples::int as rows from pg_class where relname = 'tenants'`;
      expect((await pool.query(statistics)).rows).toEqual([{ rows: -1 }]);
      await owned.maintain();
      expect((await pool.query(statistics)).rows).toEqual([{ rows: 1 }]);
    } finally {
      await close();
      await drop();
    }
  });
});
