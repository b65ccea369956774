import type { Registration } from '../../lwm2m/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import type { DeviceStatus, DeviceKey } from '../devices/index.ts';

/** A registered device. */
export interface LiveDevice {
  readonly key: DeviceKey;
  readonly tenantId: TenantId;
  readonly deviceId: DeviceId;
  readonly endpoint: string;
  profileId: string;
  registration: Registration;
  status: Exclude<DeviceStatus, 'NEVER_SEEN'>;
  /** The time of its last message, in milliseconds since the Unix epoch. */
  lastSeen: number;
  /** What is known of composite operations in this registration. A device with REFUSED gets one request per path. */
  composite: 'UNKNOWN' | 'SUPPORTED' | 'REFUSED';
  /** The awake time that its behaviour showed; null: not known. */
  measuredAwake: MeasuredAwake | null;
  /** The seconds of silence after which it did not answer once, in this registration; null: it answered as late since. */
  asleepAfter: number | null;
}

/** A queue-mode device was asleep so many seconds after its last message. */
export interface MeasuredAwake {
  readonly seconds: number;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** Holds the registered devices in memory, one entry for each registration. */
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
