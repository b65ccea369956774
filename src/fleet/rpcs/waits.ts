/** The callers that wait for the end of something, until it ends or the server stops. */
export class Waits {
  readonly #waiting = new Set<() => void>();
  #areOver = false;

  /** Resolves with the result of `ended`; or, when the waits are over before, with that of `present`. */
  async for<T>(ended: Promise<T>, present: () => Promise<T>): Promise<T> {
    let release: () => void = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    this.#waiting.add(release);
    if (this.#areOver) release();
    try {
      return await Promise.race([ended, released.then(present)]);
    } finally {
      this.#waiting.delete(release);
    }
  }

  /** Ends the present waits and those to come. */
  end(): void {
    this.#areOver = true;
    for (const release of this.#waiting) release();
  }
}
