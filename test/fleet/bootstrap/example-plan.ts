import type { BootstrapPlan } from '../../../src/fleet/index.ts';

/** A plan with instances that differ from the defaults. */
export const OURS: BootstrapPlan = {
  server: {
    uri: 'coaps://lwm2m.example.com:5684',
    shortServerId: 7,
    securityInstanceId: 40,
    serverInstanceId: 50,
    lifetime: 600,
    binding: 'U',
    security: 'FRESH_PSK',
  },
  values: [],
  deletes: ['/0', '/1'],
  reads: [],
  keyLength: 32,
};
