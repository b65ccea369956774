import { sql } from 'drizzle-orm';
import { pgPolicy, pgRole, type AnyPgColumn, type PgPolicy } from 'drizzle-orm/pg-core';

/** The role of a transaction of one tenant: it reads and writes only rows of the tenant in `app.tenant`. */
export const APP_ROLE = 'treeline_app';
/** The role of a transaction across tenants. */
export const SYSTEM_ROLE = 'treeline_system';
/** The role of a connection outside of transactions. It has no right on any table. No role of these three can log in. */
export const CONNECTION_ROLE = 'treeline_connection';

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
 * Creates the missing roles and their memberships. The user of `DATABASE_URL` is a member of the connection role, and
 * that is a member of the other two. No membership is inherited: PostgreSQL applies a policy also to users that inherit
 * its role, so a statement outside a transaction of `Store` would read the rows of all tenants. Memberships of earlier
 * versions, which were inherited, are taken away.
 *
 * Before PostgreSQL 16, the member's attribute NOINHERIT decides; that is why the connection role stands between. Since
 * 16, the grant decides, and a role's creator may not set it without a grant.
 *
 * Roles belong to the whole PostgreSQL server, so a process with another database may create them at the same time. For
 * a user without CREATEROLE, an administrator must create all three and grant the connection role to it first. Fails
 * when the user inherits the rights of the system role and can't end that.
 */
export const ROLES_SQL = `
do $$
declare
  name text;
  newer constant boolean := current_setting('server_version_num')::int >= 160000;
  options constant text := case when newer then ' with inherit false, set true' else '' end;
  superuser constant boolean := (select rolsuper from pg_roles where rolname = current_user);
  usable constant text := case when newer then 'set' else 'member' end;
begin
  foreach name in array array['${APP_ROLE}', '${SYSTEM_ROLE}', '${CONNECTION_ROLE}'] loop
    if not exists (select from pg_roles where rolname = name) then
      begin
        execute format('create role %I nologin noinherit', name);
      exception when duplicate_object or unique_violation then null;
      end;
    end if;
  end loop;
  foreach name in array array['${APP_ROLE}', '${SYSTEM_ROLE}'] loop
    if not pg_has_role('${CONNECTION_ROLE}', name, usable) then
      execute format('grant %I to ${CONNECTION_ROLE}', name) || options;
    end if;
    if exists (select from pg_auth_members
                where roleid = name::regrole
                  and member = (select oid from pg_roles where rolname = current_user)
                  and (not newer or grantor = member)) then
      begin
        execute format('revoke %I from current_user', name);
      exception when insufficient_privilege then null;
      end;
    end if;
  end loop;
  if not superuser then
    if not pg_has_role(current_user, '${SYSTEM_ROLE}', usable) then
      execute 'grant ${CONNECTION_ROLE} to current_user' || options;
    end if;
    if pg_has_role(current_user, '${SYSTEM_ROLE}', 'usage') then
      raise exception 'the database user % inherits the role ${SYSTEM_ROLE}, so it would see the rows of all tenants: run "revoke ${APP_ROLE}, ${SYSTEM_ROLE} from %; grant ${CONNECTION_ROLE} to %" as an administrator', current_user, current_user, current_user;
    end if;
  end if;
end $$`;

/**
 * Gives a new connection its rights: none. Each transaction sets its own role and gives it back at its end. It also
 * takes the rights away from a superuser, to whom no policy applies.
 */
export const CONNECTION_SQL = `set role ${CONNECTION_ROLE}`;

/**
 * Grants the roles their rights on each table. It runs after every migration, so that it includes new tables. The
 * policies apply to the owner too. Only the system role may use tables without a tenant, and a tenant may not change
 * its own row in `tenants`.
 */
export const RIGHTS_SQL = `
do $$
declare
  relation record;
  role_name text;
begin
  foreach role_name in array array['${APP_ROLE}', '${SYSTEM_ROLE}'] loop
    -- The schema may have no privileges for everybody.
    if not has_schema_privilege(role_name, current_schema(), 'usage') then
      execute format('grant usage on schema %I to %I', current_schema(), role_name);
    end if;
  end loop;
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
