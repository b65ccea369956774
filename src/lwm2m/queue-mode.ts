import type { Clock } from '../clock.ts';
import { Deadlines } from './deadlines.ts';
import type { AwakeWindow, RegisteredDevice } from './registered-device.ts';

/**
 * Tracks which queue-mode devices are awake (Core 1.2 §6.5). A device is awake for MAX_TRANSMIT_WAIT after its last
 * message, or for the time that its admission gives.
 */
export class QueueMode {
  readonly #clock: Clock;
  readonly #awakeMs: number;
  readonly #changed: (device: RegisteredDevice, asleep: boolean) => void;
  readonly #windows: Deadlines<AwakeWindow>;

  constructor(clock: Clock, awakeMs: number, changed: (device: RegisteredDevice, asleep: boolean) => void) {
    this.#clock = clock;
    this.#awakeMs = awakeMs;
    this.#changed = changed;
    this.#windows = new Deadlines(clock, (window) => this.#sleep(window));
  }

  isAsleep(device: RegisteredDevice): boolean {
    return device.registration.queueMode && (device.awakeWindow?.asleep ?? false);
  }

  /** The device sent a message and may now receive requests: restarts the awake window. */
  heard(device: RegisteredDevice): void {
    if (device.ended || !this.#follows(device)) return;
    const window = this.#windowOf(device);
    const woke = window.asleep;
    window.asleep = false;
    this.#windows.set(window, this.#clock.now() + this.#lasting(device));
    if (woke) this.#changed(device, false);
  }

  /** The device sent a request that is not answered yet: keeps it awake if it is awake, but does not wake it. */
  hearing(device: RegisteredDevice): void {
    if (device.awakeWindow?.asleep === false && !device.ended) this.heard(device);
  }

  /** The device did not answer: marks it asleep (Core 1.2 §6.5). */
  silent(device: RegisteredDevice): void {
    if (device.ended || !this.#follows(device)) return;
    const window = this.#windowOf(device);
    if (!window.asleep) this.#sleep(window);
  }

  /** Restores the state from the time of the last message in an earlier run of the server. */
  resume(device: RegisteredDevice, heardAt: number): void {
    if (!this.#follows(device)) return;
    const window = this.#windowOf(device);
    const until = heardAt + this.#lasting(device);
    window.asleep = until <= this.#clock.now();
    if (!window.asleep) this.#windows.set(window, until);
  }

  /** Drops the state of a registration that ended. */
  forget(device: RegisteredDevice): void {
    if (device.awakeWindow) this.#windows.delete(device.awakeWindow);
    device.awakeWindow = null;
  }

  stop(): void {
    this.#windows.stop();
  }

  /** True when the device is in queue mode now; an Update can turn it on and off. */
  #follows(device: RegisteredDevice): boolean {
    if (device.registration.queueMode) return true;
    this.forget(device);
    return false;
  }

  #windowOf(device: RegisteredDevice): AwakeWindow {
    return (device.awakeWindow ??= { device, asleep: false, dueAt: Infinity, heapIndex: -1 });
  }

  #lasting(device: RegisteredDevice): number {
    return device.awakeMs ?? this.#awakeMs;
  }

  #sleep(window: AwakeWindow): void {
    this.#windows.delete(window);
    if (!this.#follows(window.device)) return;
    window.asleep = true;
    this.#changed(window.device, true);
  }
}
