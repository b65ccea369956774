import type { Clock } from '../clock.ts';
import { Deadlines } from './deadlines.ts';
import type { AwakeProbe } from './handlers.ts';
import type { AwakeWindow, RegisteredDevice } from './registered-device.ts';

/** A request that waits a shorter time says nothing: too few copies of it were sent (RFC 7252 §4.2). */
const LEAST_WAIT_MS = 10_000;

export interface QueueModeOptions {
  readonly clock: Clock;
  /** How long a device is awake whose admission gives no time, in milliseconds. */
  readonly awakeMs: number;
  /** Called when a device fell asleep or awoke. */
  readonly changed: (device: RegisteredDevice, asleep: boolean) => void;
  /** Called when a request showed whether a device was awake. */
  readonly probed: (device: RegisteredDevice, probe: AwakeProbe) => void;
}

/**
 * Tracks which queue-mode devices are awake (Core 1.2 §6.5). A device is awake for MAX_TRANSMIT_WAIT after its last
 * message, or for the time that its admission gives.
 */
export class QueueMode {
  readonly #clock: Clock;
  readonly #awakeMs: number;
  readonly #changed: QueueModeOptions['changed'];
  readonly #probed: QueueModeOptions['probed'];
  readonly #windows: Deadlines<AwakeWindow>;

  constructor({ clock, awakeMs, changed, probed }: QueueModeOptions) {
    this.#clock = clock;
    this.#awakeMs = awakeMs;
    this.#changed = changed;
    this.#probed = probed;
    this.#windows = new Deadlines(clock, (window) => this.#sleep(window));
  }

  isAsleep(device: RegisteredDevice): boolean {
    return device.registration.queueMode && (device.awakeWindow?.asleep ?? false);
  }

  /** The device sent a message and may now receive requests: restarts the awake window. */
  heard(device: RegisteredDevice): void {
    if (device.ended || !this.#follows(device)) return;
    const window = this.#windowOf(device);
    const now = this.#clock.now();
    const woke = window.asleep;
    window.asleep = false;
    this.#windows.set(window, now + this.#lasting(device));
    // A message that is no answer: the device came back by itself.
    if (window.askedAt !== null && now - window.askedAt >= LEAST_WAIT_MS) this.#probe(window, false);
    window.heardAt = now;
    window.askedAt = null;
    if (woke) this.#changed(device, false);
  }

  /** A request was sent to the device. Returns when, in milliseconds, for `answered` and `unanswered`. */
  asked(device: RegisteredDevice): number {
    const now = this.#clock.now();
    const window = device.awakeWindow;
    if (window && window.heardAt !== null && !window.asleep) window.askedAt ??= now;
    return now;
  }

  /** The device acknowledged or answered a request. Call it before `heard`. */
  answered({ awakeWindow }: RegisteredDevice): void {
    if (!awakeWindow || awakeWindow.askedAt === null) return;
    this.#probe(awakeWindow, true);
    awakeWindow.askedAt = null;
  }

  /** The request that was sent at `askedAt` ended without an answer. */
  unanswered({ awakeWindow }: RegisteredDevice, askedAt: number): void {
    if (awakeWindow?.askedAt === askedAt && this.#clock.now() - askedAt < LEAST_WAIT_MS) awakeWindow.askedAt = null;
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
    window.heardAt = null;
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
    return (device.awakeWindow ??= {
      device,
      asleep: false,
      heardAt: null,
      askedAt: null,
      dueAt: Infinity,
      heapIndex: -1,
    });
  }

  #probe({ device, heardAt, askedAt }: AwakeWindow, answered: boolean): void {
    if (heardAt !== null && askedAt !== null) this.#probed(device, { quietMs: askedAt - heardAt, answered });
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
