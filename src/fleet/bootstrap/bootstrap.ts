import type { BootstrapStep, Lwm2mVersion } from '../../lwm2m/index.ts';
import type { Actor, DeviceId, TenantId } from '../access/index.ts';
import type { Page, PageRequest } from '../common/index.ts';
import type { WriteValue } from '../objects/index.ts';

/** The events that the journal of bootstraps publishes. */
export interface BootstrapEvents {
  /** A bootstrap was recorded or changed. Key: the device's key; the tenant id if the bootstrap has no device. */
  readonly bootstrapChanged: { readonly tenantId: TenantId; readonly bootstrap: Bootstrap };
}

/** What a bootstrap deletes, writes and reads. A plan belongs to one device or to a profile. */
export interface BootstrapPlan {
  /** The LwM2M server, written as an instance of Security (/0) and one of Server (/1). Null: only `values`. */
  readonly server: BootstrapTarget | null;
  /** More values to write: resources or whole instances. Texts can contain placeholders: see `TEMPLATE_NAMES`. */
  readonly values: readonly WriteValue[];
  /** The paths to delete before the writes. `/0` keeps the bootstrap account. */
  readonly deletes: readonly string[];
  /** The paths to read after the writes: `/1`, `/2` and their instances (LwM2M 1.1). */
  readonly reads: readonly string[];
  /** The bytes of each new key, of FRESH_PSK and of `{{psk}}`: 16 or 32. */
  readonly keyLength: number;
}

/** A plan as the database has it; its secrets are redacted. */
export interface StoredPlan extends BootstrapPlan {
  /** When the plan was set. */
  readonly updatedAt: Date;
}

/** The LwM2M server that a bootstrap gives to a device. */
export interface BootstrapTarget {
  /** The server's URI: `coaps://lwm2m.example.com:5684`. */
  readonly uri: string;
  /** 1 to 65534. */
  readonly shortServerId: number;
  /**
   * The ids of the instances of Security (/0) and Server (/1), 0 to 65534. The Security instance gets another id if the
   * device keeps its bootstrap account there.
   */
  readonly securityInstanceId: number;
  readonly serverInstanceId: number;
  /** The registration lifetime in seconds. */
  readonly lifetime: number;
  readonly binding: string;
  /**
   * FRESH_PSK: each bootstrap creates a new key; older keys stay valid until the device registers with the new one.
   * NO_SEC: the device uses no security.
   */
  readonly security: 'FRESH_PSK' | 'NO_SEC';
}

/** REFUSED: the Bootstrap-Request was refused; otherwise RUNNING, then FINISHED or FAILED. */
export type BootstrapStatus = 'RUNNING' | 'FINISHED' | 'FAILED' | 'REFUSED';

/** The record of one bootstrap. It names the steps, but never holds the written values. */
export interface Bootstrap {
  readonly id: string;
  readonly tenantId: TenantId;
  /** Null: the bootstrap was refused, and no device of the tenant sent it. */
  readonly deviceId: DeviceId | null;
  readonly endpoint: string | null;
  readonly status: BootstrapStatus;
  /** Why the bootstrap failed or was refused; else null. */
  readonly reason: string | null;
  /** True: the device sent a Bootstrap-Pack-Request (LwM2M 1.2). */
  readonly pack: boolean;
  readonly address: string;
  /** The credential that the device used; null over NoSec. */
  readonly security: { readonly kind: 'psk' | 'rpk' | 'x509'; readonly name: string } | null;
  readonly lwm2mVersion: Lwm2mVersion | null;
  readonly steps: readonly BootstrapStep[];
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

/** A PSK that many devices share when they leave the factory. */
export interface FactoryCredential {
  readonly id: string;
  readonly name: string;
  readonly identity: string;
  /** The endpoints that can use it: `urn:imei:35*`. `*` stands for any text. */
  readonly endpointPattern: string;
  /** The profile of the devices that it creates. */
  readonly profileId: string;
  /** The most devices that it can create. */
  readonly mostDevices: number;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  readonly revokedAt: Date | null;
}

/** The input that creates a factory credential. */
export interface NewFactoryCredential {
  readonly name: string;
  readonly identity: string;
  /** 16 to 64 bytes in hex; random bytes if absent. */
  readonly key?: string | null;
  /** The bytes of a generated key: 32 if absent. Not together with `key`. */
  readonly keyLength?: number | null;
  readonly endpointPattern: string;
  /** The tenant's default profile if absent. */
  readonly profileId?: string | null;
  /** 1 to 1,000,000. */
  readonly mostDevices: number;
  readonly expiresAt: Date;
}

/** The owner of a plan: a profile or a device. A device's own plan replaces that of its profile. */
export type PlanOwner = { readonly profileId: string } | { readonly deviceId: string };

/** The bootstraps, plans and factory credentials of the caller's tenant. */
export interface Bootstraps {
  /** Returns a page of bootstraps, the newest first. */
  page(
    actor: Actor,
    request: PageRequest,
    filter?: { readonly deviceId?: DeviceId; readonly status?: readonly BootstrapStatus[] },
  ): Promise<Page<Bootstrap>>;
  /** Returns the owner's plan with its secrets redacted; null if it has none. For admins. */
  plan(actor: Actor, owner: PlanOwner): Promise<StoredPlan | null>;
  /**
   * Replaces the owner's plan and returns the new one; null deletes it. `ifUpdatedAt`: throws CONFLICT unless the present
   * plan was set at this time. For admins.
   */
  setPlan(
    actor: Actor,
    owner: PlanOwner,
    plan: BootstrapPlan | null,
    ifUpdatedAt?: Date | null,
  ): Promise<StoredPlan | null>;
  /** Returns the factory credentials, the newest first. For admins. */
  factoryCredentials(actor: Actor): Promise<readonly FactoryCredential[]>;
  /** Creates a factory credential and returns its key; no other call returns the key. For admins. */
  createFactoryCredential(
    actor: Actor,
    input: NewFactoryCredential,
  ): Promise<{ readonly credential: FactoryCredential; readonly keyHex: string }>;
  /** Revokes the credential and ends its sessions; devices that it created stay. For admins. */
  revokeFactoryCredential(actor: Actor, id: string): Promise<FactoryCredential>;
}
