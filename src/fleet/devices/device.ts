import type { DeviceId, TenantId } from '../access/index.ts';

/** The events about devices on the event bus. */
export interface DeviceEvents {
  /** The key is the tenant's id. */
  readonly deviceStatusChanged: DeviceStatusChange;
  /** A device was changed by a person, or its registration changed. The key is the device's key. */
  readonly deviceChanged: DeviceChange;
  /** A device was deleted. The key is the device's key. */
  readonly deviceDeleted: DeviceDeletion;
}

/** The parts of a device whose changes `deviceChanged` reports. */
export type DevicePart = 'name' | 'tags' | 'profileId' | 'awakeTime' | 'registration';

export interface DeviceChange {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly changed: readonly DevicePart[];
  readonly at: Date;
}

export interface DeviceDeletion {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
}

/** Why the status of a device changed. */
export type StatusReason =
  | 'registered'
  | 'updated'
  | 'deregistered'
  | 'expired'
  | 'silent'
  | 'disconnected'
  | 'asleep'
  | 'awake'
  | 'provisioned'
  | 'deleted';

export interface DeviceStatusChange {
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
  readonly status: DeviceStatus;
  readonly previous: DeviceStatus;
  readonly reason: StatusReason;
  readonly lastSeen: Date | null;
  readonly at: Date;
}

export type DeviceStatus = 'ONLINE' | 'OFFLINE' | 'SLEEPING' | 'NEVER_SEEN';

/** A device of a tenant. */
export interface Device {
  readonly id: DeviceId;
  readonly tenantId: TenantId;
  readonly endpoint: string;
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly profileId: string;
  readonly status: DeviceStatus;
  readonly lastSeen: Date | null;
  /** In queue mode the device stays awake for this many seconds after its last message; null: the profile decides. */
  readonly awakeTime: number | null;
  /**
   * The seconds after its last message after which the device did not answer; it applies where it is shorter than the
   * time of the profile. Null: not known.
   */
  readonly measuredAwakeTime: number | null;
  readonly awakeMeasuredAt: Date | null;
  readonly createdAt: Date;
  /** When a person last changed the device; at first `createdAt`. It strictly increases. */
  readonly updatedAt: Date;
}
