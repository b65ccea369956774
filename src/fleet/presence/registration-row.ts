import {
  Path,
  type NotificationAttributes,
  type ObservationRecord,
  type RegisteredObject,
  type Registration,
  type Lwm2mVersion,
} from '../../lwm2m/index.ts';
import { addressWithPort } from '../../network/index.ts';
import type { observations, registrations } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { deviceKey, parseDeviceKey } from '../devices/index.ts';

/** The registration of a device, as API callers see it. */
export interface DeviceRegistration {
  readonly deviceId: DeviceId;
  readonly location: string;
  readonly lwm2mVersion: Lwm2mVersion;
  readonly binding: string;
  readonly queueMode: boolean;
  /** In seconds, at most 2^31 - 1 (68 years); 0 means infinite. */
  readonly lifetime: number;
  /** The device's IP address and port: `192.0.2.7:56830`, `[2001:db8::7]:56830`. */
  readonly address: string;
  readonly transport: 'udp' | 'dtls' | 'tcp' | 'tls';
  /** The credential that the device used; null over NoSec. */
  readonly security: { readonly kind: 'psk' | 'rpk' | 'x509'; readonly name: string } | null;
  readonly rootPath: string;
  readonly contentFormats: readonly number[];
  readonly objects: readonly RegisteredObject[];
  readonly registeredAt: Date;
  readonly updatedAt: Date;
  readonly expiresAt: Date | null;
}

/** The attributes that the server wrote are stored by themselves. */
export type RegistrationRow = Omit<typeof registrations.$inferSelect, 'writtenAttributes'>;
export type ObservationRow = typeof observations.$inferSelect;

/** Converts a registration to its database row. */
export function rowOfRegistration(registration: Registration): RegistrationRow {
  const { tenantId, deviceId } = parseDeviceKey(registration.deviceKey);
  return {
    deviceId,
    tenantId,
    id: registration.id,
    lwm2mVersion: registration.lwm2mVersion,
    lifetime: registration.lifetime,
    binding: registration.binding,
    queueMode: registration.queueMode,
    smsNumber: registration.smsNumber,
    profileIds: [...registration.profileIds],
    rootPath: registration.rootPath,
    contentFormats: [...registration.contentFormats],
    objects: registration.objects,
    objectIds: registration.objects.map((object) => object.objectId),
    additional: registration.additional,
    peer: registration.peer,
    transport: registration.transport,
    registeredAt: new Date(registration.registeredAt),
    updatedAt: new Date(registration.updatedAt),
    expiresAt: registration.expiresAt === null ? null : new Date(registration.expiresAt),
  };
}

/** Converts a row back to the registration. The casts are safe: rowOfRegistration wrote the JSON. */
export function registrationOfRow(row: RegistrationRow, endpoint: string): Registration {
  return {
    id: row.id,
    deviceKey: keyOfRow(row),
    endpoint,
    lwm2mVersion: row.lwm2mVersion,
    lifetime: row.lifetime,
    binding: row.binding,
    queueMode: row.queueMode,
    smsNumber: row.smsNumber,
    profileIds: row.profileIds,
    rootPath: row.rootPath,
    contentFormats: row.contentFormats,
    objects: row.objects as RegisteredObject[],
    additional: row.additional as Record<string, string>,
    peer: row.peer as Registration['peer'],
    transport: row.transport,
    registeredAt: row.registeredAt.getTime(),
    updatedAt: row.updatedAt.getTime(),
    expiresAt: row.expiresAt?.getTime() ?? null,
  };
}

/** GraphQL's Int has 32 bits; `lt` has up to 2^32 - 1. `expiresAt` has the exact end. */
const LONGEST_SHOWN_LIFETIME = 2 ** 31 - 1;

/** Converts a row to the registration that API callers see. */
export function deviceRegistrationOfRow(row: RegistrationRow): DeviceRegistration {
  const { peer, objects, expiresAt, ...rest } = registrationOfRow(row, '');
  return {
    deviceId: row.deviceId as DeviceId, // the column was written from a DeviceId
    location: `rd/${row.id}`,
    lwm2mVersion: rest.lwm2mVersion,
    binding: rest.binding,
    queueMode: rest.queueMode,
    lifetime: Math.min(rest.lifetime, LONGEST_SHOWN_LIFETIME),
    address: addressWithPort(peer),
    transport: rest.transport,
    security: peer.security === null ? null : { kind: peer.security.kind, name: peer.security.name },
    rootPath: rest.rootPath,
    contentFormats: rest.contentFormats,
    objects,
    registeredAt: row.registeredAt,
    updatedAt: row.updatedAt,
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
  };
}

/** Converts an observation to its database row. */
export function rowOfObservation(observation: ObservationRecord): ObservationRow {
  const { tenantId, deviceId } = parseDeviceKey(observation.deviceKey);
  return {
    deviceId,
    tenantId,
    token: observation.token,
    registrationId: observation.registrationId,
    paths: observation.paths.map(String),
    composite: observation.composite,
    contentFormat: observation.contentFormat,
    attributes: observation.attributes ?? null,
    startedAt: new Date(observation.startedAt),
  };
}

/** Converts a row back to the observation. */
export function observationOfRow(row: ObservationRow): ObservationRecord {
  return {
    token: row.token,
    registrationId: row.registrationId,
    deviceKey: keyOfRow(row),
    paths: row.paths.map((path) => Path.parsePrefixed(path)),
    composite: row.composite,
    contentFormat: row.contentFormat,
    startedAt: row.startedAt.getTime(),
    // The cast is safe: rowOfObservation wrote this JSON.
    ...(row.attributes === null ? {} : { attributes: row.attributes as NotificationAttributes }),
  };
}

/** Returns the key of the row's device. The casts are safe: the ids in rows were written from branded ids. */
function keyOfRow(row: { tenantId: string; deviceId: string }): string {
  return deviceKey(row.tenantId as TenantId, row.deviceId as DeviceId);
}
