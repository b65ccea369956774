import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';

import { Client, DatabaseError, type ClientConfig } from 'pg';

import { parsePostgresUrl, type PostgresUrl } from '../config/index.ts';
import { StoreError } from './error.ts';

/** Without it, an address that drops packets would delay the start by two minutes. */
export const CONNECT_TIMEOUT_MS = 5_000;
/** After this time without traffic, the system asks whether the other side is still there. */
const KEEP_ALIVE_MS = 10_000;

/** A way to connect to Postgres that has worked, and what it leads to. */
export interface PostgresRoute {
  readonly config: ClientConfig;
  readonly url: PostgresUrl;
  /**
   * True if a connection pooler is between: then a session may change its server connection after each transaction, so
   * nothing may be set outside of one, and LISTEN hears nothing.
   */
  readonly pooled: boolean;
}

/**
 * Connects as the URL says, and resolves with the open client and the way that worked. `timeoutMs` is the deadline of
 * each statement of the client. Throws UNREACHABLE, or BUSY when Postgres has no connection left, in one line without
 * the password; CANNOT_OPEN when a file of the URL can't be read.
 */
export async function connectPostgres(
  address: string,
  timeoutMs: number,
): Promise<{ client: Client; route: PostgresRoute }> {
  const url = parsePostgresUrl(address);
  let failure: unknown;
  for (const ssl of tlsAttempts(url)) {
    const config: ClientConfig = {
      host: url.host,
      port: url.port,
      ...(url.user === null ? {} : { user: url.user }),
      ...(url.password === null ? {} : { password: url.password }),
      ...(url.database === null ? {} : { database: url.database }),
      ...(url.options === null ? {} : { options: url.options }),
      ssl,
      enableChannelBinding: url.channelBinding,
      application_name: url.applicationName,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    };
    const client = new Client({ ...config, query_timeout: timeoutMs });
    // The statement that the broken connection interrupts reports it.
    client.on('error', () => {});
    try {
      await client.connect();
      return { client, route: { config, url, pooled: await isPooled(client) } };
    } catch (error) {
      failure = error;
      client.end().catch(() => {});
      if (!mayWorkOtherwise(error)) break;
    }
  }
  const database = url.database ?? url.user ?? 'of the user';
  const place = `Postgres at ${url.host}:${url.port} (database ${database})`;
  const full = failure instanceof DatabaseError && failure.code === TOO_MANY_CONNECTIONS;
  throw new StoreError(full ? 'BUSY' : 'UNREACHABLE', `can't reach ${place}: ${reasonOf(failure)}`, {
    sqlState: failure instanceof DatabaseError ? failure.code : undefined,
  });
}

export const TOO_MANY_CONNECTIONS = '53300';

/** A pooler invents the key of a session, so the process that it names is not the one that answers. */
async function isPooled(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  // The types of `pg` lack it: the process of BackendKeyData (PostgreSQL manual, "Message Formats").
  const { processID } = client as Client & { processID?: number | null };
  return rows[0]?.pid !== processID;
}

/** With `allow` and `prefer`, libpq tries the other way when the server does not want this one. */
function mayWorkOtherwise(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.code === '28000';
  return error instanceof Error && /\bSSL\b/.test(error.message);
}

/** The TLS options to try, in this order (PostgreSQL manual, "SSL Support", table 34.1). */
function tlsAttempts({ host, tls }: PostgresUrl): readonly (false | ConnectionOptions)[] {
  // libpq uses no TLS on a Unix socket either.
  if (host.startsWith('/') || tls.mode === 'disable') return [false];
  const client: ConnectionOptions = {
    ...(tls.certificateFile === null ? {} : { cert: pem('sslcert', tls.certificateFile) }),
    ...(tls.keyFile === null ? {} : { key: pem('sslkey', tls.keyFile) }),
  };
  const unchecked = { ...client, rejectUnauthorized: false };
  if (tls.mode === 'allow') return [false, unchecked];
  if (tls.mode === 'prefer') return [unchecked, false];
  const authorities = authoritiesOf(tls.authorities);
  if (tls.mode === 'verify-full') return [{ ...client, ...(authorities === null ? {} : { ca: authorities }) }];
  if (authorities !== null) return [{ ...client, ca: authorities, checkServerIdentity: () => undefined }];
  if (tls.mode === 'require') return [unchecked];
  throw new StoreError('CANNOT_OPEN', 'sslmode=verify-ca requires sslrootcert, the file with the authorities');
}

/** Null: the authorities of Node. libpq's default file counts only where it exists. */
function authoritiesOf(file: string | null): string | null {
  if (file === 'system') return null;
  if (file !== null) return pem('sslrootcert', file);
  const usual = join(homedir(), '.postgresql', 'root.crt');
  return existsSync(usual) ? pem('sslrootcert', usual) : null;
}

function pem(parameter: string, file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new StoreError('CANNOT_OPEN', `${parameter} of DATABASE_URL: ${file} can't be read (${reasonOf(error)})`);
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new StoreError('CANNOT_OPEN', `${parameter} of DATABASE_URL: ${file} is not a PEM file`);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'no connection';
  const system = 'syscall' in error || error instanceof AggregateError;
  return system && 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
