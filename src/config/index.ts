export type { Config } from './config.ts';
export { readConfig } from './read-config.ts';
export { ConfigError } from './reader.ts';
export { settings, type LogLevel, type SaslMechanism, type Setting } from './settings.ts';
export { parsePostgresUrl, PostgresUrlError, type PostgresUrl, type TlsMode } from './postgres-url.ts';
