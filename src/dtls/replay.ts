const WIDTH = 64;

export interface ReplayState {
  readonly highest: number;
  /**
   * Bit n of `recent` means that `highest - n` was received; bit n of `older` means that `highest - 32 - n` was
   * received.
   */
  readonly recent: number;
  readonly older: number;
}

export const NOTHING_SEEN: ReplayState = { highest: -1, recent: 0, older: 0 };

/**
 * The sliding window of RFC 6347 §4.1.2.6. Call `accepts` before the MAC is verified and `mark` only afterwards;
 * otherwise a forged record could block the real one.
 */
export class ReplayWindow {
  #highest: number;
  #recent: number;
  #older: number;

  constructor(state: ReplayState = NOTHING_SEEN) {
    this.#highest = state.highest;
    this.#recent = state.recent;
    this.#older = state.older;
  }

  accepts(sequence: number): boolean {
    const behind = this.#highest - sequence;
    if (behind < 0) return true;
    if (behind >= WIDTH) return false;
    const half = behind < 32 ? this.#recent : this.#older;
    return ((half >>> (behind & 31)) & 1) === 0;
  }

  /** Returns whether the record is newer than all earlier ones. */
  mark(sequence: number): boolean {
    const ahead = sequence - this.#highest;
    if (ahead > 0) {
      this.#shift(ahead);
      this.#highest = sequence;
      this.#recent |= 1;
      return true;
    }
    const behind = -ahead;
    if (behind < 32) this.#recent |= 1 << behind;
    else if (behind < WIDTH) this.#older |= 1 << (behind - 32);
    return false;
  }

  get state(): ReplayState {
    return { highest: this.#highest, recent: this.#recent, older: this.#older };
  }

  #shift(by: number): void {
    // JavaScript takes shift counts modulo 32, so a shift by 32 or more needs its own case.
    if (by >= WIDTH) {
      this.#recent = 0;
      this.#older = 0;
    } else if (by >= 32) {
      this.#older = this.#recent << (by - 32);
      this.#recent = 0;
    } else {
      this.#older = (this.#older << by) | (this.#recent >>> (32 - by));
      this.#recent <<= by;
    }
  }
}
