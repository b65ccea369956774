import { exactInteger } from '../value.ts';
import { exactNumber, malformed, MAX_DEPTH, numberOf } from './item.ts';
import type { Item } from './item.ts';
import { rfc3339Seconds } from './rfc3339.ts';
import { decodeUtf8 } from './utf8.ts';

const BREAK = 0xff;
const INDEFINITE = 31;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const MAP = 5;
/** All empty arrays and maps share this value, because a payload may contain many of them. */
const NOTHING: readonly never[] = [];

/**
 * Reads a payload that is one CBOR item (RFC 8949): any key order, non-minimal and indefinite lengths, tags 0-4.
 * Throws INVALID_PAYLOAD with the offset. It compares a length with the remaining bytes before it allocates memory, and
 * limits the nesting depth to 16 (docs/decisions/0003-cbor.md).
 */
export function readCbor(bytes: Uint8Array): Item {
  const reader = new CborReader(bytes);
  const item = reader.item(0);
  reader.end();
  return item;
}

/** Reads a payload that is one array, item by item, so that a long array is never completely in memory. */
export function* readCborArray(bytes: Uint8Array): Generator<Item> {
  const reader = new CborReader(bytes);
  const count = reader.open(ARRAY);
  for (let index = 0; reader.hasMore(index, count); index += 1) yield reader.item(1);
  reader.end();
}

/** Reads a payload that is one map, entry by entry. */
export function* readCborMap(bytes: Uint8Array): Generator<readonly [Item, Item]> {
  const reader = new CborReader(bytes);
  const count = reader.open(MAP);
  for (let index = 0; reader.hasMore(index, count); index += 1) yield [reader.item(1), reader.item(1)];
  reader.end();
}

/** The number of items of an array or entries of a map; null for an indefinite length. */
type Count = number | null;

class CborReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  end(): void {
    if (this.#left > 0) throw malformed(`${this.#left} bytes follow the CBOR item`, this.#position);
  }

  /** Reads the head of the outermost array or map. */
  open(major: typeof ARRAY | typeof MAP): Count {
    const initial = this.#byte();
    if (initial >> 5 !== major)
      throw malformed(major === ARRAY ? 'the payload is not an array' : 'the payload is not a map', 0);
    return this.#count(initial & 0x1f, major === ARRAY ? 1 : 2, 0);
  }

  hasMore(index: number, count: Count): boolean {
    return count === null ? !this.#isBreak() : index < count;
  }

