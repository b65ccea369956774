import { sql } from 'drizzle-orm';
import { pgPolicy, pgRole, type AnyPgColumn, type PgPolicy } from 'drizzle-orm/pg-core';

/** The role of a transaction of one tenant: it reads and writes only rows of the tenant in `app.tenant`. */
export const APP_ROLE = 'treeline_app';
/** The role of a transaction across tenants. Neither role can log in; the connection's user sets them. */
export const SYSTEM_ROLE = 'treeline_system';

const app = pgRole(APP_ROLE).existing();
const system = pgRole(SYSTEM_ROLE).existing();

/**
 * The policies of a table whose rows belong to tenants; `tenant` is the column with the tenant's ID. Every such table
 * lists them: `pgTable('…', { … }, (table) => [...rowSecurity(table.tenantId), …])`. A transaction without a tenant
 * reads no rows.
 */
export function rowSecurity(tenant: AnyPgColumn): PgPolicy[] {
  const own = sql`${tenant} = current_setting('app.tenant', true)`;
  return [
    pgPolicy('one_tenant', { for: 'all', to: app, using: own, withCheck: own }),
    pgPolicy('all_tenants', { for: 'all', to: system, using: sql`true`, withCheck: sql`true` }),
  ];
}

/**
 * Creates the missing roles. Roles belong to the whole PostgreSQL server, so a process with another database may create
 * them at the same time. For a user without CREATEROLE, an administrator must create both and grant them to it first.
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
 * Grants the roles their rights on each table. It runs after every migration, so that it includes new tables. The
 * policies apply to the owner too. Only the system role may use tables without a tenant, and a tenant may not change
 * its own row in `tenants`.
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
