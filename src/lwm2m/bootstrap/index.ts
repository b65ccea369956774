export type { BootstrapConfiguration } from './configuration.ts';
export type { BootstrapAdmission, BootstrapHost, BootstrapOutcome, BootstrapRequest, BootstrapStep } from './host.ts';
export { createBootstrapServer, type BootstrapServer, type BootstrapServerOptions } from './server.ts';
