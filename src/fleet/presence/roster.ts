import type { Registration } from '../../lwm2m/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { DeviceStatus, DeviceKey } from '../devices/index.ts';

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
