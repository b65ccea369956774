import { DtlsError } from './error.ts';

/** Reads the presentation language of RFC 5246 §4. A read past the end throws `decode_error`. */
export class Reader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #offset = 0;

  /** `what`: the name of the structure for error messages, such as "ClientHello". */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** The number of bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  uint(size: 1 | 2 | 3): number {
    return this.#bytes.readUIntBE(this.#pass(size), size);
  }

  /** Returns a view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#pass(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Reads a vector with a length field of `size` bytes. Returns a view, not a copy. */
  vector(size: 1 | 2 | 3, bounds: { readonly min?: number; readonly max?: number } = {}): Buffer {
    const length = this.uint(size);
    if (length < (bounds.min ?? 0) || length > (bounds.max ?? Infinity)) {
      throw this.#malformed(`a vector of ${length} bytes is not allowed here`);
    }
    return this.bytes(length);
  }

  /** Throws unless all bytes were read. */
  end(): void {
    if (this.left > 0) throw this.#malformed(`${this.left} extra bytes at the end`);
  }

  /** Skips `length` bytes and returns the offset of the first one. */
  #pass(length: number): number {
    if (length > this.left) throw this.#malformed('too short');
    const start = this.#offset;
    this.#offset += length;
    return start;
  }

  #malformed(detail: string): DtlsError {
    return new DtlsError('decode_error', `the ${this.#what} is malformed: ${detail}`);
  }
}

export function uint(size: 1 | 2 | 3, value: number): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
}

export function vector(size: 1 | 2 | 3, body: Buffer): Buffer {
  return Buffer.concat([uint(size, body.length), body]);
}

/** Parses the body of a vector as 16-bit numbers. */
export function uint16s(body: Buffer, what: string): number[] {
  const reader = new Reader(body, what);
  const values: number[] = [];
  while (reader.left > 0) values.push(reader.uint(2));
  return values;
}

/**
 * Returns a copy with its own memory. Small buffers are otherwise parts of Node's shared 8 KiB pool and keep it alive.
 */
export function lasting(bytes: Buffer): Buffer {
  const copy = Buffer.alloc(bytes.length);
  bytes.copy(copy);
  return copy;
}
