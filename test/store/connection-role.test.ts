import { randomUUID } from 'node:crypto';
import { getTableName, is, sql } from 'drizzle-orm';
import { PgTable } from 'drizzle-orm/pg-core';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import * as schema from '../../src/store/index.ts';
import { openStore, tenants, type Store } from '../../src/store/index.ts';
import { SHARED_PREFIX } from '../../src/store/roles.ts';
import { migratedDatabase, ownerPool, useStore } from './database.ts';

const server = process.env['TREELINE_TEST_DATABASE_URL'];
const TABLES = Object.values(schema).flatMap((one: unknown) => (is(one, PgTable) ? [getTableName(one)] : []));

const tenant = { id: 'acme', name: 'Acme', createdAt: new Date(0) };
const addTenant = (store: Store): Promise<unknown> =>
  store.asSystem((tx) => tx.insert(tenants).values(tenant).onConflictDoNothing());

describe('a connection of the store', () => {
  const store = useStore();
  beforeAll(() => addTenant(store()));

  it.each(TABLES)('reads nothing of %s outside a transaction', async (table) => {
    const outside = store().asSystem(async (tx) => {
      await tx.execute(sql`commit`);
      return tx.execute(sql`select * from ${sql.identifier(table)}`);
    });
    await expect(outside).rejects.toMatchObject({ sqlState: '42501' });
  });

  it('has no rights again after a transaction, whether it was committed or rolled back', async () => {
    const current = async (): Promise<unknown> =>
      store().asSystem(async (tx) => {
        await tx.execute(sql`commit`);
        return (await tx.execute(sql`select current_user`)).rows[0];
      });
    await expect(store().asTenant(tenant.id, () => Promise.reject(new Error('unwanted')))).rejects.toThrow('unwanted');
    expect(await current()).toEqual({ current_user: 'treeline_connection' });
    await store().maintain();
    await expect(
      store().asSystem(async (tx) => {
        await tx.execute(sql`rollback`);
        return tx.execute(sql`select * from tenants`);
      }),
    ).rejects.toMatchObject({ sqlState: '42501' });
  });
});

it('lets a transaction of one tenant not become one of all tenants by its role', async () => {
  const { location, drop } = await migratedDatabase();
  const { pool, close } = await ownerPool(location);
  try {
    const { rows } = await pool.query(`
      select role, pg_has_role(role, 'treeline_system', 'usage') as inherits,
             pg_has_role(role, 'treeline_system', 'member') as member
        from unnest(array['treeline_app', 'treeline_connection']) as role`);
    expect(rows).toEqual([
      { role: 'treeline_app', inherits: false, member: false },
      { role: 'treeline_connection', inherits: false, member: true },
    ]);
    await pool.query('set session authorization treeline_app');
    await expect(pool.query('set role treeline_system')).rejects.toMatchObject({ code: '42501' });
  } finally {
    await close();
    await drop();
  }
});

describe.runIf(server)('a user of Postgres that is no superuser', () => {
  const name = `treeline_owner_${randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const location = (): { kind: 'postgres'; url: string; roles: string } => {
    const url = new URL(server ?? '');
    url.pathname = `/${name}`;
    url.username = name;
    url.password = 'pw';
    return { kind: 'postgres', url: url.href, roles: SHARED_PREFIX };
  };
  let admin: Client;
  let version: number;

  beforeAll(async () => {
    // The roles exist, as on a server that already has another installation.
    const { drop } = await migratedDatabase();
    await drop();
    admin = new Client({ connectionString: server });
    await admin.connect();
    version = Number((await admin.query('show server_version_num')).rows[0].server_version_num);
    await admin.query(`create role ${name} login createrole password 'pw'`);
    await admin.query(`create database ${name} owner ${name}`);
  });
  afterAll(async () => {
    await admin.query(`drop database if exists ${name} with (force)`);
    await admin.query(`drop role ${name}`);
    await admin.end();
  });

  const asUser = async (statement: string): Promise<Record<string, unknown>[]> => {
    const client = new Client({ connectionString: location().url });
    await client.connect();
    return client.query(statement).then(
      ({ rows }) => client.end().then(() => rows),
      (error: unknown) => client.end().then(() => Promise.reject(error)),
    );
  };

  it('is refused or corrected when it inherits the roles of an earlier version', async () => {
    await admin.query(`grant treeline_app, treeline_system to ${name}`);
    const opened = openStore({ database: location() });
    if (version < 160_000) {
      await (await opened).close();
    } else {
      // Only the administrator who granted the roles can take them away.
      await expect(opened).rejects.toThrow(`revoke treeline_app, treeline_system from ${name}`);
      await admin.query(`revoke treeline_app, treeline_system from ${name}; grant treeline_connection to ${name}`);
    }
    await (await openStore({ database: location() })).close();
    const inherits = `select pg_has_role('treeline_app', 'usage') or pg_has_role('treeline_system', 'usage') as any`;
    expect(await asUser(inherits)).toEqual([{ any: false }]);
  });

  it('reads no row outside the transactions of the store, though it owns the tables', async () => {
    const store = await openStore({ database: location() });
    await addTenant(store);
    expect(await store.asTenant(tenant.id, (tx) => tx.$count(tenants))).toBe(1);
    await store.close();
    expect(await asUser('select * from tenants')).toEqual([]);
    await expect(asUser(`insert into tenants values ('globex', 'Globex', now())`)).rejects.toThrow(
      'row-level security',
    );
  });
});

describe('a row', () => {
  const store = useStore();
  const other = { ...tenant, id: 'globex' };
  beforeAll(async () => {
    await addTenant(store());
    await store().asSystem((tx) => tx.insert(tenants).values(other));
  });

  it('can’t refer to a row of another tenant, even in a transaction of all tenants', async () => {
    const references = await store().asSystem(
      async (tx) =>
        (
          await tx.execute<{ key: string; columns: string[] }>(sql`
            select conrelid::regclass || ' ' || conname as key,
                   array(select attname::text from pg_attribute where attrelid = conrelid and attnum = any (conkey)
                          order by attnum) as columns
              from pg_constraint
             where contype = 'f' and connamespace = 'public'::regnamespace and confrelid <> 'tenants'::regclass`)
        ).rows,
    );
    expect(references.length).toBeGreaterThan(10);
    for (const { key, columns } of references)
      expect([key, columns]).toEqual([key, expect.arrayContaining(['tenant_id'])]);
    const profile = {
      id: randomUUID(),
      tenantId: tenant.id,
      name: 'theirs',
      isDefault: false,
      mappings: [],
      methods: [],
      createdAt: new Date(0),
      updatedAt: new Date(0),
    };
    await store().asSystem((tx) => tx.insert(schema.profiles).values(profile));
    const foreign = store().asTenant(other.id, (tx) =>
      tx.insert(schema.devices).values({
        id: randomUUID(),
        tenantId: other.id,
        endpoint: 'a',
        tags: [],
        profileId: profile.id,
        status: 'NEVER_SEEN',
        createdAt: new Date(0),
        updatedAt: new Date(0),
      }),
    );
    await expect(foreign).rejects.toMatchObject({ code: 'REFERENCE', constraint: 'devices_profile_id_of_tenant' });
  });
});
