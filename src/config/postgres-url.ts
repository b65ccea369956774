/** How much of TLS is required: `sslmode` of libpq (PostgreSQL manual, "SSL Support", table 34.1). */
const TLS_MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
export type TlsMode = (typeof TLS_MODES)[number];

/** What a URL of Postgres says, in the form of libpq (PostgreSQL manual, "Connection URIs"). */
export interface PostgresUrl {
  /** A host name, an IP address, or the directory of a Unix socket, which begins with `/`. */
  readonly host: string;
  readonly port: number;
  /** Null: the name of the user. */
  readonly database: string | null;
  /** Null: PGUSER, or the user of the operating system. */
  readonly user: string | null;
  /** Null: PGPASSWORD, or none. */
  readonly password: string | null;
  readonly tls: {
    readonly mode: TlsMode;
    /** PEM file with the authorities, `system` for those of Node, or null: `~/.postgresql/root.crt` where it exists. */
    readonly authorities: string | null;
    /** PEM files of the client’s certificate and its key. */
    readonly certificateFile: string | null;
    readonly keyFile: string | null;
  };
  /** `channel_binding=require`: binds the password to the TLS connection (SCRAM-SHA-256-PLUS). */
  readonly channelBinding: boolean;
  /** The schema of the tables; null: the first of the search path. */
  readonly schema: string | null;
  /** Command-line options for the session, such as `-c search_path=treeline`. */
  readonly options: string | null;
  readonly applicationName: string;
}

/** A URL that can’t be used. The message names the part and its value, and never the password. */
export class PostgresUrlError extends Error {
  override readonly name = 'PostgresUrlError';
}

/** What makes no difference here: settings of other drivers, which hosts print into their URLs. */
const IGNORED = new Set([
  'client_encoding',
  'connect_timeout',
  'connection_limit',
  'fallback_application_name',
  'gssencmode',
  'keepalives',
  'keepalives_idle',
  'pgbouncer',
  'pool_timeout',
  'socket_timeout',
  'statement_cache_size',
  'uselibpqcompat',
]);

/** The parts of libpq’s URI. Unlike a URL of WHATWG, the host may be absent: `postgres://user:password@/database`. */
const FORM =
  /^postgres(?:ql)?:\/\/(?:(?<account>[^/?#]*)@)?(?<place>[^@/?#]*)(?:\/(?<database>[^/?#]*))?(?:\?(?<query>[^#]*))?$/;
const PLACE = /^(?<host>\[[0-9a-fA-F:.%]+\]|[^:,[\]]*)(?::(?<port>\d+))?$/;

/**
 * Reads a URL of Postgres in the form of libpq, with the parameters that Cloud SQL, Prisma, Neon and others add. Throws
 * PostgresUrlError for another form, and for a parameter with an invalid value or an unknown name.
 */
export function parsePostgresUrl(url: string): PostgresUrl {
  const parts = FORM.exec(url)?.groups;
  if (!parts) throw new PostgresUrlError('it must be a URL like postgres://user:password@host:5432/database');
  if (parts['place']?.includes(',')) throw new PostgresUrlError(`it names several hosts, ${parts['place']}; name one`);
  const place = PLACE.exec(parts['place'] ?? '')?.groups;
  if (!place) throw new PostgresUrlError(`${JSON.stringify(parts['place'])} is not a host with a port`);
  const [user = '', ...password] = (parts['account'] ?? '').split(':');
  const parameters = new Map<string, string>();
  for (const one of (parts['query'] ?? '').split('&').filter(Boolean)) {
    const [name = '', ...value] = one.split('=');
    parameters.set(decoded(name), decoded(value.join('=')));
  }
  const take = (name: string): string | null => {
    const value = parameters.get(name);
    parameters.delete(name);
    return value === undefined || value === '' ? null : value;
  };
  const from = (part: string | undefined, name: string): string | null => {
    const parameter = take(name);
    return parameter ?? (part ? decoded(part) : null);
  };
  const result: PostgresUrl = {
    host: hostIn(from(place['host'], 'host') ?? 'localhost'),
    port: portIn(from(place['port'], 'port') ?? '5432'),
    database: from(parts['database'], 'dbname'),
    user: from(user, 'user'),
    password: from(password.join(':'), 'password'),
    tls: {
      mode: tlsMode(take('sslmode'), take('ssl'), take('sslaccept')),
      authorities: take('sslrootcert'),
      certificateFile: take('sslcert'),
      keyFile: take('sslkey'),
    },
    channelBinding:
      choice('channel_binding', take('channel_binding') ?? 'prefer', ['disable', 'prefer', 'require']) === 'require',
    schema: take('schema'),
    options: take('options'),
    applicationName: take('application_name') ?? 'treeline',
  };
  const unknown = [...parameters.keys()].find((name) => !IGNORED.has(name));
  if (unknown !== undefined) throw new PostgresUrlError(`the parameter ${JSON.stringify(unknown)} is unknown`);
  if (result.tls.authorities === 'system' && result.tls.mode !== 'verify-full') {
    throw new PostgresUrlError(`sslrootcert=system requires sslmode=verify-full, not ${result.tls.mode}`);
  }
  if ((result.tls.certificateFile === null) !== (result.tls.keyFile === null)) {
    throw new PostgresUrlError('sslcert and sslkey require each other');
  }
  return result;
}

/** Prisma writes `sslaccept` beside `sslmode`: `strict` requires a valid certificate. */
function tlsMode(mode: string | null, ssl: string | null, accept: string | null): TlsMode {
  const wanted = mode ?? (ssl === 'true' || ssl === '1' ? 'require' : 'prefer');
  const known = choice('sslmode', wanted, TLS_MODES);
  if (accept === null) return known;
  return choice('sslaccept', accept, ['strict', 'accept_invalid_certs']) === 'strict' ? 'verify-full' : known;
}

function choice<const T extends string>(name: string, value: string, choices: readonly T[]): T {
  const known = choices.find((one) => one === value);
  if (known !== undefined) return known;
  throw new PostgresUrlError(`${name}=${value} is invalid; it must be one of ${choices.join(', ')}`);
}

function hostIn(host: string): string {
  if (host.includes(',')) throw new PostgresUrlError(`it names several hosts, ${host}; name one`);
  return host.startsWith('[') ? host.slice(1, -1) : host;
}

function portIn(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new PostgresUrlError(`port ${text} is invalid; it must be a number from 1 to 65535`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new PostgresUrlError('a % in it must be followed by two hexadecimal digits; write %25 for a %');
  }
}
