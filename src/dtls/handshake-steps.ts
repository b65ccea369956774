/**
 * Runs the steps of one handshake. Nothing throws out of a receive path or a timer: what a step throws goes to `failed`.
 * While a look-up is pending, `isWaiting` is true and the handshake takes no message.
 */
export class HandshakeSteps {
  readonly #failed: (error: unknown) => void;
  readonly #answered: () => void;
  #isWaiting = false;
  #hasEnded = false;

  /** `answered` is called after the step that used an answer. */
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

  /** Runs no step after this. */
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
