import type { Clock, Timer } from '../../clock.ts';

/**
 * Writes what waits in portions: one interval after the first call of `schedule`, and again after each interval while
 * more waits. Only one write runs at a time.
 */
export class DelayedWriter {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #write: () => Promise<void>;
  readonly #isEmpty: () => boolean;
  #timer: Timer | null = null;
  #writing: Promise<void> = Promise.resolve();

  /** `write` takes what waits and must not reject. `isEmpty`: nothing waits. */
  constructor(parts: { clock: Clock; intervalMs: number; write: () => Promise<void>; isEmpty: () => boolean }) {
    this.#clock = parts.clock;
    this.#intervalMs = parts.intervalMs;
    this.#write = parts.write;
    this.#isEmpty = parts.isEmpty;
  }

  /** Call it when something waits. */
  schedule(): void {
    this.#timer ??= this.#clock.after(this.#intervalMs, () => void this.#flush());
  }

  /** Writes what waits now. Call it when nothing more comes. */
  async stop(): Promise<void> {
    this.#timer?.cancel();
    await this.#flush();
  }

  async #flush(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writePortion());
    await this.#writing;
  }

  async #writePortion(): Promise<void> {
    await this.#write();
    this.#timer = null;
    if (!this.#isEmpty()) this.schedule();
  }
}
