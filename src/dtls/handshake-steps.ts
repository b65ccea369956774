/**
 * Runs the steps of one handshake. An exception in a step goes to `failed`, so that no receive path and no timer
 * throws. While a look-up is pending, `isWaiting` is true and the handshake must not process messages.
 */
export class HandshakeSteps {
  readonly #failed: (error: unknown) => void;
  readonly #answered: () => void;
  #isWaiting = false;
  #hasEnded = false;

  /** `answered` is called after the step that uses a look-up's answer. */
  constructor(failed: (error: unknown) => void, answered: () => void) {
    this.#failed = failed;
    this.#answered = answered;
  }

  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** No step runs after this call. */
  end(): void {
    this.#hasEnded = true;
  }

  run(step: () => void): void {
    if (this.#hasEnded) return;
    try {
      step();
    } catch (error) {
      this.#failed(error);
    }
  }

  whenAnswered<T>(answer: Promise<T>, use: (value: T) => void): void {
    this.#isWaiting = true;
    const goOn = (step: () => void): void => {
      this.#isWaiting = false;
      this.run(step);
      this.#answered();
    };
    answer.then(
      (value) => goOn(() => use(value)),
      (error: unknown) => goOn(() => raise(error)),
    );
  }
}

function raise(error: unknown): never {
  throw error;
}
