declare const tenant: unique symbol;
/** A tenant's slug (`acme`): it names topics and stands on every event. */
export type TenantId = string & { readonly [tenant]: true };

declare const device: unique symbol;
/** The platform's UUID of a device. */
export type DeviceId = string & { readonly [device]: true };

export type Role = 'viewer' | 'operator' | 'admin';

/** Who asks: every call into the fleet carries one, and sees and changes its tenant's data only. */
export interface Actor {
  readonly tenantId: TenantId;
  readonly role: Role;
  /** For audit: `key:<id>` or `admin-token`. */
  readonly subject: string;
  /** The API key's id; null for the admin token. */
  readonly keyId: string | null;
}
