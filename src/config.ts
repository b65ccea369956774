import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';

/**
 * Every setting in one place: its variable, its default, its check and its meaning. Settings come from the environment
 * and are checked at start; a wrong one ends the start with its name and its value.
 */

export interface Config {
  readonly database:
    | { readonly kind: 'embedded'; readonly directory: string }
    | { readonly kind: 'postgres'; readonly url: string };
  readonly kafka: {
    readonly brokers: readonly string[];
    readonly telemetryTopic: string;
    readonly statusTopic: string;
    readonly format: 'json' | 'protobuf';
    /** Null: in clear. `authoritiesFile`: PEM; null: those that Node trusts. */
    readonly tls: { readonly authoritiesFile: string | null } | null;
    readonly sasl: {
      readonly mechanism: SaslMechanism;
      readonly username: string;
      readonly password: string;
    } | null;
  };
  readonly http: {
    readonly host: string;
    readonly port: number;
    readonly allowedOrigins: readonly string[];
    readonly introspection: boolean;
    readonly graphiql: boolean;
  };
  readonly coap: { readonly host: string; readonly port: number; readonly ackTimeoutMs: number };
  readonly coaps: {
    readonly hosts: readonly string[];
    readonly port: number;
    /** Files in PEM; null: made at first start. */
    readonly identity: { readonly certificateFile: string; readonly keyFile: string } | null;
  };
  /** Where devices bootstrap: NoSec on the host of `coap`, DTLS on the hosts of `coaps`. */
  readonly bootstrap: { readonly port: number; readonly coapsPort: number };
  /** Where the embedded database and what the first start makes are kept. */
  readonly dataDir: string;
  /** 32 bytes; null: made at first start, in a file of `dataDir`. */
  readonly secretKey: Uint8Array | null;
  /** Null: made at first start. */
  readonly adminToken: string | null;
  readonly autoProvision: boolean;
  /** Seconds that a registration outlives its lifetime. */
  readonly registrationGrace: number;
  /** Days that telemetry is kept in the database. */
  readonly telemetryRetention: number;
  readonly logLevel: LogLevel;
}

const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One wrong setting: `TREELINE_HTTP_PORT: "abc" is no port (0 to 65535)`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

interface Setting {
  readonly variable: string;
  /** As the environment would say it; null: absent has a meaning of its own. */
  readonly fallback: string | null;
  readonly meaning: string;
  /** A secret's value never stands in an error. */
  readonly secret?: boolean;
}

