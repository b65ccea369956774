import { join } from 'node:path';
import {
  TOPIC_RULE,
  address,
  boolean,
  brokers,
  everywhere,
  integer,
  ip,
  ips,
  key,
  oneOf,
  origins,
  postgresUrl,
  token,
  topic,
} from './setting-checks.ts';

/**
 * Defines every setting: its environment variable, default, check and meaning. The settings are checked at start; an
 * invalid one ends the start with an error that names the variable and its value.
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
    /** Null: no TLS. `authoritiesFile`: PEM; null: Node’s built-in certificate authorities. */
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
    readonly limits: { readonly responseBytes: number };
  };
  readonly coap: { readonly host: string; readonly port: number; readonly ackTimeoutMs: number };
  /** Limits for one IPv4 address or IPv6 /64. */
  readonly perAddress: { readonly connections: number; readonly handshakes: number };
  readonly coaps: {
    readonly hosts: readonly string[];
    readonly port: number;
    /** PEM files; null: generated at the first start. */
    readonly identity: { readonly certificateFile: string; readonly keyFile: string } | null;
  };
  /** Ports of the bootstrap server: NoSec on the host of `coap`, DTLS on the hosts of `coaps`. */
  readonly bootstrap: { readonly port: number; readonly coapsPort: number; readonly noSec: boolean };
  /** Directory of the embedded database and of the files that the first start generates. */
  readonly dataDir: string;
  /** 32 bytes; null: generated at the first start, in a file of `dataDir`. */
  readonly secretKey: Uint8Array | null;
  /** Null: generated at the first start. */
  readonly adminToken: string | null;
  readonly autoProvision: boolean;
  /** Seconds between the end of a registration’s lifetime and its removal. */
  readonly registrationGrace: number;
  /** Days before telemetry is deleted from the database. */
  readonly telemetryRetention: number;
  readonly logLevel: LogLevel;
}

const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
export type SaslMechanism = (typeof SASL_MECHANISMS)[number];

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** One invalid setting: `TREELINE_HTTP_PORT: "abc" is invalid; it must be a port number from 0 to 65535`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

interface Setting {
  readonly variable: string;
  /** Default, written as in the environment; null: `meaning` says what happens when the variable is absent. */
  readonly fallback: string | null;
  readonly meaning: string;
  /** Errors never contain the value of a secret. */
  readonly secret?: boolean;
}

