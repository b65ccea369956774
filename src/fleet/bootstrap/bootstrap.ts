import type { BootstrapStep, Lwm2mVersion } from '../../lwm2m/index.ts';
import type { Actor, DeviceId, TenantId } from '../access/index.ts';
import type { Page, PageRequest } from '../common/index.ts';
import type { WriteValue } from '../objects/index.ts';

/** Events about bootstraps. */
export interface BootstrapEvents {
  /** Key: the device's key, or tenantId for a bootstrap without a device. */
  readonly bootstrapChanged: { readonly tenantId: TenantId; readonly bootstrap: Bootstrap };
}

/** What a device shall have after its bootstrap; of one device, or of all of a profile. */
export interface BootstrapPlan {
  /** Its LwM2M server: becomes an instance of Security (/0) and one of Server (/1). Null: `values` say everything. */
  readonly server: BootstrapTarget | null;
  /** Written beside it: resources, or whole instances. Texts are templates: see `TEMPLATE_NAMES`. */
  readonly values: readonly WriteValue[];
  /** Deleted before anything is written; `/0` spares the bootstrap account. */
  readonly deletes: readonly string[];
  /** Read back after the writes: `/1`, `/2` and their instances (LwM2M 1.1). */
  readonly reads: readonly string[];
}

export interface BootstrapTarget {
  /** `coaps://lwm2m.example.com:5684` */
  readonly uri: string;
  /** 1..65534 */
  readonly shortServerId: number;
  /** Seconds. */
  readonly lifetime: number;
  readonly binding: string;
  /** FRESH_PSK: each bootstrap makes a new key; the old one counts until the device has registered with the new one. */
  readonly security: 'FRESH_PSK' | 'NO_SEC';
}

export type BootstrapStatus = 'RUNNING' | 'FINISHED' | 'FAILED' | 'REFUSED';

/** One bootstrap, as it is remembered: what was done, never what was written. */
export interface Bootstrap {
  readonly id: string;
  readonly tenantId: TenantId;
  /** Null: refused, and no device of the tenant. */
  readonly deviceId: DeviceId | null;
  readonly endpoint: string | null;
  readonly status: BootstrapStatus;
  /** Why it failed or was refused. */
  readonly reason: string | null;
  /** Bootstrap-Pack-Request (1.2). */
  readonly pack: boolean;
  readonly address: string;
  /** Null over NoSec. */
  readonly security: { readonly kind: 'psk' | 'rpk' | 'x509'; readonly name: string } | null;
  readonly lwm2mVersion: Lwm2mVersion | null;
  readonly steps: readonly BootstrapStep[];
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

/** A PSK that many devices leave the factory with. */
export interface FactoryCredential {
  readonly id: string;
  readonly name: string;
  readonly identity: string;
  /** `urn:imei:35*`; `*` stands for any text. */
  readonly endpointPattern: string;
  readonly profileId: string;
  /** How many devices it may make. */
  readonly mostDevices: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
}

export interface NewFactoryCredential {
  readonly name: string;
  readonly identity: string;
  /** 16 to 64 bytes in hex; 32 random ones unless given. */
  readonly key?: string | null;
  readonly endpointPattern: string;
  /** The tenant's default unless given. */
  readonly profileId?: string | null;
  /** 1..1,000,000 */
  readonly mostDevices: number;
  readonly expiresAt: Date;
}

/** Whose plan: the one of a profile, or of one device, which goes before its profile's. */
export type PlanOwner = { readonly profileId: string } | { readonly deviceId: string };

/** What a tenant sees of bootstraps, and says about them. */
export interface Bootstraps {
  /** Newest first. */
  page(
    actor: Actor,
    request: PageRequest,
    filter?: { readonly deviceId?: DeviceId; readonly status?: readonly BootstrapStatus[] },
  ): Promise<Page<Bootstrap>>;
  /** With secrets blanked. For admins. */
  plan(actor: Actor, owner: PlanOwner): Promise<BootstrapPlan | null>;
  /** Null takes it away. For admins. */
  setPlan(actor: Actor, owner: PlanOwner, plan: BootstrapPlan | null): Promise<void>;
  factoryCredentials(actor: Actor): Promise<readonly FactoryCredential[]>;
  /** The key leaves with this call only. For admins. */
  createFactoryCredential(
    actor: Actor,
    input: NewFactoryCredential,
  ): Promise<{ readonly credential: FactoryCredential; readonly keyHex: string }>;
  revokeFactoryCredential(actor: Actor, id: string): Promise<FactoryCredential>;
}
