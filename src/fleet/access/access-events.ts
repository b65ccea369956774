import type { TenantId } from './actor.ts';

/** The events about API keys. */
export interface AccessEvents {
  /** An API key was revoked. The key of the event on the bus is the tenantId. */
  readonly keyRevoked: { readonly tenantId: TenantId; readonly keyId: string };
}
