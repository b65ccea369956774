import type { Lwm2mVersion, ReadingOrigin, RegisteredObject, ResourceType } from '../lwm2m/index.ts';
import type { DeviceId, TenantId } from './access.ts';

export type DeviceStatus = 'ONLINE' | 'OFFLINE' | 'SLEEPING' | 'NEVER_SEEN';

export interface Device {
  readonly id: DeviceId;
  readonly tenantId: TenantId;
  readonly endpoint: string;
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly profileId: string;
  readonly status: DeviceStatus;
  readonly lastSeen: Date | null;
  /** Seconds awake after its last message, in queue mode; null: as its profile says. */
  readonly awakeTime: number | null;
  readonly createdAt: Date;
}

export interface DeviceRegistration {
  readonly deviceId: DeviceId;
  readonly location: string;
  readonly lwm2mVersion: Lwm2mVersion;
  readonly binding: string;
  readonly queueMode: boolean;
  /** Seconds; 0 is infinite. */
  readonly lifetime: number;
  /** `192.0.2.7:56830`, `[2001:db8::7]:56830` */
  readonly address: string;
  readonly transport: 'udp' | 'dtls' | 'tcp' | 'tls';
  /** Null over NoSec. */
  readonly security: { readonly kind: 'psk' | 'rpk' | 'x509'; readonly name: string } | null;
  readonly rootPath: string;
  readonly contentFormats: readonly number[];
  readonly objects: readonly RegisteredObject[];
  readonly registeredAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date | null;
}

/** A value as JSON spells it: integers beyond 2^53 as strings, Opaque as base64, Time as RFC 3339, Objlnk as "3:0". */
export type JsonValue = string | number | boolean;

/** The last known value of one resource, or of all instances of a multiple one. */
export interface ResourceState {
  readonly deviceId: DeviceId;
  /** `/3/0/9`; for a multiple resource the path of the resource, with all its instances in `value`. */
  readonly path: string;
  readonly objectId: number;
  readonly instanceId: number;
  readonly resourceId: number;
  readonly type: ResourceType | null;
  /** No definition of the object was known: the type is what the payload's format let one guess. */
  readonly typeGuessed: boolean;
  /** A multiple resource: instance id → value. Null where the resource is known to be there without a known value. */
  readonly value: JsonValue | Readonly<Record<string, JsonValue>> | null;
  readonly timestamp: Date | null;
  readonly source: ReadingOrigin | null;
}

export interface RunningObservation {
  readonly id: string;
  readonly deviceId: DeviceId;
  readonly paths: readonly string[];
  readonly composite: boolean;
  /** Why it runs: the profile maps it, somebody asked for it by mutation, or subscriptions watch it. */
  readonly reasons: readonly ('PROFILE' | 'REQUESTED' | 'WATCHED')[];
  readonly startedAt: Date;
}
