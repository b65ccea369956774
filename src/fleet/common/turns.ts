/**
 * Runs the tasks of a key one after the other, in the order of the calls. The fleet sends its own requests to a device
 * this way, also those that were queued while the device slept: after each response the next (Core 1.2 §6.6).
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `task` when all earlier tasks of the key have ended, with or without an error. */
  async take<T>(key: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key);
    const result = after(before, task);
    const ended = Promise.allSettled([result]);
    this.#last.set(key, ended);
    try {
      return await result;
    } finally {
      if (this.#last.get(key) === ended) this.#last.delete(key);
    }
  }
}

async function after<T>(before: Promise<unknown> | undefined, task: () => Promise<T>): Promise<T> {
  await before;
  return task();
}