/** In the order of the README's table. */
export const settings = {
  databaseUrl: {
    variable: 'DATABASE_URL',
    fallback: null,
    secret: true,
    meaning:
      'Postgres, as postgres://user:password@host:5432/database. Absent: the embedded database in TREELINE_DATA_DIR.',
  },
  dataDir: {
    variable: 'TREELINE_DATA_DIR',
    fallback: './.treeline',
    meaning: 'Where the embedded database, the secret key and the DTLS certificate that Treeline made are kept.',
  },
  kafkaBrokers: {
    variable: 'KAFKA_BROKERS',
    fallback: null,
    meaning:
      'Brokers of Redpanda or Kafka, as host:9092,host:9092. Absent: nothing is published, points are stored all the same.',
  },
  kafkaTls: { variable: 'KAFKA_TLS', fallback: 'false', meaning: 'Whether the brokers are spoken to over TLS.' },
  kafkaAuthorities: {
    variable: 'KAFKA_TLS_CA',
    fallback: null,
    meaning: 'PEM file with the authorities that the brokers’ certificates come from. Absent: those that Node trusts.',
  },
  kafkaMechanism: {
    variable: 'KAFKA_SASL_MECHANISM',
    fallback: null,
    meaning: `How Treeline proves itself to the brokers: ${SASL_MECHANISMS.join(', ')}; plain over TLS only. Absent: not at all.`,
  },
  kafkaUsername: { variable: 'KAFKA_SASL_USERNAME', fallback: null, meaning: 'With KAFKA_SASL_MECHANISM.' },
  kafkaPassword: {
    variable: 'KAFKA_SASL_PASSWORD',
    fallback: null,
    secret: true,
    meaning: 'With KAFKA_SASL_MECHANISM.',
  },
  telemetryTopic: {
    variable: 'TREELINE_TELEMETRY_TOPIC',
    fallback: 'telemetry.raw.{tenant_id}',
    meaning: 'Topic of telemetry points; {tenant_id} is filled in.',
  },
  statusTopic: {
    variable: 'TREELINE_STATUS_TOPIC',
    fallback: 'device.status',
    meaning: 'Topic of device status events; {tenant_id} is filled in.',
  },
  telemetryFormat: { variable: 'TREELINE_TELEMETRY_FORMAT', fallback: 'json', meaning: 'json or protobuf.' },
  telemetryRetention: {
    variable: 'TREELINE_TELEMETRY_RETENTION_DAYS',
    fallback: '30',
    meaning: 'Days that telemetry is kept in the database.',
  },
  httpHost: { variable: 'TREELINE_HTTP_HOST', fallback: '127.0.0.1', meaning: 'Address that GraphQL listens on.' },
  httpPort: {
    variable: 'TREELINE_HTTP_PORT',
    fallback: '4000',
    meaning: 'Port of GraphQL over HTTP, WebSocket and SSE.',
  },
  allowedOrigins: {
    variable: 'TREELINE_ALLOWED_ORIGINS',
    fallback: '',
    meaning: 'Browser origins that may call the API, as https://app.example.com,https://ops.example.com.',
  },
  introspection: {
    variable: 'TREELINE_INTROSPECTION',
    fallback: 'true',
    meaning: 'Whether the schema may be asked for.',
  },
  graphiql: { variable: 'TREELINE_GRAPHIQL', fallback: 'true', meaning: 'Whether GET /graphql shows GraphiQL.' },
  coapHost: {
    variable: 'TREELINE_COAP_HOST',
    fallback: '127.0.0.1',
    meaning:
      'Address that NoSec CoAP listens on: loopback unless told otherwise, for NoSec devices prove nothing about themselves.',
  },
  coapPort: { variable: 'TREELINE_COAP_PORT', fallback: '5683', meaning: 'Port of NoSec CoAP, UDP and TCP.' },
  coapAckTimeout: {
    variable: 'TREELINE_COAP_ACK_TIMEOUT_MS',
    fallback: '2000',
    meaning: 'ACK_TIMEOUT of RFC 7252 §4.8 in milliseconds; NB-IoT wants 4000 to 15000.',
  },
  coapsHost: {
    variable: 'TREELINE_COAPS_HOST',
    fallback: null,
    meaning: 'Addresses that CoAP over DTLS and TLS listens on, with commas between. Absent: all of the machine.',
  },
  coapsPort: {
    variable: 'TREELINE_COAPS_PORT',
    fallback: '5684',
    meaning: 'Port of CoAP over DTLS (UDP) and over TLS (TCP).',
  },
  bootstrapPort: {
    variable: 'TREELINE_BOOTSTRAP_PORT',
    fallback: '5783',
    meaning: 'UDP port of the bootstrap server over NoSec CoAP, on TREELINE_COAP_HOST; it answers this machine only.',
  },
  bootstrapCoapsPort: {
    variable: 'TREELINE_BOOTSTRAP_COAPS_PORT',
    fallback: '5784',
    meaning: 'UDP port of the bootstrap server over DTLS, on TREELINE_COAPS_HOST.',
  },
  dtlsCertificate: {
    variable: 'TREELINE_DTLS_CERT',
    fallback: null,
    meaning:
      'PEM file with the server’s certificate (EC P-256) and its issuers. Absent: self-signed, made at first start.',
  },
  dtlsKey: {
    variable: 'TREELINE_DTLS_KEY',
    fallback: null,
    meaning: 'PEM file with the private key of TREELINE_DTLS_CERT.',
  },
  secretKey: {
    variable: 'TREELINE_SECRET_KEY',
    fallback: null,
    secret: true,
    meaning:
      'Key that device keys are encrypted with at rest: 32 bytes in base64 or hex. Absent: made at first start, in secret.key of TREELINE_DATA_DIR (mode 0600).',
  },
  adminToken: {
    variable: 'TREELINE_ADMIN_TOKEN',
    fallback: null,
    secret: true,
    meaning:
      'Bearer token of the default tenant’s admin, at least 16 characters. Absent: made at first start, printed once, stored hashed.',
  },
  autoProvision: {
    variable: 'TREELINE_AUTO_PROVISION',
    fallback: null,
    meaning:
      'Whether NoSec devices with unknown endpoints are provisioned into the default tenant and profile. Absent: true with the embedded database, false with DATABASE_URL.',
  },
  registrationGrace: {
    variable: 'TREELINE_REGISTRATION_GRACE_SECONDS',
    fallback: '93',
    meaning: 'Seconds that a registration outlives its lifetime before it expires.',
  },
  logLevel: { variable: 'TREELINE_LOG_LEVEL', fallback: 'info', meaning: LOG_LEVELS.join(', ') },
} as const satisfies Record<string, Setting>;

