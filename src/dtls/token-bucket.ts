import type { Clock } from '../clock.ts';

/** A token bucket: `perSecond` tokens per second, and a burst of the same number. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #perSecond: number;
  #tokens: number;
  #filledAt: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perSecond = perSecond;
    this.#tokens = perSecond;
    this.#filledAt = clock.now();
  }

  take(): boolean {
    const now = this.#clock.now();
    const gained = (Math.max(0, now - this.#filledAt) * this.#perSecond) / 1_000;
    this.#tokens = Math.min(this.#perSecond, this.#tokens + gained);
    this.#filledAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
