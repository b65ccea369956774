import type { ResourceDefinition, ResourceType, TypedValue } from '../../lwm2m/index.ts';
import { FleetError } from '../common/index.ts';

/** The JSON form of a resource value; valueToJson describes it for each type. */
export type JsonValue = string | number | boolean;

/**
 * Converts a value to JSON. Integers beyond 2^53 become strings, Opaque becomes base64, Time becomes RFC 3339, Objlnk
 * becomes `"3:0"`. JSON has no NaN and no infinite numbers, so these Floats become `"NaN"`, `"Infinity"` and
 * `"-Infinity"`.
 */
export function valueToJson(typed: TypedValue): JsonValue {
  switch (typed.type) {
    case 'String':
    case 'Corelnk':
    case 'Boolean':
      return typed.value;
    case 'Integer':
    case 'Unsigned Integer':
      return typeof typed.value === 'bigint' ? integerToJson(typed.value) : typed.value;
    case 'Float':
      return Number.isFinite(typed.value) ? typed.value : String(typed.value);
    case 'Opaque':
      return Buffer.from(typed.value).toString('base64');
    case 'Time':
      return timeToJson(typed.value);
    case 'Objlnk':
      return `${typed.value.objectId}:${typed.value.instanceId}`;
  }
}

function integerToJson(value: bigint): JsonValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** 9999-12-31T23:59:59Z. RFC 3339 has four-digit years only; other times become integers. */
const LAST_SPELLED_SECOND = 253_402_300_799;
/** 0000-01-01T00:00:00Z. */
const FIRST_SPELLED_SECOND = -62_167_219_200;

function timeToJson(seconds: number | bigint): JsonValue {
  if (seconds < FIRST_SPELLED_SECOND || seconds > LAST_SPELLED_SECOND) return integerToJson(BigInt(seconds));
  return new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z');
}

/** Where a value is written. The error for an invalid value contains it. */
export interface ValuePlace {
  /** The path of the resource: `/3/0/9`. */
  readonly path: string;
  /** The path to the value in the input, for FleetError.field. */
  readonly field: readonly string[];
}

/** Half of a surrogate pair. UTF-8 can't encode it. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Converts JSON to a value of a type; the inverse of valueToJson. Throws FleetError VALIDATION with path, value and
 * rule.
 */
export function valueFromJson(json: unknown, type: ResourceType, place: ValuePlace): TypedValue {
  switch (type) {
    case 'String':
    case 'Corelnk':
      if (typeof json !== 'string') throw wrong(json, place, `must be a string (${type})`);
      if (LONE_SURROGATE.test(json))
        throw wrong(json, place, 'is not well-formed Unicode: it contains half of a surrogate pair');
      return { type, value: json };
    case 'Integer':
      return { type, value: integer(json, -(2n ** 63n), 2n ** 63n - 1n, type, place) };
    case 'Unsigned Integer':
      return { type, value: integer(json, 0n, 2n ** 64n - 1n, type, place) };
    case 'Float':
      return { type, value: float(json, place) };
    case 'Boolean':
      if (typeof json !== 'boolean') throw wrong(json, place, 'must be true or false');
      return { type, value: json };
    case 'Opaque':
      return { type, value: opaque(json, place) };
    case 'Time':
      return { type, value: time(json, place) };
    case 'Objlnk':
      return { type, value: objectLink(json, place) };
  }
}

/** Guesses the type of a resource that has no definition from the JSON value. */
export function typeOfJson(json: unknown): ResourceType {
  if (typeof json === 'boolean') return 'Boolean';
  if (typeof json === 'number') return Number.isInteger(json) ? 'Integer' : 'Float';
  return 'String';
}

/**
 * The type of a resource: from its definition, else guessed from the JSON value. Null if the resource is executable.
 */
export function typeFor(definition: ResourceDefinition | undefined, json: unknown): ResourceType | null {
  if (definition?.operations === 'E') return null;
  return definition?.type ?? typeOfJson(json);
}

function wrong(json: unknown, place: ValuePlace, why: string): FleetError {
  const shown = JSON.stringify(json) ?? String(json);
  const short = shown.length > 80 ? `${shown.slice(0, 80)}…` : shown;
  return new FleetError('VALIDATION', `${place.path}: ${short} ${why}`, { field: place.field });
}

const DECIMAL = /^-?(?:0|[1-9]\d{0,19})$/;

function integer(json: unknown, least: bigint, most: bigint, type: ResourceType, place: ValuePlace): number | bigint {
  if (typeof json === 'number' && Number.isInteger(json) && !Number.isSafeInteger(json)) {
    throw wrong(json, place, 'is beyond 2^53, where JSON numbers are not exact: write it as a string');
  }
  const fits = typeof json === 'number' ? Number.isInteger(json) : typeof json === 'string' && DECIMAL.test(json);
  if (!fits) throw wrong(json, place, `must be a whole number (${type})`);
  const value = BigInt(json as number | string); // `fits` is true for these types only
  if (value < least || value > most) throw wrong(json, place, `does not fit ${type}: it must be in ${least}..${most}`);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function float(json: unknown, place: ValuePlace): number {
  if (typeof json === 'number' && Number.isFinite(json)) return json;
  if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json);
  throw wrong(json, place, 'must be a number, "NaN", "Infinity" or "-Infinity"');
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function opaque(json: unknown, place: ValuePlace): Uint8Array {
  if (typeof json !== 'string' || !BASE64.test(json)) throw wrong(json, place, 'is not base64 (RFC 4648 §4)');
  return new Uint8Array(Buffer.from(json, 'base64'));
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function time(json: unknown, place: ValuePlace): number | bigint {
  if (typeof json === 'number' || (typeof json === 'string' && DECIMAL.test(json))) {
    return integer(json, -(2n ** 63n), 2n ** 63n - 1n, 'Time', place);
  }
  const parts = typeof json === 'string' ? RFC_3339.exec(json) : null;
  if (!parts) throw wrong(json, place, 'is not an RFC 3339 time such as 2026-05-29T14:30:00Z');
  const [, day = '', clock = '', fraction = '', zone = ''] = parts;
  if (/[1-9]/.test(fraction)) throw wrong(json, place, 'has a fraction of a second: give whole seconds');
  // Date.parse turns the 30th of February into a day in March. So a day is valid only if it formats as itself.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const real = Number.isFinite(midnight) && new Date(midnight).toISOString().startsWith(day);
  const milliseconds = real ? Date.parse(`${day}T${clock}${zone.toUpperCase()}`) : Number.NaN;
  if (Number.isNaN(milliseconds)) throw wrong(json, place, 'is not an RFC 3339 time such as 2026-05-29T14:30:00Z');
  return milliseconds / 1000;
}

const OBJECT_LINK = /^(0|[1-9]\d{0,4}):(0|[1-9]\d{0,4})$/;

function objectLink(json: unknown, place: ValuePlace): { objectId: number; instanceId: number } {
  const parts = typeof json === 'string' ? OBJECT_LINK.exec(json) : null;
  const [objectId, instanceId] = [Number(parts?.[1]), Number(parts?.[2])];
  if (!parts || objectId > 65535 || instanceId > 65535) {
    throw wrong(json, place, 'is not an object link such as 3:0 (65535:65535 is the null link)');
  }
  return { objectId, instanceId };
}
