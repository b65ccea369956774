import type { DeviceId, TenantId } from '../access/index.ts';

/** Events about devices. */
export interface DeviceEvents {
  /** Key: tenantId. */
  readonly deviceStatusChanged: DeviceStatusChange;
}

export type StatusReason =
  | 'registered'
  | 'updated'
  | 'deregistered'
  | 'expired'
  | 'silent'
  | 'asleep'
  | 'awake'
  | 'provisioned';

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
