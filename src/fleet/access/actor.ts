declare const tenant: unique symbol;
/** The slug of a tenant, such as `acme`. Names of topics and all events contain it. */
export type TenantId = string & { readonly [tenant]: true };

declare const device: unique symbol;
/** The UUID that Treeline gave a device. */
export type DeviceId = string & { readonly [device]: true };

/**
 * The rights of a token. A viewer queries and subscribes. An operator also calls devices: read, write, execute,
 * observe, RPC. An admin also manages devices, profiles, object definitions, credentials, bootstrap and API keys.
 */
export type Role = 'viewer' | 'operator' | 'admin';

/** The caller of a fleet method. The method reads and changes only the data of the actor's tenant. */
export interface Actor {
  readonly tenantId: TenantId;
  readonly role: Role;
  /** Names the caller in records such as an RPC's `createdBy`: `key:<id>` or `admin-token`. */
  readonly subject: string;
  /** The API key's id; null for the admin token. */
  readonly keyId: string | null;
}
