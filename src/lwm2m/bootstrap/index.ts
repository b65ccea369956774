export type { BootstrapConfiguration } from './configuration.ts';
export type {
  BootstrapAdmission,
  BootstrapHandlers,
  BootstrapOutcome,
  BootstrapRequest,
  BootstrapStep,
} from './handlers.ts';
export { createBootstrapServer, type BootstrapServer, type BootstrapServerOptions } from './server.ts';
