import { join } from 'node:path';
import { integer, rolePrefix } from './checks.ts';
import { parsePostgresUrl, PostgresUrlError } from './postgres-url.ts';
import { ConfigError, type SettingReader } from './reader.ts';
import { settings } from './settings.ts';

export type DatabaseConfig =
  | { readonly kind: 'embedded'; readonly directory: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      /** The prefix of the role names; null: that of the database, a new one for a new database. */
      readonly roles: string | null;
    };

/** Limits of Postgres; they do not concern the embedded database. */
export interface DatabaseLimits {
  /** Connections. */
  readonly poolSize: number;
  /** How long a statement may take. */
  readonly statementMs: number;
}

export function readDatabase(reader: SettingReader, dataDir: string): DatabaseConfig {
  const url = reader.read(settings.databaseUrl);
  const roles = reader.optional(
    settings.databaseRoles,
    rolePrefix,
    'a letter or "_", followed by at most 51 of: a to z, 0 to 9, "_"',
  );
  if (url === null) return { kind: 'embedded', directory: join(dataDir, 'database') };
  try {
    parsePostgresUrl(url);
  } catch (error) {
    if (!(error instanceof PostgresUrlError)) throw error;
    throw new ConfigError(`${settings.databaseUrl.variable}: ${error.message}`);
  }
  return { kind: 'postgres', url, roles };
}

export function readDatabaseLimits(reader: SettingReader): DatabaseLimits {
  const seconds = reader.parse(settings.databaseStatement, integer(1, 3_600), 'a number of seconds from 1 to 3600');
  return {
    poolSize: reader.parse(settings.databasePool, integer(1, 1_000), 'a number from 1 to 1000'),
    statementMs: seconds * 1000,
  };
}
