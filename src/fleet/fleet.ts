import type { NotificationAttributes, ObjectDefinition } from '../lwm2m/index.ts';
import type { Actor, DeviceId } from './access.ts';
import type { Bootstraps } from './bootstrap.ts';
import type { IssuedCredential, NewCredential } from './credential.ts';
import type { Credentials } from './credentials.ts';
import type {
  Device,
  DeviceRegistration,
  DeviceStatus,
  JsonValue,
  ResourceState,
  RunningObservation,
} from './device.ts';
import type { Handshakes } from './handshake.ts';
import type { DeviceProfile, MetricMapping, RpcMethod } from './profile.ts';
import type { RegistrationProfiles } from './registration-profiles.ts';
import type { Rpc, RpcMode, RpcStatus, RpcTransition } from './rpc.ts';

/** Cursor paging (Relay). Exactly one of first and last, 1..200; cursors are opaque. */
export interface PageRequest {
  readonly first?: number | null;
  readonly after?: string | null;
  readonly last?: number | null;
  readonly before?: string | null;
}

export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
}

export interface DeviceFilter {
  readonly ids?: readonly string[];
  readonly status?: readonly DeviceStatus[];
  readonly profileId?: string;
  /** Has all of these tags. */
  readonly tags?: readonly string[];
  /** Part of the endpoint or the name, case-insensitive. */
  readonly search?: string;
  /** Registered with this object. */
  readonly objectId?: number;
  readonly lastSeenBefore?: Date;
  readonly lastSeenAfter?: Date;
}

export interface DeviceOrder {
  readonly field: 'ENDPOINT' | 'NAME' | 'LAST_SEEN' | 'CREATED_AT';
  readonly direction: 'ASC' | 'DESC';
}

/** A selection of the resource tree: `/3`, `/3303/0`, `/3/0/9`, or with `*` for any id (written as -1 here: null). */
export interface TreeSelector {
  readonly ids: readonly (number | null)[];
}

export interface Devices {
  get(actor: Actor, by: { id: string } | { endpoint: string }): Promise<Device | null>;
  /** In the order of `ids`; null where there is none of this tenant. */
  many(actor: Actor, ids: readonly string[]): Promise<(Device | null)[]>;
  page(actor: Actor, request: PageRequest, filter?: DeviceFilter, order?: DeviceOrder): Promise<Page<Device>>;
  count(actor: Actor, filter?: DeviceFilter): Promise<number>;
  /** True when the device matches: what `deviceStatusChanged(filter)` asks per event. */
  matches(actor: Actor, deviceId: DeviceId, filter: DeviceFilter): Promise<boolean>;
  registrations(actor: Actor, deviceIds: readonly DeviceId[]): Promise<Map<DeviceId, DeviceRegistration>>;
  /** One statement, whatever the number of devices and selectors; an empty list of selectors means everything. */
  resources(
    actor: Actor,
    deviceIds: readonly DeviceId[],
    selectors: readonly TreeSelector[],
  ): Promise<Map<DeviceId, ResourceState[]>>;
  observations(actor: Actor, deviceIds: readonly DeviceId[]): Promise<Map<DeviceId, RunningObservation[]>>;
  provision(
    actor: Actor,
    input: {
      endpoint: string;
      name?: string | null;
      tags?: readonly string[] | null;
      profileId?: string | null;
      awakeTime?: number | null;
    },
  ): Promise<Device>;
  /** As `provision`, with its first credential: both are made, or neither. */
  provisionSecured(
    actor: Actor,
    input: Parameters<Devices['provision']>[1],
    security: NewCredential,
  ): Promise<{ readonly device: Device; readonly issued: IssuedCredential }>;
  update(
    actor: Actor,
    id: string,
    changes: {
      name?: string | null;
      tags?: readonly string[] | null;
      profileId?: string | null;
      awakeTime?: number | null;
    },
  ): Promise<Device>;
  /** Ends its registration, cancels its RPCs, deletes everything known of it. */
  delete(actor: Actor, id: string): Promise<Device>;
}

export interface ProfileInput {
  readonly name: string;
  readonly mappings?: readonly MetricMapping[];
  readonly methods?: readonly RpcMethod[];
  readonly offlineAfter?: number | null;
  /** 1..86,400 */
  readonly awakeTime?: number | null;
}

export interface Profiles {
  many(actor: Actor, ids: readonly string[]): Promise<(DeviceProfile | null)[]>;
  page(actor: Actor, request: PageRequest): Promise<Page<DeviceProfile>>;
  create(actor: Actor, input: ProfileInput): Promise<DeviceProfile>;
  update(actor: Actor, id: string, changes: Partial<ProfileInput>): Promise<DeviceProfile>;
  delete(actor: Actor, id: string): Promise<DeviceProfile>;
}

/** Values as JSON: see JsonValue; a multiple resource is an object of instance id → value. */
export interface WriteValue {
  readonly path: string;
  readonly value: JsonValue | Readonly<Record<string, JsonValue>>;
}

