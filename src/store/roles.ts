import { createHash } from 'node:crypto';
import type { ClientBase } from 'pg';

/** The names of an installation’s three roles on the PostgreSQL server. None of them can log in. */
export interface RoleNames {
  /** The role of a transaction of one tenant: it reads and writes only rows of the tenant in `app.tenant`. */
  readonly app: string;
  /** The role of a transaction across tenants. */
  readonly system: string;
  /** The role of a connection outside of transactions. It has no right on any table. */
  readonly connection: string;
}

/** PostgreSQL shortens names to 63 bytes; the longest ending is `_connection`. */
export const LONGEST_PREFIX = 63 - '_connection'.length;

/**
 * The prefix of the first versions. All databases of a server shared these roles. The embedded database has a server of
 * its own, so it keeps them.
 */
export const SHARED_PREFIX = 'treeline';

export function roleNames(prefix: string): RoleNames {
  return { app: `${prefix}_app`, system: `${prefix}_system`, connection: `${prefix}_connection` };
}

/**
 * The prefix of a new installation. Roles belong to the whole server, so it contains the database, and the schema unless
 * that is `public`: no two installations share it. A long name ends with a part of its hash.
 */
export function defaultPrefix(database: string, schema: string): string {
  const own = schema === 'public' ? database : `${database}.${schema}`;
  const plain = `treeline_${own.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_')}`;
  const exact = plain === `treeline_${own}` && plain.length <= LONGEST_PREFIX;
  if (exact) return plain;
  const hash = createHash('sha256').update(own).digest('hex').slice(0, 8);
  return `${plain.slice(0, LONGEST_PREFIX - 9)}_${hash}`;
}

/** The prefix that the policies of an existing database have; null for an empty database. */
export async function presentPrefix(client: ClientBase): Promise<string | null> {
  const { rows } = await client.query<{ name: string }>(`
    select rolname as name from pg_policy join pg_roles on pg_roles.oid = any (polroles)
     where polname = 'one_tenant' and polrelid = to_regclass(quote_ident(current_schema()) || '.tenants')`);
  const name = rows[0]?.name;
  return name?.endsWith('_app') ? name.slice(0, -'_app'.length) : null;
}
