import { DtlsError } from './error.ts';

/** Reads the presentation language of RFC 5246 §4; every read past the end is a `decode_error`. */
export class Reader {
  readonly #bytes: Buffer;
  readonly #what: string;
  #offset = 0;

  /** `what` names the structure in the error: "ClientHello". */
  constructor(bytes: Buffer, what: string) {
    this.#bytes = bytes;
    this.#what = what;
  }

  /** How many bytes have been read. */
  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  uint(size: 1 | 2 | 3): number {
    return this.#bytes.readUIntBE(this.#pass(size), size);
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#pass(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** A vector behind its length of `size` bytes; a view, not a copy. */
  vector(size: 1 | 2 | 3, bounds: { readonly min?: number; readonly max?: number } = {}): Buffer {
    const length = this.uint(size);
    if (length < (bounds.min ?? 0) || length > (bounds.max ?? Infinity)) {
      throw this.#malformed(`a vector of ${length} bytes is not allowed here`);
    }
    return this.bytes(length);
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.left > 0) throw this.#malformed(`${this.left} extra bytes at the end`);
  }

  /** Returns where the bytes passed over begin. */
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

/** A vector's body as 16-bit numbers. */
export function uint16s(body: Buffer, what: string): number[] {
  const reader = new Reader(body, what);
  const values: number[] = [];
  while (reader.left > 0) values.push(reader.uint(2));
  return values;
}

/** A copy that keeps nothing else alive: small buffers otherwise are parts of Node's shared pool of 8 KiB. */
export function lasting(bytes: Buffer): Buffer {
  const copy = Buffer.alloc(bytes.length);
  bytes.copy(copy);
  return copy;
}
