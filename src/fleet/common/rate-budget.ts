import type { Clock } from '../../clock.ts';

/**
 * Limits the amounts for each key: a burst at once, then a constant rate. For each key it stores the time at which the
 * whole burst is available again (the Generic Cell Rate Algorithm of ITU-T I.371).
 */
export class RateBudget<Key> {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #burst: number;
  /** In the order of the last amount. */
  readonly #fullAt = new Map<Key, number>();

  constructor({ clock, perSecond, burst }: { clock: Clock; perSecond: number; burst: number }) {
    this.#clock = clock;
    this.#intervalMs = 1_000 / perSecond;
    this.#burst = burst;
  }

  /** How long this amount must wait, in milliseconds; 0 if it may go now. An amount above the burst waits for all of it. */
  wait(key: Key, amount = 1): number {
    const now = this.#clock.now();
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now);
    const needed = Math.min(amount, this.#burst) * this.#intervalMs;
    return Math.max(0, Math.ceil(fullAt + needed - this.#burst * this.#intervalMs - now));
  }

  /** Counts an amount. */
  take(key: Key, amount = 1): void {
    const now = this.#clock.now();
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now) + amount * this.#intervalMs;
    this.#fullAt.delete(key);
    // Keys with the whole burst need no entry.
    for (const [other, full] of this.#fullAt) {
      if (full > now) break;
      this.#fullAt.delete(other);
    }
    this.#fullAt.set(key, fullAt);
  }
}
