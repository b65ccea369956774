import type { Registration } from '../lwm2m/index.ts';
import type { DeviceId, TenantId } from './access.ts';
import type { DeviceStatus } from './device.ts';

/**
 * What the LwM2M room calls a device, and the key of its events: `acme/d7b1c0e2-…`. It says the tenant, so that whatever
 * arrives for a device is stored as its tenant without asking anybody.
 */
export type DeviceKey = string;

export function deviceKey(tenantId: TenantId, deviceId: DeviceId): DeviceKey {
  return `${tenantId}/${deviceId}`;
}

export function parseDeviceKey(key: DeviceKey): { tenantId: TenantId; deviceId: DeviceId } {
  const slash = key.indexOf('/');
  // Both halves are what deviceKey put together.
  return { tenantId: key.slice(0, slash) as TenantId, deviceId: key.slice(slash + 1) as DeviceId };
}

/** A device that is registered now. */
export interface LiveDevice {
  readonly key: DeviceKey;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
  profileId: string;
  registration: Registration;
  status: Exclude<DeviceStatus, 'NEVER_SEEN'>;
  /** Milliseconds since the Unix epoch: of its last message. */
  lastSeen: number;
  /** It refused a composite as unknown, in this registration: it is asked path by path. */
  compositeRefused: boolean;
}

/** The devices that are registered now, as many as there are registrations. */
export class Roster {
  readonly #devices = new Map<DeviceKey, LiveDevice>();

  get(key: DeviceKey): LiveDevice | undefined {
    return this.#devices.get(key);
  }

  set(device: LiveDevice): void {
    this.#devices.set(device.key, device);
  }

  delete(key: DeviceKey): void {
    this.#devices.delete(key);
  }

  get size(): number {
    return this.#devices.size;
  }

  values(): IterableIterator<LiveDevice> {
    return this.#devices.values();
  }

  *withProfile(profileId: string): Generator<LiveDevice> {
    for (const device of this.#devices.values()) if (device.profileId === profileId) yield device;
  }
}