  item(depth: number): Item {
    const offset = this.#position;
    if (depth > MAX_DEPTH) throw malformed(`the nesting is deeper than ${MAX_DEPTH}`, offset);
    const initial = this.#byte();
    const information = initial & 0x1f;
    switch (initial >> 5) {
      case 0:
        return { kind: 'integer', value: this.#argument(information, offset), offset };
      case 1:
        return { kind: 'integer', value: negative(this.#argument(information, offset)), offset };
      case 2:
        return { kind: 'bytes', value: this.#octets(information, offset), offset };
      case 3:
        return { kind: 'text', value: this.#text(information, offset), offset };
      case 4:
        return { kind: 'array', items: this.#items(this.#count(information, 1, offset), depth + 1), offset };
      case 5:
        return { kind: 'map', entries: this.#entries(this.#count(information, 2, offset), depth + 1), offset };
      case 6:
        return tagged(this.#argument(information, offset), this.item(depth + 1), offset);
      default:
        return this.#simple(information, offset);
    }
  }

  get #left(): number {
    return this.#bytes.length - this.#position;
  }

  #byte(): number {
    const byte = this.#bytes[this.#position];
    if (byte === undefined) throw malformed('the payload ends inside a CBOR item', this.#position);
    this.#position += 1;
    return byte;
  }

  /** Skips `length` bytes and returns the position before them. */
  #advance(length: number | bigint): number {
    const start = this.#position;
    if (length > this.#left) throw malformed(`the item needs ${length} bytes, but ${this.#left} are left`, start);
    this.#position += Number(length);
    return start;
  }

  /** Reads the argument: the number in or after the initial byte (RFC 8949 §3). */
  #argument(information: number, offset: number): number | bigint {
    if (information < 24) return information;
    if (information === 24) return this.#byte();
    if (information === 25) return this.#view.getUint16(this.#advance(2));
    if (information === 26) return this.#view.getUint32(this.#advance(4));
    if (information === 27) return exactInteger(this.#view.getBigUint64(this.#advance(8)));
    throw malformed(`additional information ${information} is not allowed here`, offset);
  }

  #octets(information: number, offset: number): Uint8Array {
    return information === INDEFINITE ? this.#chunks(BYTES) : this.#span(information, offset).slice();
  }

  #text(information: number, offset: number): string {
    if (information !== INDEFINITE) return decodeUtf8(this.#span(information, offset), offset);
    return decodeUtf8(this.#chunks(TEXT), offset);
  }

  /** Reads a string of definite length, as a view of the payload. */
  #span(information: number, offset: number): Uint8Array {
    const length = this.#argument(information, offset);
    const start = this.#advance(length);
    return this.#bytes.subarray(start, this.#position);
  }

  /**
   * Joins the chunks of an indefinite string. It reads them twice, first for the total length, so that many small
   * chunks need no more memory than their bytes.
   */
  #chunks(major: number): Uint8Array {
    const start = this.#position;
    let length = 0;
    while (!this.#isBreak()) length += this.#chunk(major).length;
    const whole = new Uint8Array(length);
    this.#position = start;
    for (let written = 0; !this.#isBreak();) {
      const chunk = this.#chunk(major);
      whole.set(chunk, written);
      written += chunk.length;
    }
    return whole;
  }

  /** RFC 8949 §3.2.3: chunks are strings of the same type with a definite length, and must not split a character. */
  #chunk(major: number): Uint8Array {
    const offset = this.#position;
    const initial = this.#byte();
    const information = initial & 0x1f;
    if (initial >> 5 !== major || information === INDEFINITE)
      throw malformed('a chunk has the wrong type or an indefinite length', offset);
    const chunk = this.#span(information, offset);
    if (major === TEXT && ((chunk[0] ?? 0) & 0xc0) === 0x80)
      throw malformed('a chunk splits a UTF-8 character', offset);
    return chunk;
  }

  #count(information: number, itemsEach: number, offset: number): Count {
    if (information === INDEFINITE) return null;
    const count = this.#argument(information, offset);
    // An item needs at least one byte.
    if (count > this.#left / itemsEach)
      throw malformed(`the head gives ${count} entries, but only ${this.#left} bytes are left`, offset);
    return Number(count);
  }

  #items(count: Count, depth: number): readonly Item[] {
    if (count === 0) return NOTHING;
    const items: Item[] = [];
    while (this.hasMore(items.length, count)) items.push(this.item(depth));
    return items;
  }

  #entries(count: Count, depth: number): readonly (readonly [Item, Item])[] {
    if (count === 0) return NOTHING;
    const entries: (readonly [Item, Item])[] = [];
    while (this.hasMore(entries.length, count)) entries.push([this.item(depth), this.item(depth)]);
    return entries;
  }

  #isBreak(): boolean {
    if (this.#bytes[this.#position] !== BREAK) return false;
    this.#position += 1;
    return true;
  }

  #simple(information: number, offset: number): Item {
    switch (information) {
      case 20:
        return { kind: 'boolean', value: false, offset };
      case 21:
        return { kind: 'boolean', value: true, offset };
      case 22:
        return { kind: 'null', offset };
      case 25:
        return { kind: 'float', value: halfFloat(this.#view.getUint16(this.#advance(2))), offset };
      case 26:
        return { kind: 'float', value: this.#view.getFloat32(this.#advance(4)), offset };
      case 27:
        return { kind: 'float', value: this.#view.getFloat64(this.#advance(8)), offset };
      case INDEFINITE:
        throw malformed('a break outside an item of indefinite length', offset);
      default: {
        const value = this.#argument(information, offset);
        // RFC 8949 §3.3: two bytes must not encode a simple value below 32.
        if (information === 24 && value < 32) throw malformed(`two bytes encode the simple value ${value}`, offset);
        return { kind: 'other', offset };
      }
    }
  }
}

function negative(argument: number | bigint): number | bigint {
  return exactInteger(-1n - BigInt(argument));
}

/** Decodes IEEE 754 binary16; only newer versions of Node have DataView.getFloat16. */
function halfFloat(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/**
 * Reads a tagged item (RFC 8949 §3.4): date-time text, epoch time, bignum or decimal fraction. Others are no values.
 */
function tagged(tag: number | bigint, content: Item, offset: number): Item {
  switch (tag) {
    case 0: {
      const seconds = content.kind === 'text' ? rfc3339Seconds(content.value) : undefined;
      if (seconds === undefined) throw malformed('the content of tag 0 is not an RFC 3339 date-time', offset);
      return { kind: 'time', value: seconds, offset };
    }
    case 1: {
      if (content.kind === 'integer') return { kind: 'time', value: content.value, offset };
      // Epoch times may have a fraction; LwM2M times are whole seconds (Core 1.2 Appendix C).
      if (content.kind === 'float') return { kind: 'time', value: Math.floor(content.value), offset };
      throw malformed('the content of tag 1 is not a number', offset);
    }
    case 2:
    case 3: {
      const magnitude = content.kind === 'bytes' ? bignum(content.value) : undefined;
      if (magnitude === undefined)
        throw malformed('the content of a bignum tag is not a byte string of at most 64 bits', offset);
      return { kind: 'integer', value: tag === 2 ? exactInteger(magnitude) : negative(magnitude), offset };
    }
    case 4:
      return decimalFraction(content, offset);
    default:
      return { kind: 'other', offset };
  }
}

function bignum(bytes: Uint8Array): bigint | undefined {
  const first = bytes.findIndex((byte) => byte !== 0);
  const significant = first === -1 ? bytes.subarray(bytes.length) : bytes.subarray(first);
  if (significant.length > 8) return undefined;
  return significant.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
}

/** RFC 8949 §3.4.4: [exponent, mantissa]. RFC 8428 §6 allows it for numbers in SenML. */
function decimalFraction(content: Item, offset: number): Item {
  const [exponent, mantissa, more] = content.kind === 'array' ? content.items : [];
  if (exponent?.kind === 'integer' && mantissa?.kind === 'integer' && more === undefined) {
    const power = numberOf(exponent) ?? 0;
    const number = Math.abs(power) <= 1000 ? exactNumber(`${mantissa.value}e${power}`, offset) : undefined;
    if (number !== undefined) return number;
  }
  throw malformed('the content of a decimal fraction is not [exponent, mantissa]', offset);
}
