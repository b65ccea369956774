import { encodeUtf8 } from './utf8.ts';

const MAJOR = { unsigned: 0, negative: 1, bytes: 2, text: 3, array: 4, map: 5 } as const;

/** Writes CBOR items one after the other, with definite and minimal lengths (RFC 8949 §4.1). */
export class CborWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Returns the bytes that were written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  integer(value: number | bigint): this {
    if (value >= 0) return this.#head(MAJOR.unsigned, value);
    return this.#head(MAJOR.negative, typeof value === 'bigint' ? -1n - value : -1 - value);
  }

  /** Writes binary32 when that is exact, else binary64. Not binary16, because some devices can't read it. */
  float(value: number): this {
    const exact = Object.is(Math.fround(value), value);
    const size = exact ? 4 : 8;
    this.#byte(exact ? 0xfa : 0xfb);
    this.#reserve(size);
    if (exact) this.#view.setFloat32(this.#length, value);
    else this.#view.setFloat64(this.#length, value);
    this.#length += size;
    return this;
  }

  boolean(value: boolean): this {
    return this.#byte(value ? 0xf5 : 0xf4);
  }

  null(): this {
    return this.#byte(0xf6);
  }

  bytes(value: Uint8Array): this {
    return this.#head(MAJOR.bytes, value.length).#append(value);
  }

  text(value: string): this {
    const bytes = encodeUtf8(value);
    return this.#head(MAJOR.text, bytes.length).#append(bytes);
  }

  /** Writes the head of an array; `length` items must follow. */
  array(length: number): this {
    return this.#head(MAJOR.array, length);
  }

  /** Writes the head of a map; `length` pairs of key and value must follow. */
  map(length: number): this {
    return this.#head(MAJOR.map, length);
  }

  #head(major: number, argument: number | bigint): this {
    const kind = major << 5;
    if (argument < 24) return this.#byte(kind | Number(argument));
    this.#reserve(9);
    if (argument < 0x100) {
      this.#view.setUint8(this.#length + 1, Number(argument));
      return this.#headOf(kind | 24, 1);
    }
    if (argument < 0x10000) {
      this.#view.setUint16(this.#length + 1, Number(argument));
      return this.#headOf(kind | 25, 2);
    }
    if (argument < 0x1_0000_0000) {
      this.#view.setUint32(this.#length + 1, Number(argument));
      return this.#headOf(kind | 26, 4);
    }
    this.#view.setBigUint64(this.#length + 1, BigInt(argument));
    return this.#headOf(kind | 27, 8);
  }

  /** Writes the initial byte before the `size` bytes of the argument, which are already written. */
  #headOf(initial: number, size: number): this {
    this.#view.setUint8(this.#length, initial);
    this.#length += 1 + size;
    return this;
  }

  #byte(value: number): this {
    this.#reserve(1);
    this.#view.setUint8(this.#length, value);
    this.#length += 1;
    return this;
  }

  #append(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** Doubles the buffer, so that the total copying takes linear time. */
  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
