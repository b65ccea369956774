import { Lwm2mError } from './error.ts';
import { parseLinks } from './link-format.ts';
import type { Path } from './path.ts';

/** The data types of Core 1.2 Appendix C. */
export type ResourceType =
  | 'String'
  | 'Integer'
  | 'Unsigned Integer'
  | 'Float'
  | 'Boolean'
  | 'Opaque'
  | 'Time'
  | 'Objlnk'
  | 'Corelnk';

/** An object link; 65535:65535 is the null link. */
export interface ObjectLink {
  readonly objectId: number;
  readonly instanceId: number;
}

/**
 * The value of one resource (or resource instance) with its type. Integers are exact: a number when |n| < 2^53, else a
 * bigint. Time is in whole seconds since the Unix epoch. Corelnk is link-format text.
 */
export type TypedValue =
  | { readonly type: 'String' | 'Corelnk'; readonly value: string }
  | { readonly type: 'Integer' | 'Unsigned Integer' | 'Time'; readonly value: number | bigint }
  | { readonly type: 'Float'; readonly value: number }
  | { readonly type: 'Boolean'; readonly value: boolean }
  | { readonly type: 'Opaque'; readonly value: Uint8Array }
  | { readonly type: 'Objlnk'; readonly value: ObjectLink };

/** A value with its path: a resource or, for a multiple resource, a resource instance. */
export type Reading = TypedValue & {
  readonly path: Path;
  /** The time of measurement in seconds since the Unix epoch (may have a fraction); null: not given, so the present. */
  readonly time: number | null;
  /** True when the object definition is unknown and the type was derived from the payload. */
  readonly guessed?: boolean;
};

/** The content of a payload: readings, and paths that exist without a value. */
export interface DecodedPayload {
  readonly readings: readonly Reading[];
  /** Object instances without resources, and multiple resources without instances. */
  readonly empty: readonly Path[];
  /** Values that a response or notification holds besides the requested ones; they are in neither list above. */
  readonly outside?: readonly OutsideValue[];
}

/** A value that was set aside, with the reason. */
export interface OutsideValue {
  readonly path: Path;
  readonly reason: string;
}

export const RESOURCE_TYPES: readonly ResourceType[] = [
  'String',
  'Integer',
  'Unsigned Integer',
  'Float',
  'Boolean',
  'Opaque',
  'Time',
  'Objlnk',
  'Corelnk',
];

export type IntegerType = 'Integer' | 'Unsigned Integer' | 'Time';

const SMALLEST_SIGNED = -(2n ** 63n);
const LARGEST_SIGNED = 2n ** 63n - 1n;
const LARGEST_UNSIGNED = 2n ** 64n - 1n;

/** Converts to a number when that is exact, else returns the bigint. */
export function exactInteger(value: bigint): number | bigint {
  const rounded = Number(value);
  return Number.isSafeInteger(rounded) ? rounded : value;
}

/**
 * Checks an integer of the type: signed or unsigned 64 bit (Core 1.2 Appendix C). Throws INVALID_VALUE for a value out
 * of range, with a fraction, or beyond the exact range of a number.
 */
export function integerOf(type: IntegerType, value: number | bigint, offset?: number): number | bigint {
  const unsigned = type === 'Unsigned Integer';
  // Adding 0 turns -0 into 0.
  if (Number.isSafeInteger(value) && (value >= 0 || !unsigned)) return typeof value === 'number' ? value + 0 : value;
  if (typeof value === 'bigint') {
    const fits = unsigned
      ? value >= 0n && value <= LARGEST_UNSIGNED
      : value >= SMALLEST_SIGNED && value <= LARGEST_SIGNED;
    if (fits) return exactInteger(value);
  }
  throw new Lwm2mError('INVALID_VALUE', `${value} is not a 64-bit ${type}`, { offset });
}

const LINK_PART = '(0|[1-9]\\d{0,4})';
const OBJECT_LINK = new RegExp(`^${LINK_PART}:${LINK_PART}$`);

/** Parses `66:0`. The null link is 65535:65535, or `FFFF:FFFF` as in the examples of the TS. Throws INVALID_VALUE. */
export function parseObjectLink(text: string, offset?: number): ObjectLink {
  const match = OBJECT_LINK.exec(text === 'FFFF:FFFF' || text === 'ffff:ffff' ? '65535:65535' : text);
  const objectId = Number(match?.[1] ?? -1);
  const instanceId = Number(match?.[2] ?? -1);
  if (match === null || objectId > 65535 || instanceId > 65535) {
    throw new Lwm2mError('INVALID_VALUE', `${JSON.stringify(text.slice(0, 40))} is not an object link such as 66:0`, {
      offset,
    });
  }
  return { objectId, instanceId };
}

export function formatObjectLink(link: ObjectLink): string {
  return `${link.objectId}:${link.instanceId}`;
}

/** Throws INVALID_VALUE when the text is not link format (RFC 6690). */
export function checkCorelnk(text: string, offset?: number): void {
  try {
    parseLinks(text);
  } catch (cause) {
    throw new Lwm2mError('INVALID_VALUE', 'the Corelnk value is not valid link format', { offset, cause });
  }
}

/** UTF-8 can't encode a lone surrogate. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Returns the value, integers as numbers where that is exact. Throws INVALID_VALUE when its type does not allow it.
 * Encoders check every value, because TypeScript types can't: a bigint has no width and a number may be NaN.
 */
export function checkedValue(value: TypedValue): TypedValue {
  switch (value.type) {
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      return { type: value.type, value: integerOf(value.type, value.value) };
    case 'Float':
      if (Number.isFinite(value.value)) return value;
      throw new Lwm2mError('INVALID_VALUE', `${value.value} is not a valid Float`);
    case 'Objlnk':
      parseObjectLink(formatObjectLink(value.value));
      return value;
    case 'String':
    case 'Corelnk':
      if (LONE_SURROGATE.test(value.value)) throw new Lwm2mError('INVALID_VALUE', 'the text contains a lone surrogate');
      if (value.type === 'Corelnk') checkCorelnk(value.value);
      return value;
    default:
      return value;
  }
}