/** An operation as a caller asks it; checked against the device's objects and definitions before it becomes an RPC. */
export type OperationInput =
  | {
      readonly kind: 'read';
      readonly paths: readonly string[];
      readonly contentFormat?: number | null;
      /** One path is asked for without the Accept option: the device answers in the format that it prefers. */
      readonly withoutAccept?: boolean | null;
    }
  | {
      readonly kind: 'write';
      readonly values: readonly WriteValue[];
      readonly mode: 'REPLACE' | 'UPDATE';
      readonly contentFormat?: number | null;
    }
  | {
      readonly kind: 'execute';
      readonly path: string;
      readonly arguments?: Readonly<Record<string, string | null>> | null;
    }
  | {
      readonly kind: 'create';
      readonly objectId: number;
      readonly instanceId?: number | null;
      /** Paths relative to the instance: `5700`, `6/0`. */
      readonly values: readonly WriteValue[];
      readonly contentFormat?: number | null;
    }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'discover'; readonly path: string; readonly depth?: number | null }
  | { readonly kind: 'write-attributes'; readonly path: string; readonly attributes: NotificationAttributes }
  | {
      readonly kind: 'observe';
      readonly paths: readonly string[];
      readonly attributes?: NotificationAttributes | null;
      readonly contentFormat?: number | null;
    }
  | { readonly kind: 'cancel-observation'; readonly paths: readonly string[]; readonly passive?: boolean | null };

export interface RpcOptions {
  readonly mode?: RpcMode | null;
  /** 1..600,000; default 30,000. */
  readonly timeoutMs?: number | null;
  /** PERSISTENT: until when it is kept; default 7 days. */
  readonly expiresAt?: Date | null;
  /** A repeated call with the same key returns the first call's RPC. At most 255 characters. */
  readonly idempotencyKey?: string | null;
}

export interface Rpcs {
  many(actor: Actor, ids: readonly string[]): Promise<(Rpc | null)[]>;
  page(actor: Actor, deviceId: DeviceId, request: PageRequest, status?: readonly RpcStatus[]): Promise<Page<Rpc>>;
  transitions(actor: Actor, rpcIds: readonly string[]): Promise<Map<string, RpcTransition[]>>;
  /**
   * Records the call (QUEUED) and hands it to the dispatcher. Resolves once it is recorded, for ONE_WAY and PERSISTENT;
   * a TWO_WAY call resolves when the RPC has ended, so that a mutation returns the device's answer.
   */
  call(actor: Actor, deviceId: string, method: string, params: unknown, options?: RpcOptions): Promise<Rpc>;
  /** As `call`, for an LwM2M operation; default mode TWO_WAY. */
  perform(actor: Actor, deviceId: string, operation: OperationInput, options?: RpcOptions): Promise<Rpc>;
  cancel(actor: Actor, id: string): Promise<Rpc>;
}

export interface KnownDefinition extends ObjectDefinition {
  /** TENANT: one of the tenant's own, which wins over the registry's of the same version. */
  readonly source: 'REGISTRY' | 'TENANT';
}

export interface Definitions {
  get(actor: Actor, objectId: number, version?: string | null): Promise<KnownDefinition | null>;
  /** In the order of `wanted`; no statement. */
  many(
    actor: Actor,
    wanted: readonly { readonly objectId: number; readonly version: string | null }[],
  ): Promise<(KnownDefinition | null)[]>;
  page(actor: Actor, request: PageRequest, search?: string | null): Promise<Page<KnownDefinition>>;
  /** The objects of an OMA object definition file, all or none; they are in force when it resolves. */
  upload(actor: Actor, xml: string): Promise<readonly KnownDefinition[]>;
  /** Only of the tenant's own. */
  delete(actor: Actor, objectId: number, version: string): Promise<KnownDefinition>;
}

export interface Watching {
  /**
   * Makes sure the paths of the device are observed while the returned lease is held; observations that run already are
   * shared, and one that only this lease wanted ends with it. A device that is away or asleep is observed when it comes.
   * Resolves without waiting for the device.
   */
  watch(actor: Actor, deviceId: DeviceId, paths: readonly string[]): Promise<{ release(): void }>;
}

export interface Access {
  /** Null when the token is not known. Constant-time where it matters; at most one statement. */
  authenticate(token: string): Promise<Actor | null>;
  createKey(actor: Actor, input: { name: string; role: Actor['role'] }): Promise<{ id: string; token: string }>;
  keys(actor: Actor): Promise<readonly { id: string; name: string; role: Actor['role']; createdAt: Date }[]>;
  /** Publishes `keyRevoked`: subscriptions of the key end. */
  revokeKey(actor: Actor, id: string): Promise<void>;
}

/** What the schema asks. */
export interface Fleet {
  readonly access: Access;
  readonly devices: Devices;
  readonly profiles: Profiles;
  readonly definitions: Definitions;
  readonly registrationProfiles: Pick<RegistrationProfiles, 'page' | 'set' | 'delete'>;
  readonly rpcs: Rpcs;
  readonly watching: Watching;
  readonly credentials: Credentials;
  readonly handshakes: Handshakes;
  readonly bootstraps: Bootstraps;
}
