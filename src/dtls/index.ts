export { createServerIdentity, loadServerIdentity, type PemIdentity, type ServerIdentity } from './server-identity.ts';
export type { CertificateVerdict, Credentials, PskCredential, SecurityIdentity } from './credentials.ts';
export type { HandshakeReport } from './engine.ts';
export { DtlsError } from './error.ts';
export type { DtlsMetrics } from './metrics.ts';
export { DtlsServer, type DtlsServerOptions } from './server.ts';
export type { Peer } from './session.ts';
export { DEFAULT_LIMITS, DEFAULT_SETTINGS, type DtlsLimits, type DtlsSettings } from './settings.ts';
export type { SuiteName } from './suites.ts';
