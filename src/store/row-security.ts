import { sql } from 'drizzle-orm';
import { pgPolicy, pgRole, type AnyPgColumn, type PgPolicy } from 'drizzle-orm/pg-core';
import { escapeLiteral } from 'pg';

import { roleNames, SHARED_PREFIX, type RoleNames } from './roles.ts';

/** The migrations name these roles; `migrate` replaces them by those of the installation. */
export const WRITTEN_ROLES = roleNames(SHARED_PREFIX);

/** The table of applied migrations, as Drizzle names it. */
export const MIGRATIONS_TABLE = '__drizzle_migrations';

const app = pgRole(WRITTEN_ROLES.app).existing();
const system = pgRole(WRITTEN_ROLES.system).existing();

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

/** The three names as constants of a block of PL/pgSQL. */
function constants({ app, system, connection }: RoleNames): string {
  return `
  app constant name := ${escapeLiteral(app)};
  system constant name := ${escapeLiteral(system)};
  connection constant name := ${escapeLiteral(connection)};`;
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
 * Roles belong to the whole PostgreSQL server, so a process with another database may create them at the same time.
 * Fails with the statements for an administrator when the user may not run them, and when the user inherits the rights
 * of the system role and can't end that.
 */
export function rolesSql(names: RoleNames): string {
  return `
do $$
declare${constants(names)}
  one name;
  statement text;
  missing text[] := '{}';
  newer constant boolean := current_setting('server_version_num')::int >= 160000;
  options constant text := case when newer then ' with inherit false, set true' else '' end;
  superuser constant boolean := (select rolsuper from pg_roles where rolname = current_user);
  usable constant text := case when newer then 'set' else 'member' end;
begin
  foreach one in array array[app, system, connection] loop
    if not exists (select from pg_roles where rolname = one) then
      statement := format('create role %I nologin noinherit', one);
      begin
        execute statement;
      exception
        when duplicate_object or unique_violation then null;
        when insufficient_privilege then missing := missing || statement;
      end;
    end if;
  end loop;
  if exists (select from pg_roles where rolname in (app, system, connection) and (rolsuper or rolbypassrls)) then
    raise exception 'the roles %, % and % must have neither SUPERUSER nor BYPASSRLS, because both go around row-level security', app, system, connection;
  end if;
  foreach one in array array[app, system] loop
    statement := format('grant %I to %I', one, connection) || options;
    if cardinality(missing) > 0 then
      missing := missing || statement;
    elsif not pg_has_role(connection, one, usable) then
      begin
        execute statement;
      exception when insufficient_privilege then missing := missing || statement;
      end;
    end if;
    if exists (select from pg_auth_members
                where roleid = (select oid from pg_roles where rolname = one)
                  and member = (select oid from pg_roles where rolname = current_user)
                  and (not newer or grantor = member)) then
      begin
        execute format('revoke %I from current_user', one);
      exception when insufficient_privilege then null;
      end;
    end if;
  end loop;
  if not superuser then
    statement := format('grant %I to %I', connection, current_user) || options;
    if cardinality(missing) > 0 then
      missing := missing || statement;
    elsif not pg_has_role(current_user, system, usable) then
      begin
        execute statement;
      exception when insufficient_privilege then missing := missing || statement;
      end;
    end if;
  end if;
  if cardinality(missing) > 0 then
    raise exception 'the database user % may not create its roles: run "%" as an administrator', current_user, array_to_string(missing, '; ');
  end if;
  if not superuser and pg_has_role(current_user, system, 'usage') then
    raise exception 'the database user % inherits the role %, so it would see the rows of all tenants: run "revoke %, % from %; grant % to %" as an administrator', current_user, system, app, system, current_user, connection, current_user;
  end if;
end $$`;
}

/**
 * Gives a new connection its rights: none. Each transaction sets its own role and gives it back at its end. It also
 * takes the rights away from a superuser, to whom no policy applies.
 */
export function connectionRoleSql({ connection }: RoleNames): string {
  return `select set_config('role', ${escapeLiteral(connection)}, false)`;
}

/**
 * Gives the policies of all tables to these roles, where they belong to others: the installation got another prefix. The
 * rights of the former roles end. Processes that still use them see no rows.
 */
export function adoptSql(names: RoleNames): string {
  return `
do $$
declare${constants(names)}
  policy record;
begin
  for policy in
    select polname, format('%I.%I', current_schema(), relname) as relation, rolname as former,
           case polname when 'one_tenant' then app else system end as wanted
      from pg_policy
      join pg_class on pg_class.oid = polrelid
      join pg_roles on pg_roles.oid = any (polroles)
     where relnamespace = to_regnamespace(quote_ident(current_schema())) and polname in ('one_tenant', 'all_tenants')
  loop
    if policy.former <> policy.wanted then
      execute format('alter policy %I on %s to %I', policy.polname, policy.relation, policy.wanted);
      execute format('revoke all on all tables in schema %I from %I', current_schema(), policy.former);
      execute format('revoke all on schema %I from %I', current_schema(), policy.former);
    end if;
  end loop;
end $$`;
}

/** The other databases of the server whose policies belong to these roles: `datname`. */
export function sharingSql({ system }: RoleNames): string {
  return `
    select distinct datname from pg_shdepend join pg_database on pg_database.oid = dbid
     where refclassid = 'pg_authid'::regclass and deptype = 'r' and datname <> current_database()
       and refobjid = (select oid from pg_roles where rolname = ${escapeLiteral(system)})
     order by datname`;
}

/**
 * Grants the roles their rights on each table of the current schema. It runs after every migration, so that it includes
 * new tables. The policies apply to the owner too. Only the system role may use tables without a tenant, and a tenant
 * may not change its own row in `tenants`.
 */
export function rightsSql(names: RoleNames): string {
  return `
do $$
declare${constants(names)}
  relation record;
  one name;
begin
  foreach one in array array[app, system] loop
    -- The schema may have no privileges for everybody.
    if not has_schema_privilege(one, current_schema(), 'usage') then
      execute format('grant usage on schema %I to %I', current_schema(), one);
      if not has_schema_privilege(one, current_schema(), 'usage') then
        raise exception 'the database user % may not grant privileges on the schema %: run "grant usage on schema % to %, %" as an administrator', current_user, current_schema(), quote_ident(current_schema()), quote_ident(app), quote_ident(system);
      end if;
    end if;
  end loop;
  for relation in
    select class.oid, format('%I.%I', current_schema(), class.relname) as name,
           class.relrowsecurity as by_tenant, class.relforcerowsecurity as forced,
           case class.relname when 'tenants' then 'select' else 'select, insert, update, delete' end as rights
    from pg_class class
    where class.relkind = 'r' and class.relnamespace = to_regnamespace(quote_ident(current_schema()))
      and class.relname <> '${MIGRATIONS_TABLE}'
  loop
    if not has_table_privilege(system, relation.oid, 'select, insert, update, delete') then
      execute format('grant select, insert, update, delete on %s to %I', relation.name, system);
    end if;
    if relation.by_tenant and not relation.forced then
      execute 'alter table ' || relation.name || ' force row level security';
    end if;
    if relation.by_tenant and not has_table_privilege(app, relation.oid, 'select') then
      execute format('grant %s on %s to %I', relation.rights, relation.name, app);
    end if;
  end loop;
end $$`;
}
