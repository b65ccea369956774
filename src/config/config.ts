import type { DatabaseConfig, DatabaseLimits } from './database.ts';
import type { HttpConfig } from './http.ts';
import type { KafkaConfig } from './kafka.ts';
import type { LogLevel } from './settings.ts';

/** The settings of the server, checked. */
export interface Config {
  readonly database: DatabaseConfig;
  readonly databaseLimits: DatabaseLimits;
  readonly kafka: KafkaConfig;
  readonly http: HttpConfig;
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
  readonly autoProvision: { readonly perNetwork: number; readonly total: number } | null;
  /** Seconds between the end of a registration’s lifetime and its removal. */
  readonly registrationGrace: number;
  /** Readings per second; see `ReadingRates`. */
  readonly readings: { readonly perDevice: number; readonly perTenant: number | null };
  /** What subscribers can make the server ask of one device. */
  readonly watching: { readonly lingerMs: number; readonly requestsPerMinute: number; readonly requestBurst: number };
  /** Days before telemetry is deleted from the database. */
  readonly telemetryRetention: number;
  readonly logLevel: LogLevel;
  /** Each setting that has a value, as text, by its variable; secrets are "(set)". */
  readonly inForce: Readonly<Record<string, string>>;
}
