/**
 * One thing at a time for each key, in the order asked: what the fleet asks of a device by itself, and what waited for
 * it to wake, goes out one after the other (Core 1.2 §6.6: after each response the next).
 */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `task` when those before it have ended, however they ended. */
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
