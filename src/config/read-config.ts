import { TOPIC_RULE, brokers, everywhere, integer, ip, ips, key, oneOf, token, topic } from './checks.ts';
import type { Config } from './config.ts';
import { readDatabase, readDatabaseLimits } from './database.ts';
import { readHttp } from './http.ts';
import { ConfigError, SettingReader } from './reader.ts';
import { LOG_LEVELS, SASL_MECHANISMS, settings, type Setting } from './settings.ts';

/** A page that shows 100 paths, and another one after it. */
const WATCH_BURST = 200;

/** Throws ConfigError for the first invalid setting. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const reader = new SettingReader(environment);
  const read = reader.read.bind(reader);
  const parse = reader.parse.bind(reader);
  const port = reader.port.bind(reader);
  const flag = reader.flag.bind(reader);
  const accountOf = (name: Setting, secret: Setting): { readonly username: string; readonly password: string } => {
    const [username, password] = [read(name), read(secret)];
    if (username !== null && password !== null) return { username, password };
    const missing = username === null ? name : secret;
    throw new ConfigError(`${missing.variable} is missing; ${settings.kafkaMechanism.variable} requires it`);
  };
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
  const database = readDatabase(reader, dataDir);
  const embedded = database.kind === 'embedded';
  return {
    database,
    databaseLimits: readDatabaseLimits(reader),
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
    http: readHttp(reader, embedded),
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
      identity: reader.certificate(settings.dtlsCertificate, settings.dtlsKey),
    },
    bootstrap: {
      port: port(settings.bootstrapPort),
      coapsPort: port(settings.bootstrapCoapsPort),
      noSec: flag(settings.noSecBootstrap, embedded),
    },
    dataDir,
    secretKey:
      read(settings.secretKey) === null ? null : parse(settings.secretKey, key, 'a key of 32 bytes in base64 or hex'),
    adminToken:
      read(settings.adminToken) === null
        ? null
        : parse(settings.adminToken, token, '16 to 256 printable ASCII characters without spaces'),
    autoProvision: flag(settings.autoProvision, embedded)
      ? {
          perNetwork: parse(settings.autoProvisionPerNetwork, integer(1, 1_000_000), 'a number from 1 to 1000000'),
          total: parse(settings.autoProvisionTotal, integer(1, 10_000_000), 'a number from 1 to 10000000'),
        }
      : null,
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
