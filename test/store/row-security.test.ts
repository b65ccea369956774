import { is, sql } from 'drizzle-orm';
import { getTableConfig, PgDialect, PgRole, PgTable } from 'drizzle-orm/pg-core';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { roleNames, SHARED_PREFIX } from '../../src/store/roles.ts';
import { rightsSql, rolesSql } from '../../src/store/row-security.ts';
import * as schema from '../../src/store/index.ts';
import { migratedDatabase, ownerPool, useStore } from './database.ts';

const RIGHTS_SQL = rightsSql(roleNames(SHARED_PREFIX));
const ROLES_SQL = rolesSql(roleNames(SHARED_PREFIX));

const server = process.env['TREELINE_TEST_DATABASE_URL'];
const store = useStore();

const rows = (query: ReturnType<typeof sql>): Promise<Record<string, unknown>[]> =>
  store().asSystem(async (tx) => (await tx.execute(query)).rows);

it('forces the same two policies on every table with a tenant, also for its owner', async () => {
  const tables = await rows(sql`
    select class.relname as name, relrowsecurity and relforcerowsecurity as forced,
           (select array_agg(polname || ' ' || polroles::regrole[]::text || ' ' || pg_get_expr(polqual, polrelid)
                             || ' ' || pg_get_expr(polwithcheck, polrelid) order by polname)
              from pg_policy where polrelid = class.oid) as policies
      from information_schema.columns, pg_class class
     where column_name = 'tenant_id' and table_schema = 'public' and class.oid = table_name::regclass`);
  expect(tables.length).toBeGreaterThan(1);
  const own = `(tenant_id = current_setting('app.tenant'::text, true))`;
  for (const table of tables) {
    expect(table).toEqual({
      name: table['name'],
      forced: true,
      policies: ['all_tenants {treeline_system} true true', `one_tenant {treeline_app} ${own} ${own}`],
    });
  }
});

it('gives the tenant role no right on a table without row-level security', async () => {
  const open = await rows(sql`
    select relname from pg_class
     where relkind = 'r' and relnamespace = 'public'::regnamespace and not relrowsecurity
       and has_table_privilege('treeline_app', oid, 'select, insert, update, delete, truncate, references, trigger')`);
  expect(open).toEqual([]);
});

it('lets no role log in or bypass the policies', async () => {
  const roles = await rows(sql`
    select rolname, rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname like 'treeline_%' order by rolname`);
  expect(roles.map((role) => Object.values(role))).toEqual([
    ['treeline_app', false, false, false],
    ['treeline_connection', false, false, false],
    ['treeline_system', false, false, false],
  ]);
});

it('has an index for every foreign key, so that deleting a device or a tenant scans no table', async () => {
  const without = await rows(sql`
    select conrelid::regclass::text || ' ' || conname as key from pg_constraint
     where contype = 'f' and connamespace = 'public'::regnamespace
       and not exists (select from pg_index where indrelid = conrelid and indkey[0] = any (conkey))`);
  expect(without).toEqual([]);
});

it('declares for every table with a tenant the two policies that its migration made', () => {
  const dialect = new PgDialect();
  const text = (condition: ReturnType<typeof sql> | undefined): string =>
    condition ? dialect.sqlToQuery(condition).sql : '';
  const tables = Object.values(schema).flatMap((one: unknown) => (is(one, PgTable) ? [getTableConfig(one)] : []));
  const withTenant = tables.filter(({ columns }) => columns.some(({ name }) => name === 'tenant_id'));
  expect(withTenant.length).toBeGreaterThan(1);
  for (const { name, policies } of withTenant) {
    const own = `"${name}"."tenant_id" = current_setting('app.tenant', true)`;
    expect(
      policies.map((policy) => [
        policy.name,
        policy.for,
        is(policy.to, PgRole) && policy.to.name,
        text(policy.using),
        text(policy.withCheck),
      ]),
    ).toEqual([
      ['one_tenant', 'all', 'treeline_app', own, own],
      ['all_tenants', 'all', 'treeline_system', 'true', 'true'],
    ]);
  }
});

