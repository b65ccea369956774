import type { Clock } from '../../clock.ts';
import type { DeviceKey } from '../devices/index.ts';
import type { LiveDevice, Roster } from '../presence/index.ts';

/** Waits for a device to register again. At most the calls that run wait, so that their limit applies. */
export class NextRegistrations {
  readonly #roster: Roster;
  readonly #clock: Clock;
  readonly #waiting = new Map<DeviceKey, Set<() => void>>();

  constructor(roster: Roster, clock: Clock) {
    this.#roster = roster;
    this.#clock = clock;
  }

  /**
   * Resolves with true when the device has another registration than `before`, and with false at the time `until`
   * (milliseconds since the Unix epoch) or when the signal is aborted.
   */
  async of({ key, registration }: LiveDevice, until: number, signal: AbortSignal): Promise<boolean> {
    const before = registration.id;
    const isBack = (): boolean => {
      const present = this.#roster.get(key)?.registration.id;
      return present !== undefined && present !== before;
    };
    while (!isBack() && !signal.aborted && until > this.#clock.now()) await this.#change(key, until, signal);
    return isBack() && !signal.aborted;
  }

  /** The device may have registered. */
  check(key: DeviceKey): void {
    for (const proceed of this.#waiting.get(key) ?? []) proceed();
  }

  async #change(key: DeviceKey, until: number, signal: AbortSignal): Promise<void> {
    const waiting = this.#waiting.get(key) ?? new Set();
    this.#waiting.set(key, waiting);
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(until - this.#clock.now(), () => proceed());
      const proceed = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', proceed);
        waiting.delete(proceed);
        if (waiting.size === 0) this.#waiting.delete(key);
        resolve();
      };
      waiting.add(proceed);
      signal.addEventListener('abort', proceed);
    });
  }
}
