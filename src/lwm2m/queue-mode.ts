import type { Clock } from '../clock.ts';
import { Deadlines } from './deadlines.ts';
import type { AwakeWindow, RegisteredDevice } from './registered-device.ts';

/**
 * Who of the devices in queue mode is awake (Core 1.2 §6.5): each is for MAX_TRANSMIT_WAIT, or as long as its admission
 * said, after its last message.
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

  /** A message of the device came and it may be asked things now: the window starts anew. */
  heard(device: RegisteredDevice): void {
    if (device.ended || !this.#follows(device)) return;
    const window = this.#windowOf(device);
    const woke = window.asleep;
    window.asleep = false;
    this.#windows.set(window, this.#clock.now() + this.#lasting(device));
    if (woke) this.#changed(device, false);
  }

  /** A message of the device came that is not answered yet: it doesn't fall asleep meanwhile, but waking waits. */
  hearing(device: RegisteredDevice): void {
    if (device.awakeWindow?.asleep === false && !device.ended) this.heard(device);
  }

  /** It did not answer: it must be asleep (Core 1.2 §6.5). */
  silent(device: RegisteredDevice): void {
    if (device.ended || !this.#follows(device)) return;
    const window = this.#windowOf(device);
    if (!window.asleep) this.#sleep(window);
  }

  /** An earlier run of the server heard it last at `heardAt`. */
  resume(device: RegisteredDevice, heardAt: number): void {
    if (!this.#follows(device)) return;
    const window = this.#windowOf(device);
    const until = heardAt + this.#lasting(device);
    window.asleep = until <= this.#clock.now();
    if (!window.asleep) this.#windows.set(window, until);
  }

  /** The registration ended. */
  forget(device: RegisteredDevice): void {
    if (device.awakeWindow) this.#windows.delete(device.awakeWindow);
    device.awakeWindow = null;
  }

  stop(): void {
    this.#windows.stop();
  }

  /** An Update can turn queue mode on and off. */
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
