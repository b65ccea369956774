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
  type Check,
} from './checks.ts';
import type { Config } from './config.ts';
import { LOG_LEVELS, SASL_MECHANISMS, settings, type Setting } from './settings.ts';

/** One invalid setting: `TREELINE_HTTP_PORT: "abc" is invalid; it must be a port number from 0 to 65535`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A page that shows 100 paths, and another one after it. */
const WATCH_BURST = 200;

/** Throws ConfigError for the first invalid setting. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  /** Trims the variable’s text; treats an empty one as absent. */
  const read = (setting: Setting): string | null => environment[setting.variable]?.trim() || setting.fallback;
  const parse = <T>(setting: Setting, check: Check<T>, wanted: string): T => {
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
    watching: {
      lingerMs: parse(settings.watchLinger, integer(0, 3_600), 'a number of seconds from 0 to 3600') * 1000,
      requestsPerMinute: parse(settings.watchRequests, integer(1, 60_000), 'a number from 1 to 60000'),
      requestBurst: WATCH_BURST,
    },
    telemetryRetention: parse(settings.telemetryRetention, integer(1, 3_650), 'a number of days from 1 to 3650'),
    logLevel: parse(settings.logLevel, oneOf(LOG_LEVELS), `one of ${LOG_LEVELS.join(', ')}`),
  };
}
