import type { Clock } from '../clock.ts';
import { TelemetryError } from './error.ts';

/**
 * `connecting`: no answer yet. `ok`: it answered last time, even if it refused a topic. `unresponsive`: a request waits
 * for longer than five seconds. `unreachable`: the last request failed.
 */
export const BROKER_STATES = ['connecting', 'ok', 'unresponsive', 'unreachable'] as const;
export type BrokerState = (typeof BROKER_STATES)[number];

/** An answer to a request that waits longer than this is late. */
const PATIENCE_MS = 5_000;
/** A broker that was silent for so long is checked. */
const CHECK_MS = 10_000;

/** Follows the requests to the broker. */
export class BrokerHealth {
  readonly #clock: Clock;
  /** When each pending request began. */
  readonly #pending = new Set<{ readonly since: number }>();
  #last: 'connecting' | 'ok' | 'unreachable' = 'connecting';
  #answeredAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get state(): BrokerState {
    const late = this.#clock.now() - PATIENCE_MS;
    return [...this.#pending].some(({ since }) => since < late) ? 'unresponsive' : this.#last;
  }

  get needsCheck(): boolean {
    return this.#last !== 'ok' || this.#clock.now() - this.#answeredAt >= CHECK_MS;
  }

  /** Performs a request and notes its outcome; rejects when it does. */
  async follow(request: () => Promise<void>): Promise<void> {
    const pending = { since: this.#clock.now() };
    this.#pending.add(pending);
    try {
      await request();
      this.#answered();
    } catch (error) {
      if (error instanceof TelemetryError && error.code !== 'UNREACHABLE') this.#answered();
      else this.#last = 'unreachable';
      throw error;
    } finally {
      this.#pending.delete(pending);
    }
  }

  #answered(): void {
    this.#last = 'ok';
    this.#answeredAt = this.#clock.now();
  }
}