/** In the order of the table in the README. */
export const settings = {
  databaseUrl: {
    variable: 'DATABASE_URL',
    fallback: null,
    secret: true,
    meaning:
      'Postgres database, for example postgres://user:password@host:5432/database. If absent, Treeline uses the embedded database in TREELINE_DATA_DIR.',
  },
  dataDir: {
    variable: 'TREELINE_DATA_DIR',
    fallback: './.treeline',
    meaning: 'Directory of the embedded database and of the secret key and DTLS certificate that Treeline generates.',
  },
  kafkaBrokers: {
    variable: 'KAFKA_BROKERS',
    fallback: null,
    meaning:
      'Redpanda or Kafka brokers, separated by commas, for example host:9092,host:9092. If absent, telemetry is stored but not published.',
  },
  kafkaTls: { variable: 'KAFKA_TLS', fallback: 'false', meaning: 'Whether Treeline connects to the brokers over TLS.' },
  kafkaAuthorities: {
    variable: 'KAFKA_TLS_CA',
    fallback: null,
    meaning:
      'PEM file with the certificate authorities of the brokers. If absent, Treeline uses Node’s built-in certificate authorities.',
  },
  kafkaMechanism: {
    variable: 'KAFKA_SASL_MECHANISM',
    fallback: null,
    meaning: `SASL mechanism for the brokers: ${SASL_MECHANISMS.join(', ')}; plain requires KAFKA_TLS=true. If absent, Treeline does not authenticate.`,
  },
  kafkaUsername: {
    variable: 'KAFKA_SASL_USERNAME',
    fallback: null,
    meaning: 'SASL user name; required with KAFKA_SASL_MECHANISM.',
  },
  kafkaPassword: {
    variable: 'KAFKA_SASL_PASSWORD',
    fallback: null,
    secret: true,
    meaning: 'SASL password; required with KAFKA_SASL_MECHANISM.',
  },
  telemetryTopic: {
    variable: 'TREELINE_TELEMETRY_TOPIC',
    fallback: 'telemetry.raw.{tenant_id}',
    meaning: 'Topic of telemetry points; Treeline replaces {tenant_id} with the tenant’s id.',
  },
  statusTopic: {
    variable: 'TREELINE_STATUS_TOPIC',
    fallback: 'device.status',
    meaning: 'Topic of device status events; Treeline replaces {tenant_id} with the tenant’s id.',
  },
  telemetryFormat: {
    variable: 'TREELINE_TELEMETRY_FORMAT',
    fallback: 'json',
    meaning: 'Format of telemetry points: json or protobuf. Status events are always JSON.',
  },
  telemetryRetention: {
    variable: 'TREELINE_TELEMETRY_RETENTION_DAYS',
    fallback: '30',
    meaning: 'Days before telemetry is deleted from the database (1 to 3650).',
  },
  httpHost: {
    variable: 'TREELINE_HTTP_HOST',
    fallback: '127.0.0.1',
    meaning: 'Host name or address that the GraphQL server listens on.',
  },
  httpPort: {
    variable: 'TREELINE_HTTP_PORT',
    fallback: '4000',
    meaning: 'Port of the GraphQL server (HTTP, WebSocket and SSE).',
  },
  allowedOrigins: {
    variable: 'TREELINE_ALLOWED_ORIGINS',
    fallback: '',
    meaning:
      'Origins of web apps on other sites that may call the API, exactly as the browser sends them, separated by commas: http://localhost:5173,https://app.example.com. No slash at the end, no *.',
  },
  introspection: {
    variable: 'TREELINE_INTROSPECTION',
    fallback: 'true',
    meaning: 'Whether clients may query the schema (GraphQL introspection).',
  },
  graphiql: {
    variable: 'TREELINE_GRAPHIQL',
    fallback: null,
    meaning:
      'Whether a browser that opens /graphql gets GraphiQL. If absent: true with the embedded database, false with DATABASE_URL.',
  },
  maxResponseBytes: {
    variable: 'TREELINE_GRAPHQL_MAX_RESPONSE_BYTES',
    fallback: '16777216',
    meaning: 'Bytes of the response of one GraphQL operation, or of one event of a subscription (1024 to 1073741824).',
  },
  coapHost: {
    variable: 'TREELINE_COAP_HOST',
    fallback: '127.0.0.1',
    meaning:
      'IP address that NoSec CoAP listens on. The default is loopback because NoSec devices are not authenticated.',
  },
  coapPort: { variable: 'TREELINE_COAP_PORT', fallback: '5683', meaning: 'Port of NoSec CoAP, UDP and TCP.' },
  coapAckTimeout: {
    variable: 'TREELINE_COAP_ACK_TIMEOUT_MS',
    fallback: '2000',
    meaning: 'ACK_TIMEOUT of RFC 7252 §4.8 in milliseconds (100 to 60000); NB-IoT needs 4000 to 15000.',
  },
  connectionsPerAddress: {
    variable: 'TREELINE_COAP_CONNECTIONS_PER_ADDRESS',
    fallback: '1000',
    meaning: 'TCP connections, and TLS connections, of devices from one IPv4 address or one IPv6 /64 (1 to 100000).',
  },
  handshakesPerAddress: {
    variable: 'TREELINE_DTLS_HANDSHAKES_PER_ADDRESS',
    fallback: '256',
    meaning: 'DTLS handshakes in progress from one IPv4 address or one IPv6 /64 (1 to 5000).',
  },
  coapsHost: {
    variable: 'TREELINE_COAPS_HOST',
    fallback: null,
    meaning:
      'IP addresses that CoAP over DTLS and TLS listens on, separated by commas. If absent, all addresses of the machine.',
  },
  coapsPort: {
    variable: 'TREELINE_COAPS_PORT',
    fallback: '5684',
    meaning: 'Port of CoAP over DTLS (UDP) and over TLS (TCP).',
  },
  bootstrapPort: {
    variable: 'TREELINE_BOOTSTRAP_PORT',
    fallback: '5783',
    meaning:
      'UDP port of the bootstrap server over NoSec CoAP, on TREELINE_COAP_HOST. It answers only clients on the same machine.',
  },
  bootstrapCoapsPort: {
    variable: 'TREELINE_BOOTSTRAP_COAPS_PORT',
    fallback: '5784',
    meaning: 'UDP port of the bootstrap server over DTLS, on TREELINE_COAPS_HOST.',
  },
  noSecBootstrap: {
    variable: 'TREELINE_NOSEC_BOOTSTRAP',
    fallback: null,
    meaning:
      'Whether devices without any credential may bootstrap over NoSec. If absent: true with the embedded database, false with DATABASE_URL.',
  },
  dtlsCertificate: {
    variable: 'TREELINE_DTLS_CERT',
    fallback: null,
    meaning:
      'PEM file with the server’s certificate (EC P-256) and its issuers. If absent, the first start generates a self-signed certificate.',
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
      'Key that encrypts device keys in the database: 32 bytes in base64 or hex. If absent, the first start generates one in the file secret.key of TREELINE_DATA_DIR (mode 0600).',
  },
  adminToken: {
    variable: 'TREELINE_ADMIN_TOKEN',
    fallback: null,
    secret: true,
    meaning:
      'Bearer token of the default tenant’s admin: 16 to 256 printable ASCII characters without spaces. If absent, the first start generates a token, prints it once and stores only its hash.',
  },
  autoProvision: {
    variable: 'TREELINE_AUTO_PROVISION',
    fallback: null,
    meaning:
      'Whether a NoSec device with an unknown endpoint is added to the default tenant and profile when it registers. If absent: true with the embedded database, false with DATABASE_URL.',
  },
  registrationGrace: {
    variable: 'TREELINE_REGISTRATION_GRACE_SECONDS',
    fallback: '93',
    meaning: 'Seconds after the end of its lifetime until a registration expires (0 to 86400).',
  },
  logLevel: {
    variable: 'TREELINE_LOG_LEVEL',
    fallback: 'info',
    meaning: `Lowest level that is logged: ${LOG_LEVELS.join(', ')}.`,
  },
} as const satisfies Record<string, Setting>;

