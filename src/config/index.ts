export type { Config } from './config.ts';
export { ConfigError, readConfig } from './read-config.ts';
export { settings, type LogLevel, type SaslMechanism } from './settings.ts';
