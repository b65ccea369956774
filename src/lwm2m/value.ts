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
 * The value of one resource (or resource instance) with its type. Integers are exact: a number where it is safe
 * (|n| < 2^53), a bigint beyond. Time is in whole seconds since the Unix epoch. Corelnk is link-format text.
 */
export type TypedValue =
  | { readonly type: 'String' | 'Corelnk'; readonly value: string }
  | { readonly type: 'Integer' | 'Unsigned Integer' | 'Time'; readonly value: number | bigint }
  | { readonly type: 'Float'; readonly value: number }
  | { readonly type: 'Boolean'; readonly value: boolean }
  | { readonly type: 'Opaque'; readonly value: Uint8Array }
  | { readonly type: 'Objlnk'; readonly value: ObjectLink };

/** A value at its place. `path` is a resource or, for a multiple resource, a resource instance. */
export type Reading = TypedValue & {
  readonly path: Path;
  /** When it was measured, in seconds since the Unix epoch (may have a fraction); null: not said, so now. */
  readonly time: number | null;
  /** True when no definition of the object was known and the type was guessed from the format. */
  readonly guessed?: boolean;
};

/** What a payload holds: readings, and places that exist without a value. */
export interface DecodedPayload {
  readonly readings: readonly Reading[];
  /** Object instances without resources, and multiple resources without instances. */
  readonly empty: readonly Path[];
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

/** A number where that is exact, a bigint beyond. */
export function exactInteger(value: bigint): number | bigint {
  const rounded = Number(value);
  return Number.isSafeInteger(rounded) ? rounded : value;
}

/**
 * The integer as its type holds it: signed or unsigned 64 bit (Core 1.2 Appendix C). Throws INVALID_VALUE for what is
 * out of range, has a fraction, or is a number that can't be exact.
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
  throw new Lwm2mError('INVALID_VALUE', `${value} is no ${type} of 64 bits`, { offset });
}

const LINK_PART = '(0|[1-9]\\d{0,4})';
const OBJECT_LINK = new RegExp(`^${LINK_PART}:${LINK_PART}$`);

/** Parses `66:0`. The null link is 65535:65535; the TS examples print it `FFFF:FFFF`. Throws INVALID_VALUE. */
export function parseObjectLink(text: string, offset?: number): ObjectLink {
  const match = OBJECT_LINK.exec(text === 'FFFF:FFFF' || text === 'ffff:ffff' ? '65535:65535' : text);
  const objectId = Number(match?.[1] ?? -1);
  const instanceId = Number(match?.[2] ?? -1);
  if (match === null || objectId > 65535 || instanceId > 65535) {
    throw new Lwm2mError('INVALID_VALUE', `${JSON.stringify(text.slice(0, 40))} is no object link like 66:0`, {
      offset,
    });
  }
  return { objectId, instanceId };
}

export function formatObjectLink(link: ObjectLink): string {
  return `${link.objectId}:${link.instanceId}`;
}

/** A Corelnk is link format (RFC 6690). Throws INVALID_VALUE. */
export function checkCorelnk(text: string, offset?: number): void {
  try {
    parseLinks(text);
  } catch (cause) {
    throw new Lwm2mError('INVALID_VALUE', 'a Corelnk that is no link format', { offset, cause });
  }
}

/** UTF-8 has no bytes for it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * The value, if it is one that its type can hold, integers as numbers where that is exact. Throws INVALID_VALUE.
 * Encoders ask this of every value, because TypeScript can't: a bigint has no width and a number may be NaN.
 */
export function checkedValue(value: TypedValue): TypedValue {
  switch (value.type) {
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      return { type: value.type, value: integerOf(value.type, value.value) };
    case 'Float':
      if (Number.isFinite(value.value)) return value;
      throw new Lwm2mError('INVALID_VALUE', `${value.value} is no Float`);
    case 'Objlnk':
      parseObjectLink(formatObjectLink(value.value));
      return value;
    case 'String':
    case 'Corelnk':
      if (LONE_SURROGATE.test(value.value)) throw new Lwm2mError('INVALID_VALUE', 'half a surrogate pair is no text');
      if (value.type === 'Corelnk') checkCorelnk(value.value);
      return value;
    default:
      return value;
  }
}
