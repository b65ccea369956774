import type { RegisteredDevice } from '../registered-device.ts';

/** How many expiries the handlers stores at the same time. */
const MOST_AT_ONCE = 256;

/**
 * Ends registrations whose time is over, not all at once: after an outage a whole fleet may fall due in one second, and
 * devices that are alive must not wait behind it.
 */
export class Expiry {
  readonly #end: (device: RegisteredDevice) => Promise<void>;
  readonly #due: RegisteredDevice[] = [];
  #next = 0;
  #ending = 0;

  /** @param end never rejects */
  constructor(end: (device: RegisteredDevice) => Promise<void>) {
    this.#end = end;
  }

  add(device: RegisteredDevice): void {
    this.#due.push(device);
    this.#proceed();
  }

  /** What has not begun to end stays registered, for the next run of the server. */
  stop(): void {
    this.#due.length = 0;
    this.#next = 0;
  }

  #proceed(): void {
    while (this.#ending < MOST_AT_ONCE) {
      const device = this.#due[this.#next];
      if (device === undefined) break;
      this.#next++;
      void this.#take(device);
    }
    if (this.#next >= this.#due.length) {
      this.#due.length = 0;
      this.#next = 0;
    }
  }

  async #take(device: RegisteredDevice): Promise<void> {
    this.#ending++;
    await this.#end(device);
    this.#ending--;
    this.#proceed();
  }
}
