import { NO_BYTES } from './message.ts';

/** A body that is assembled from blocks in order. It grows with the received bytes, never with an announced size. */
export class Body {
  #buffer: Uint8Array = NO_BYTES;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes of memory in use. */
  get capacity(): number {
    return this.#buffer.length;
  }

  /** The capacity after `bytes` more are appended. */
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

  /** A view of the bytes received so far. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}
