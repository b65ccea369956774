import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';

import { useStore } from './database.ts';

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

it('lets neither role log in or bypass the policies', async () => {
  const roles = await rows(sql`
    select rolname, rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname like 'treeline_%' order by rolname`);
  expect(roles.map((role) => Object.values(role))).toEqual([
    ['treeline_app', false, false, false],
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