/** Throws ConfigError for the first setting that is wrong. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  /** The variable's text, trimmed; empty counts as absent. */
  const read = (setting: Setting): string | null => environment[setting.variable]?.trim() || setting.fallback;
  const parse = <T>(setting: Setting, check: (text: string) => T | undefined, wanted: string): T => {
    const text = read(setting) ?? '';
    const value = check(text);
    if (value !== undefined) return value;
    throw new ConfigError(
      `${setting.variable}: ${setting.secret ? 'its value' : JSON.stringify(text)} is no ${wanted}`,
    );
  };
  const accountOf = (name: Setting, secret: Setting): { readonly username: string; readonly password: string } => {
    const [username, password] = [read(name), read(secret)];
    if (username !== null && password !== null) return { username, password };
    const missing = username === null ? name : secret;
    throw new ConfigError(`${missing.variable}: is absent, but ${settings.kafkaMechanism.variable} wants it`);
  };
  const port = (setting: Setting): number => parse(setting, integer(0, 65_535), 'port (0 to 65535)');
  const flag = (setting: Setting): boolean => parse(setting, boolean, 'true or false');
  const host = (setting: Setting): string => parse(setting, address, 'host name or address');

  const files = [settings.dtlsCertificate, settings.dtlsKey].map(read);
  if ((files[0] === null) !== (files[1] === null)) {
    const missing = files[0] === null ? settings.dtlsCertificate : settings.dtlsKey;
    throw new ConfigError(
      `${missing.variable}: is absent, but ${settings.dtlsCertificate.variable} and ${settings.dtlsKey.variable} go together`,
    );
  }
  const [certificateFile, keyFile] = files;
  const kafkaTls = flag(settings.kafkaTls);
  const mechanism =
    read(settings.kafkaMechanism) === null
      ? null
      : parse(settings.kafkaMechanism, oneOf(SASL_MECHANISMS), `SASL mechanism (${SASL_MECHANISMS.join(', ')})`);
  if (mechanism === 'plain' && !kafkaTls) {
    throw new ConfigError(`${settings.kafkaMechanism.variable}: "plain" sends the password in clear without KAFKA_TLS`);
  }
  const dataDir = read(settings.dataDir) ?? settings.dataDir.fallback;
  const databaseUrl =
    read(settings.databaseUrl) === null ? null : parse(settings.databaseUrl, postgresUrl, 'postgres:// URL');
  return {
    database:
      databaseUrl === null
        ? { kind: 'embedded', directory: join(dataDir, 'database') }
        : { kind: 'postgres', url: databaseUrl },
    kafka: {
      brokers: read(settings.kafkaBrokers) === null ? [] : parse(settings.kafkaBrokers, brokers, 'list of host:port'),
      telemetryTopic: parse(settings.telemetryTopic, topic, 'topic name (letters, digits, ".", "_", "-", {tenant_id})'),
      statusTopic: parse(settings.statusTopic, topic, 'topic name (letters, digits, ".", "_", "-", {tenant_id})'),
      format: parse(settings.telemetryFormat, oneOf(['json', 'protobuf'] as const), 'json or protobuf'),
      tls: kafkaTls ? { authoritiesFile: read(settings.kafkaAuthorities) } : null,
      sasl: mechanism === null ? null : { mechanism, ...accountOf(settings.kafkaUsername, settings.kafkaPassword) },
    },
    http: {
      host: host(settings.httpHost),
      port: port(settings.httpPort),
      allowedOrigins: parse(settings.allowedOrigins, origins, 'list of origins like https://app.example.com'),
      introspection: flag(settings.introspection),
      graphiql: flag(settings.graphiql),
    },
    coap: {
      host: parse(settings.coapHost, ip, 'IP address'),
      port: port(settings.coapPort),
      ackTimeoutMs: parse(settings.coapAckTimeout, integer(100, 60_000), 'number of milliseconds (100 to 60000)'),
    },
    coaps: {
      hosts:
        read(settings.coapsHost) === null ? [everywhere()] : parse(settings.coapsHost, ips, 'list of IP addresses'),
      port: port(settings.coapsPort),
      identity: certificateFile && keyFile ? { certificateFile, keyFile } : null,
    },
    bootstrap: { port: port(settings.bootstrapPort), coapsPort: port(settings.bootstrapCoapsPort) },
    dataDir,
    secretKey:
      read(settings.secretKey) === null ? null : parse(settings.secretKey, key, 'key of 32 bytes in base64 or hex'),
    adminToken:
      read(settings.adminToken) === null
        ? null
        : parse(settings.adminToken, token, 'token of 16 to 256 printable characters'),
    autoProvision: read(settings.autoProvision) === null ? databaseUrl === null : flag(settings.autoProvision),
    registrationGrace: parse(settings.registrationGrace, integer(0, 86_400), 'number of seconds (0 to 86400)'),
    telemetryRetention: parse(settings.telemetryRetention, integer(1, 3_650), 'number of days (1 to 3650)'),
    logLevel: parse(settings.logLevel, oneOf(LOG_LEVELS), `log level (${LOG_LEVELS.join(', ')})`),
  };
}

