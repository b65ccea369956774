import type { Clock } from '../../clock.ts';
import type { DeviceKey } from '../devices/index.ts';
import { newObserved, type Observed } from './observed.ts';
import { backOff, type Refusal } from './refusals.ts';

/** The services that `ObservedDevices` uses. */
export interface ObservedDevicesParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Called when the device may be tried again. */
  readonly onDue: (key: DeviceKey) => void;
}

type WaitName = 'retry' | 'refusedRetry' | 'postponed';

/** The memories of the registered devices, and the timers of their next tries. */
export class ObservedDevices {
  readonly #parts: ObservedDevicesParts;
  readonly #devices = new Map<DeviceKey, Observed>();
  #transient = 0;
  #lasting = 0;
  #postponed = 0;

  constructor(parts: ObservedDevicesParts) {
    this.#parts = parts;
  }

  get(key: DeviceKey): Observed | undefined {
    return this.#devices.get(key);
  }

  /** Returns the memory of the device, a new one if it has none. */
  of(key: DeviceKey): Observed {
    const known = this.#devices.get(key);
    if (known) return known;
    const fresh = newObserved();
    this.#devices.set(key, fresh);
    return fresh;
  }

  /** True if this is still the memory of the device: it gets a new one when it registers again. */
  has(key: DeviceKey, observed: Observed): boolean {
    return this.#devices.get(key) === observed;
  }

  /** Cancels the timers of the device and drops its memory. */
  forget(key: DeviceKey): void {
    const observed = this.#devices.get(key);
    observed?.retry?.cancel();
    observed?.refusedRetry?.cancel();
    observed?.postponed?.cancel();
    this.#devices.delete(key);
  }

  forgetAll(): void {
    for (const key of this.#devices.keys()) this.forget(key);
  }

  get size(): number {
    return this.#devices.size;
  }

  /**
   * The number of refusals since the start, `transient` ones are tried again after a while; and how often a device had
   * to wait for the next request for watchers.
   */
  get counts(): { readonly refusals: { transient: number; lasting: number }; readonly postponed: number } {
    return { refusals: { transient: this.#transient, lasting: this.#lasting }, postponed: this.#postponed };
  }

  /** Notes that the device refused a step. A sleeping device is tried when it wakes up. */
  refused(key: DeviceKey, observed: Observed, step: string, refusal: Refusal): void {
    if (refusal.nextTry === null) this.#lasting++;
    else this.#transient++;
    observed.refused.set(step, refusal);
    this.#waitForRefused(key, observed);
  }

  /** Waits until the device, which does not answer, is tried again: longer each time. */
  retryLater(key: DeviceKey, observed: Observed): void {
    this.#wait(key, observed, 'retry', backOff(++observed.failures, this.#parts.random));
  }

  /** Waits until the device may get the next request for watchers. */
  postpone(key: DeviceKey, observed: Observed, ms: number): void {
    if (observed.postponed === null) this.#postponed++;
    this.#wait(key, observed, 'postponed', ms);
  }

  /** Waits for the earliest next try of a refused step. */
  #waitForRefused(key: DeviceKey, observed: Observed): void {
    const now = this.#parts.clock.now();
    const at = observed.refused.nextTry(now);
    this.#wait(key, observed, 'refusedRetry', at === null ? null : at - now);
  }

  /** Replaces one of the timers; null ms: by none. */
  #wait(key: DeviceKey, observed: Observed, name: WaitName, ms: number | null): void {
    if (!this.has(key, observed)) return;
    observed[name]?.cancel();
    observed[name] = ms === null ? null : this.#parts.clock.after(ms, () => this.#due(key, observed, name));
  }

  #due(key: DeviceKey, observed: Observed, name: WaitName): void {
    observed[name] = null;
    if (name === 'refusedRetry') this.#waitForRefused(key, observed);
    this.#parts.onDue(key);
  }
}
