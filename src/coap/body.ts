import { NO_BYTES } from './message.ts';

/** A body put together from blocks in order. Grows by what arrived, never by what was announced. */
export class Body {
  #buffer: Uint8Array = NO_BYTES;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes of memory. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** The capacity it will have when `bytes` more are appended. */
  capacityFor(bytes: number): number {
    const needed = this.#length + bytes;
    return needed <= this.#buffer.length ? this.#buffer.length : Math.max(needed, 2 * this.#buffer.length);
  }

  append(block: Uint8Array): void {
    const capacity = this.capacityFor(block.length);
    if (capacity > this.#buffer.length) {
      const grown = new Uint8Array(capacity);
      grown.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = grown;
    }
    this.#buffer.set(block, this.#length);
    this.#length += block.length;
  }

  clear(): void {
    this.#buffer = NO_BYTES;
    this.#length = 0;
  }

  /** A view of what arrived so far. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