/** `::` is IPv4 too; a machine without IPv6 does not know it. */
function everywhere(): string {
  const addresses = Object.values(networkInterfaces()).flat();
  return addresses.some((address) => address?.family === 'IPv6') ? '::' : '0.0.0.0';
}

type Check<T> = (text: string) => T | undefined;

function integer(least: number, most: number): Check<number> {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    return value >= least && value <= most ? value : undefined;
  };
}

function oneOf<const T extends string>(choices: readonly T[]): Check<T> {
  return (text) => choices.find((choice) => choice === text);
}

const boolean: Check<boolean> = (text) => ({ true: true, '1': true, false: false, '0': false })[text.toLowerCase()];

const address: Check<string> = (text) => (/^[A-Za-z0-9.:_-]{1,253}$/.test(text) ? text : undefined);

/** CoAP's sockets are bound to addresses: a name could mean several. */
const ip: Check<string> = (text) => (isIP(text) > 0 ? text : undefined);

const ips: Check<string[]> = (text) => {
  const list = text.split(',').map((one) => one.trim());
  return list.every((one) => ip(one) !== undefined) ? list : undefined;
};

const key: Check<Uint8Array> = (text) => {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64');
  return bytes.length === 32 ? bytes : undefined;
};

const token: Check<string> = (text) => (/^[\x21-\x7e]{16,256}$/.test(text) ? text : undefined);

const topic: Check<string> = (text) => (/^(?:[A-Za-z0-9._-]|\{tenant_id\}){1,200}$/.test(text) ? text : undefined);

const postgresUrl: Check<string> = (text) =>
  URL.canParse(text) && /^postgres(ql)?:$/.test(new URL(text).protocol) ? text : undefined;

const brokers: Check<string[]> = (text) => {
  const list = text.split(',').map((broker) => broker.trim());
  return list.every((broker) => /^(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):\d{1,5}$/.test(broker)) ? list : undefined;
};

const origins: Check<string[]> = (text) => {
  const list = text
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
  return list.every((origin) => URL.canParse(origin) && new URL(origin).origin === origin) ? list : undefined;
};
