import { Lwm2mError } from '../error.ts';
import { exactInteger } from '../value.ts';

/**
 * A value as JSON or CBOR writes it, before anybody knows the type of its resource. `offset` says where it stands in
 * the payload. Numbers written without a fraction are exact integers; `link` is what a label (`vlo`, `ov`) says to be
 * an object link; `other` is well-formed but never a value of a resource (undefined, a tag that LwM2M doesn't use).
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

/** SenML nests two deep, LwM2M CBOR five; the rest is room for fields nobody knows. */
export const MAX_DEPTH = 16;

export function malformed(message: string, offset: number): Lwm2mError {
  return new Lwm2mError('INVALID_PAYLOAD', message, { offset });
}

/** No 64-bit integer has more digits. */
const MAX_DIGITS = 20;
/** Longer spellings are rounded: what is exact in them is not worth more than linear time. */
const MAX_EXACT_LENGTH = 64;
const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/**
 * The exact value of a decimal number (`100`, `-1.5`, `2e3`): an integer item when it is written as one or is one
 * beyond 2^53, where a float would round it; a float item otherwise. Undefined when it is no such number.
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

/** `whole.fraction × 10^exponent` as the digits of an integer, if it is one that 64 bits could hold. */
function integerDigits(whole: string, fraction: string, exponent: number): string | undefined {
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  const zeros = digits.length - significant.length - fraction.length + exponent;
  if (zeros < 0 || significant.length + zeros > MAX_DIGITS) return undefined;
  return significant + '0'.repeat(zeros);
}

/** A number item as a JS number, rounded where it must be; undefined when the item is no number. */
export function numberOf(item: Item): number | undefined {
  return item.kind === 'integer' || item.kind === 'float' ? Number(item.value) : undefined;
}

/** What an item is, for a message. */
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
      return 'an item that is no value';
  }
}
