/** The callers that wait for the end of something, until it ends or the server stops. */
export class Waits {
  readonly #waiting = new Set<AbortController>();
  #areOver = false;

  /** Resolves with the result of `ended`; or, when the waits are over before, with that of `present`. */
  async for<T>(ended: Promise<T>, present: () => Promise<T>): Promise<T> {
    const wait = new AbortController();
    const released = new Promise<void>((resolve) => wait.signal.addEventListener('abort', () => resolve()));
    this.#waiting.add(wait);
    if (this.#areOver) wait.abort();
    try {
      return await Promise.race([ended, released.then(present)]);
    } finally {
      this.#waiting.delete(wait);
    }
  }

  /** Ends all waits. A wait that begins later ends at once. */
  end(): void {
    this.#areOver = true;
    for (const wait of this.#waiting) wait.abort();
  }
}
