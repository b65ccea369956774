import type { DeviceId, TenantId } from './access/index.ts';
import type { Bootstrap } from './bootstrap/index.ts';
import type { DeviceStatusChange } from './devices/index.ts';
import type { ResourceState } from './readings/index.ts';
import type { Rpc } from './rpcs/index.ts';

/** The event bus's topics and what travels on each. Keys are `${tenantId}/${deviceId}` unless said. */
export interface FleetEvents {
  readonly resourceChanged: {
    readonly tenantId: TenantId;
    readonly deviceId: DeviceId;
    readonly resources: readonly ResourceState[];
  };
  /** Key: tenantId. */
  readonly deviceStatusChanged: DeviceStatusChange;
  readonly rpcChanged: { readonly tenantId: TenantId; readonly rpc: Rpc };
  /** Key: tenantId. */
  readonly keyRevoked: { readonly tenantId: TenantId; readonly keyId: string };
  /** Key: of one that is of no device, tenantId. */
  readonly bootstrapChanged: { readonly tenantId: TenantId; readonly bootstrap: Bootstrap };
  /** Key: tenantId. The sessions that this credential opened end. */
  readonly credentialEnded: {
    readonly tenantId: TenantId;
    /** Null of a factory credential. */
    readonly deviceId: DeviceId | null;
    readonly credentialId: string;
  };
  /** Key: tenantId. From now on the device has to prove itself. */
  readonly credentialCreated: { readonly tenantId: TenantId; readonly deviceId: DeviceId };
  /** Key: tenantId. A certificate, a device's or an authority's, counts from now on or no longer. */
  readonly trustChanged: { readonly tenantId: TenantId; readonly counts: boolean };
}
