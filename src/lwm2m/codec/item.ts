import { Lwm2mError } from '../error.ts';
import { exactInteger } from '../value.ts';

/**
 * A value of JSON or CBOR, before the type of its resource is applied. `offset` is its position in the payload. Numbers
 * without a fraction are exact integers. `link` is an object link by its label (`vlo`, `ov`). `other` is well-formed
 * but never a value of a resource (undefined, a tag that LwM2M does not use).
 */
export type Item =
  | { readonly kind: 'integer'; readonly value: number | bigint; readonly offset: number }
  | { readonly kind: 'float'; readonly value: number; readonly offset: number }
  | { readonly kind: 'text'; readonly value: string; readonly offset: number }
  | { readonly kind: 'link'; readonly value: string; readonly offset: number }
  | { readonly kind: 'bytes'; readonly value: Uint8Array; readonly offset: number }
  | { readonly kind: 'boolean'; readonly value: boolean; readonly offset: number }
  | { readonly kind: 'time'; readonly value: number | bigint; readonly offset: number }
  | { readonly kind: 'null'; readonly offset: number }
  | { readonly kind: 'other'; readonly offset: number }
  | { readonly kind: 'array'; readonly items: readonly Item[]; readonly offset: number }
  | { readonly kind: 'map'; readonly entries: readonly (readonly [Item, Item])[]; readonly offset: number };

/** SenML needs a depth of two, LwM2M CBOR of five; unknown fields may be deeper. */
export const MAX_DEPTH = 16;

export function malformed(message: string, offset: number): Lwm2mError {
  return new Lwm2mError('INVALID_PAYLOAD', message, { offset });
}

/** The largest 64-bit integer has 20 digits. */
const MAX_DIGITS = 20;
/** Longer texts are rounded, so that an exact conversion does not take more than linear time. */
const MAX_EXACT_LENGTH = 64;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * Parses a decimal number (`100`, `-1.5`, `2e3`). Returns an integer item when the text is an integer, or its value is
 * an integer beyond 2^53 that a float would round; else a float item. Undefined when the text is not a number.
 */
export function exactNumber(text: string, offset: number): Item | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponent] = match;
  const value = Number(text);
  const plain = fraction === '' && exponent === undefined;
  if (Object.is(value, -0) || (!plain && Math.abs(value) <= Number.MAX_SAFE_INTEGER)) {
    return { kind: 'float', value, offset };
  }
  if (plain && Number.isSafeInteger(value)) return { kind: 'integer', value, offset };
  const short = text.length <= MAX_EXACT_LENGTH;
  const digits = short ? integerDigits(whole, fraction, Number(exponent ?? 0)) : undefined;
  if (digits === undefined) return { kind: 'float', value, offset };
  return { kind: 'integer', value: exactInteger(BigInt(sign + digits)), offset };
}

/** Digits of `whole.fraction × 10^exponent` when it is an integer of at most 20 digits; else undefined. */
function integerDigits(whole: string, fraction: string, exponent: number): string | undefined {
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  const zeros = digits.length - significant.length - fraction.length + exponent;
  if (zeros < 0 || significant.length + zeros > MAX_DIGITS) return undefined;
  return significant + '0'.repeat(zeros);
}

/** Converts a number item to a JS number, possibly rounded; undefined for other items. */
export function numberOf(item: Item): number | undefined {
  return item.kind === 'integer' || item.kind === 'float' ? Number(item.value) : undefined;
}

/** Describes an item in an error message. */
export function describe(item: Item): string {
  switch (item.kind) {
    case 'integer':
    case 'float':
      return `the number ${item.value}`;
    case 'boolean':
      return String(item.value);
    case 'text':
      return 'a text';
    case 'link':
      return 'an object link';
    case 'bytes':
      return 'a byte string';
    case 'array':
      return 'an array';
    case 'map':
      return 'a map';
    case 'time':
      return 'a time';
    case 'null':
      return 'null';
    case 'other':
      return 'an item that can’t be a value';
  }
}
