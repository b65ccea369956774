import type { Clock, Timer } from '../clock.ts';

/** Timers with names. A new timer replaces the running one with the same name. */
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

  /** Repeats the task every `ms` milliseconds; 0: never. */
  every(name: string, ms: number, task: () => void): void {
    if (ms <= 0) return;
    this.after(name, ms, () => {
      task();
      this.every(name, ms, task);
    });
  }

  /** Cancels all timers and ignores new ones. */
  stop(): void {
    this.#stopped = true;
    for (const timer of this.#running.values()) timer.cancel();
  }
}
