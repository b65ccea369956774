import { everywhere, integer, ip, ips, key, oneOf, token } from './checks.ts';
import type { Config } from './config.ts';
import { readDatabase, readDatabaseLimits } from './database.ts';
import { readHttp } from './http.ts';
import { readKafka } from './kafka.ts';
import { SettingReader } from './reader.ts';
import { LOG_LEVELS, settings } from './settings.ts';
import { refuseSharedPorts } from './shared-ports.ts';
import { refuseUnknownSettings } from './unknown-settings.ts';

/** A page that shows 100 paths, and another one after it. */
const WATCH_BURST = 200;

/** Throws ConfigError for the first setting that is unknown, invalid, or in conflict with another one. */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  refuseUnknownSettings(environment);
  const reader = new SettingReader(environment);
  const read = reader.read.bind(reader);
  const parse = reader.parse.bind(reader);
  const port = reader.port.bind(reader);
  const flag = reader.flag.bind(reader);
  const dataDir = read(settings.dataDir) ?? settings.dataDir.fallback;
  const database = readDatabase(reader, dataDir);
  const embedded = database.kind === 'embedded';
  const config: Config = {
    database,
    databaseLimits: readDatabaseLimits(reader),
    kafka: readKafka(reader),
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
    readings: {
      perDevice: parse(settings.deviceReadings, integer(1, 1_000_000), 'a number from 1 to 1000000'),
      perTenant: reader.optional(settings.tenantReadings, integer(1, 10_000_000), 'a number from 1 to 10000000'),
    },
    watching: {
      lingerMs: parse(settings.watchLinger, integer(0, 3_600), 'a number of seconds from 0 to 3600') * 1000,
      requestsPerMinute: parse(settings.watchRequests, integer(1, 60_000), 'a number from 1 to 60000'),
      requestBurst: WATCH_BURST,
    },
    telemetryRetention: parse(settings.telemetryRetention, integer(1, 3_650), 'a number of days from 1 to 3650'),
    logLevel: parse(settings.logLevel, oneOf(LOG_LEVELS), `one of ${LOG_LEVELS.join(', ')}`),
    inForce: reader.inForce(),
  };
  refuseSharedPorts(config);
  return config;
}
