import type { RegisteredDevice } from '../registered-device.ts';

/** The maximum of expiries that are stored at the same time. */
const MOST_AT_ONCE = 256;

/**
 * Ends expired registrations with a limit on how many at the same time. After an outage all registrations may expire in
 * the same second, and requests of active devices must not wait for that.
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

  /** Drops the waiting expiries: their registrations stay, and the next run of the server ends them. */
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
