import type { Clock, Timer } from '../clock.ts';

/** Timers by name, one of each: the later takes the place of the earlier. */
export class Timers {
  readonly #clock: Clock;
  readonly #running = new Map<string, Timer>();
  #stopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  after(name: string, ms: number, task: () => void): void {
    this.#running.get(name)?.cancel();
    if (!this.#stopped) this.#running.set(name, this.#clock.after(ms, task));
  }

  /** Every so many milliseconds; 0: never. */
  every(name: string, ms: number, task: () => void): void {
    if (ms <= 0) return;
    this.after(name, ms, () => {
      task();
      this.every(name, ms, task);
    });
  }

  /** None of them runs any more, and no other will. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#running.values()) timer.cancel();
  }
}
