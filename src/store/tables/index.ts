export { apiKeys } from './api-keys.ts';
export { devices } from './devices.ts';
export { observationRequests, observations } from './observations.ts';
export { profiles } from './profiles.ts';
export { registrations } from './registrations.ts';
export { resourceValues } from './resource-values.ts';
export { rpcs, rpcTransitions } from './rpcs.ts';
export { settings } from './settings.ts';
export { tenants } from './tenants.ts';