/** Throws ConfigError for the first invalid setting. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  /** Trims the variable’s text; treats an empty one as absent. */
  const read = (setting: Setting): string | null => environment[setting.variable]?.trim() || setting.fallback;
  const parse = <T>(setting: Setting, check: (text: string) => T | undefined, wanted: string): T => {
    const text = read(setting) ?? '';
    const value = check(text);
    if (value !== undefined) return value;
    throw new ConfigError(
      `${setting.variable}: ${setting.secret ? 'the value' : JSON.stringify(text)} is invalid; it must be ${wanted}`,
    );
  };
  const accountOf = (name: Setting, secret: Setting): { readonly username: string; readonly password: string } => {
    const [username, password] = [read(name), read(secret)];
    if (username !== null && password !== null) return { username, password };
    const missing = username === null ? name : secret;
    throw new ConfigError(`${missing.variable} is missing; ${settings.kafkaMechanism.variable} requires it`);
  };
  const port = (setting: Setting): number => parse(setting, integer(0, 65_535), 'a port number from 0 to 65535');
  const flag = (setting: Setting): boolean => parse(setting, boolean, 'true or false');
  const host = (setting: Setting): string => parse(setting, address, 'a host name or an IP address');

  const files = [settings.dtlsCertificate, settings.dtlsKey].map(read);
  if ((files[0] === null) !== (files[1] === null)) {
    const missing = files[0] === null ? settings.dtlsCertificate : settings.dtlsKey;
    throw new ConfigError(
      `${missing.variable} is missing; set both ${settings.dtlsCertificate.variable} and ${settings.dtlsKey.variable}, or neither`,
    );
  }
  const [certificateFile, keyFile] = files;
  const kafkaTls = flag(settings.kafkaTls);
  const mechanism =
    read(settings.kafkaMechanism) === null
      ? null
      : parse(settings.kafkaMechanism, oneOf(SASL_MECHANISMS), `one of ${SASL_MECHANISMS.join(', ')}`);
  if (mechanism === 'plain' && !kafkaTls) {
    throw new ConfigError(
      `${settings.kafkaMechanism.variable}: "plain" sends the password unencrypted; set ${settings.kafkaTls.variable}=true`,
    );
  }
  const dataDir = read(settings.dataDir) ?? settings.dataDir.fallback;
  const databaseUrl =
    read(settings.databaseUrl) === null
      ? null
      : parse(settings.databaseUrl, postgresUrl, 'a URL like postgres://user:password@host:5432/database');
  return {
    database:
      databaseUrl === null
        ? { kind: 'embedded', directory: join(dataDir, 'database') }
        : { kind: 'postgres', url: databaseUrl },
    kafka: {
      brokers:
        read(settings.kafkaBrokers) === null
          ? []
          : parse(settings.kafkaBrokers, brokers, 'a list like host:9092,host:9092'),
      telemetryTopic: parse(settings.telemetryTopic, topic, TOPIC_RULE),
      statusTopic: parse(settings.statusTopic, topic, TOPIC_RULE),
      format: parse(settings.telemetryFormat, oneOf(['json', 'protobuf'] as const), 'json or protobuf'),
      tls: kafkaTls ? { authoritiesFile: read(settings.kafkaAuthorities) } : null,
      sasl: mechanism === null ? null : { mechanism, ...accountOf(settings.kafkaUsername, settings.kafkaPassword) },
    },
    http: {
      host: host(settings.httpHost),
      port: port(settings.httpPort),
      allowedOrigins: parse(
        settings.allowedOrigins,
        origins,
        'a comma-separated list of origins like https://app.example.com, without a path or a slash at the end',
      ),
      introspection: flag(settings.introspection),
      graphiql: read(settings.graphiql) === null ? databaseUrl === null : flag(settings.graphiql),
      limits: {
        responseBytes: parse(
          settings.maxResponseBytes,
          integer(1024, 1_073_741_824),
          'a number of bytes from 1024 to 1073741824',
        ),
      },
    },
    coap: {
      host: parse(settings.coapHost, ip, 'an IP address'),
      port: port(settings.coapPort),
      ackTimeoutMs: parse(settings.coapAckTimeout, integer(100, 60_000), 'a number of milliseconds from 100 to 60000'),
    },
    perAddress: {
      connections: parse(settings.connectionsPerAddress, integer(1, 100_000), 'a number from 1 to 100000'),
      handshakes: parse(settings.handshakesPerAddress, integer(1, 5_000), 'a number from 1 to 5000'),
    },
    coaps: {
      hosts:
        read(settings.coapsHost) === null
          ? [everywhere()]
          : parse(settings.coapsHost, ips, 'a comma-separated list of IP addresses'),
      port: port(settings.coapsPort),
      identity: certificateFile && keyFile ? { certificateFile, keyFile } : null,
    },
    bootstrap: {
      port: port(settings.bootstrapPort),
      coapsPort: port(settings.bootstrapCoapsPort),
      noSec: read(settings.noSecBootstrap) === null ? databaseUrl === null : flag(settings.noSecBootstrap),
    },
    dataDir,
    secretKey:
      read(settings.secretKey) === null ? null : parse(settings.secretKey, key, 'a key of 32 bytes in base64 or hex'),
    adminToken:
      read(settings.adminToken) === null
        ? null
        : parse(settings.adminToken, token, '16 to 256 printable ASCII characters without spaces'),
    autoProvision: read(settings.autoProvision) === null ? databaseUrl === null : flag(settings.autoProvision),
    registrationGrace: parse(settings.registrationGrace, integer(0, 86_400), 'a number of seconds from 0 to 86400'),
    telemetryRetention: parse(settings.telemetryRetention, integer(1, 3_650), 'a number of days from 1 to 3650'),
    logLevel: parse(settings.logLevel, oneOf(LOG_LEVELS), `one of ${LOG_LEVELS.join(', ')}`),
  };
}
