import type { Clock } from '../../clock.ts';
import type { DeviceKey } from '../devices/index.ts';

/**
 * Limits the requests to each device: a burst at once, then a constant rate. For each device it stores the time at which
 * the whole burst is available again (the Generic Cell Rate Algorithm of ITU-T I.371).
 */
export class RequestBudget {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #burstMs: number;
  /** In the order of the last request. */
  readonly #fullAt = new Map<DeviceKey, number>();

  constructor({ clock, perMinute, burst }: { clock: Clock; perMinute: number; burst: number }) {
    this.#clock = clock;
    this.#intervalMs = 60_000 / perMinute;
    this.#burstMs = burst * this.#intervalMs;
  }

  /** How long the next request to the device must wait, in milliseconds; 0 if it may be sent now. */
  wait(key: DeviceKey): number {
    const now = this.#clock.now();
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now);
    return Math.max(0, Math.ceil(fullAt + this.#intervalMs - this.#burstMs - now));
  }

  /** Counts a request to the device. */
  take(key: DeviceKey): void {
    const now = this.#clock.now();
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now) + this.#intervalMs;
    this.#fullAt.delete(key);
    // Devices with the whole burst need no entry.
    for (const [other, full] of this.#fullAt) {
      if (full > now) break;
      this.#fullAt.delete(other);
    }
    this.#fullAt.set(key, fullAt);
  }
}