describe('the rights that a start grants', () => {
  let pool: Pool;
  let close: () => Promise<void>;
  beforeAll(async () => {
    const { location, drop } = await migratedDatabase();
    const owner = await ownerPool(location);
    pool = owner.pool;
    close = () => owner.close().then(drop);
  });
  afterAll(() => close());

  /** Runs the statements, then `statement`, and resolves with what `look` finds; nothing of it stays. */
  async function after(before: string, statement: string, look: string): Promise<Record<string, unknown>[]> {
    await pool.query('begin');
    try {
      await pool.query(before);
      await pool.query(statement);
      return (await pool.query(look)).rows;
    } finally {
      await pool.query('rollback');
    }
  }

  const RIGHTS = `
    select relnamespace::regnamespace::text || '.' || relname as name, relrowsecurity as "byTenant",
           relforcerowsecurity as forced, rights('treeline_app', oid) as app, rights('treeline_system', oid) as system
      from pg_class where relkind in ('r', 'v') and relnamespace in ('public'::regnamespace, 'other'::regnamespace)
     order by name`;

  const PREPARED = `
    create function rights(role text, relation oid) returns text language sql as $$
      select coalesce(string_agg(wanted, ' '), '')
        from unnest(array['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger']) as wanted
       where has_table_privilege(role, relation, wanted) $$;
    create schema other`;

  const ALL = 'select insert update delete';

  it('is what the two roles may do with each table, though all of it was taken away', async () => {
    const taken = `
      revoke all on all tables in schema public from treeline_app, treeline_system;
      do $$ declare one record; begin
        for one in select oid::regclass as name from pg_class
                    where relkind = 'r' and relnamespace = 'public'::regnamespace loop
          execute 'alter table ' || one.name || ' no force row level security';
        end loop;
      end $$`;
    const without = await after(PREPARED, taken, RIGHTS);
    expect(without.length).toBeGreaterThan(10);
    for (const table of without) expect(table).toMatchObject({ forced: false, app: '', system: '' });
    const tables = await after(`${PREPARED}; ${taken}`, RIGHTS_SQL, RIGHTS);
    expect(tables).toHaveLength(without.length);
    for (const { name, byTenant, ...rights } of tables) {
      const app = byTenant ? (name === 'public.tenants' ? 'select' : ALL) : '';
      expect({ name, ...rights }).toEqual({ name, forced: byTenant, app, system: ALL });
    }
    expect(tables.filter(({ byTenant }) => byTenant).length).toBeGreaterThan(5);
    expect(tables.filter(({ byTenant }) => !byTenant).length).toBeGreaterThan(0);
  });

  it('holds for tables that a migration adds, whatever their names, and for nothing else', async () => {
    const added = `
      create table "Of ""a"" tenant" (tenant_id text);
      alter table "Of ""a"" tenant" enable row level security;
      create table "of the installation" (n int);
      create view a_view as select 1 as n;
      create table other.elsewhere (tenant_id text);
      alter table other.elsewhere enable row level security`;
    const tables = await after(`${PREPARED}; ${added}`, RIGHTS_SQL, RIGHTS);
    const named = new Map(tables.map(({ name, ...rights }) => [name, rights]));
    expect(named.get('public.Of "a" tenant')).toEqual({ byTenant: true, forced: true, app: ALL, system: ALL });
    expect(named.get('public.of the installation')).toEqual({ byTenant: false, forced: false, app: '', system: ALL });
    expect(named.get('public.a_view')).toMatchObject({ app: '', system: '' });
    expect(named.get('other.elsewhere')).toEqual({ byTenant: true, forced: false, app: '', system: '' });
  });

  it('leaves tables with the right rights alone, so that a start waits for no lock', async () => {
    await pool.query(RIGHTS_SQL);
    const locks = await after(
      '',
      RIGHTS_SQL,
      `select relation::regclass from pg_locks join pg_class on oid = relation
        where pid = pg_backend_pid() and relnamespace = 'public'::regnamespace
          and mode in ('AccessExclusiveLock', 'ShareRowExclusiveLock', 'ShareUpdateExclusiveLock')`,
    );
    expect(locks).toEqual([]);
    const touched = await after('', RIGHTS_SQL, `select relname from pg_class where xmin = pg_current_xact_id()::xid`);
    expect(touched).toEqual([]);
  });

  // Another database of the same server may use the roles, and then they can't be dropped.
  it.skipIf(server)('needs three roles, which can neither log in nor go around the policies', async () => {
    const dropped =
      'drop owned by treeline_app, treeline_system; drop role treeline_app, treeline_system, treeline_connection';
    const look = `select rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole
                    from pg_roles where rolname like 'treeline_%' order by rolname`;
    const roles = await after(dropped, ROLES_SQL, look);
    const harmless = { rolcanlogin: false, rolsuper: false, rolbypassrls: false, rolcreaterole: false };
    expect(roles).toEqual(
      ['treeline_app', 'treeline_connection', 'treeline_system'].map((rolname) => ({ rolname, ...harmless })),
    );
    expect(await after(dropped, `${ROLES_SQL}; ${ROLES_SQL}`, look)).toEqual(roles);
  });
});
