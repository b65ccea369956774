import { sql } from 'drizzle-orm';
import { pgPolicy, pgRole, type AnyPgColumn, type PgPolicy } from 'drizzle-orm/pg-core';

/** The role of a transaction as one tenant: reads and writes rows of `app.tenant` only. */
export const APP_ROLE = 'treeline_app';
/** The role of a transaction across tenants. Neither role may log in: the connection's user takes them on. */
export const SYSTEM_ROLE = 'treeline_system';

const app = pgRole(APP_ROLE).existing();
const system = pgRole(SYSTEM_ROLE).existing();

/**
 * The policies of a table whose rows belong to tenants; `tenant` is the column that says whose. Every such table has
 * them as its extra configuration: `pgTable('…', { … }, (table) => [...rowSecurity(table.tenantId), …])`. A transaction
 * without a tenant sees nothing.
 */
export function rowSecurity(tenant: AnyPgColumn): PgPolicy[] {
  const own = sql`${tenant} = current_setting('app.tenant', true)`;
  return [
    pgPolicy('one_tenant', { for: 'all', to: app, using: own, withCheck: own }),
    pgPolicy('all_tenants', { for: 'all', to: system, using: sql`true`, withCheck: sql`true` }),
  ];
}

/**
 * Makes the roles where they are missing. Roles belong to the whole server, so another database's start may be making
 * them at the same moment. A user without CREATEROLE needs both made, and granted to it, beforehand.
 */
export const ROLES_SQL = `
do $$
declare name text;
begin
  foreach name in array array['${APP_ROLE}', '${SYSTEM_ROLE}'] loop
    if not exists (select from pg_roles where rolname = name) then
      begin
        execute format('create role %I nologin', name);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
    if not pg_has_role(current_user, name, 'member') then
      execute format('grant %I to current_user', name);
    end if;
  end loop;
end $$`;

/**
 * States what each role may do with each table; run after every migration, so that no table is ever forgotten. The
 * owner is held to the policies too. Tables without a tenant are the system's alone, and no tenant changes its own row.
 */
export const RIGHTS_SQL = `
do $$
declare
  relation record;
begin
  for relation in
    select class.oid, format('%I.%I', class.relnamespace::regnamespace, class.relname) as name,
           class.relrowsecurity as by_tenant, class.relforcerowsecurity as forced,
           case class.relname when 'tenants' then 'select' else 'select, insert, update, delete' end as rights
    from pg_class class
    where class.relkind = 'r' and class.relnamespace = current_schema()::regnamespace
  loop
    if not has_table_privilege('${SYSTEM_ROLE}', relation.oid, 'select, insert, update, delete') then
      execute 'grant select, insert, update, delete on ' || relation.name || ' to ${SYSTEM_ROLE}';
    end if;
    if relation.by_tenant and not relation.forced then
      execute 'alter table ' || relation.name || ' force row level security';
    end if;
    if relation.by_tenant and not has_table_privilege('${APP_ROLE}', relation.oid, 'select') then
      execute 'grant ' || relation.rights || ' on ' || relation.name || ' to ${APP_ROLE}';
    end if;
  end loop;
end $$`;
