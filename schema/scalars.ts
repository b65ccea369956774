import { GraphQLError, Kind, print, valueFromASTUntyped, type ValueNode } from 'graphql';
import type { JsonValue, ResourceState } from '../src/fleet/index.ts';
import { Lwm2mError } from '../src/lwm2m/index.ts';
import { builder } from './builder.ts';
import { parseSelector } from './tree/tree-selection.ts';

type ResourceJson = NonNullable<ResourceState['value']>;

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
const RFC_3339 = /^(\d{4}-\d\d-\d\d)[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;

function refuse(value: unknown, wanted: string): GraphQLError {
  const shown = (JSON.stringify(value) ?? String(value)).slice(0, 80);
  return new GraphQLError(`${shown} is not a valid ${wanted}`, { extensions: { code: 'BAD_USER_INPUT' } });
}

/** The text of a literal. A literal that is not a string gets the same error as a variable that is not a string. */
function text(node: ValueNode, wanted: string): string {
  if (node.kind === Kind.STRING) return node.value;
  throw refuse(print(node), wanted);
}

const A_UUID = 'UUID: it must have 36 characters like d7b1c0e2-3f5a-4a4e-9c55-8f1de2a0b6c7';

function parseUuid(value: unknown): string {
  if (typeof value === 'string' && UUID.test(value)) return value.toLowerCase();
  throw refuse(value, A_UUID);
}

builder.scalarType('UUID', {
  description:
    'A UUID (RFC 9562) as text of 36 characters. Output is in lower case: `"d7b1c0e2-3f5a-4a4e-9c55-8f1de2a0b6c7"`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc9562',
  serialize: String,
  parseValue: parseUuid,
  parseLiteral: (node) => parseUuid(text(node, A_UUID)),
});

const A_TIME = 'date-time: it must be RFC 3339 with an offset, like 2026-05-29T14:30:00Z';
/** RFC 3339 has years of four digits, and the database no year 0. */
const FIRST_TIME = Date.parse('0001-01-01T00:00:00Z');
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

function parseDateTime(value: unknown): Date {
  const day = typeof value === 'string' ? RFC_3339.exec(value)?.[1] : undefined;
  // Date.parse reads February 30 as March 2: a date is valid only if it is the same after parsing.
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const real = day !== undefined && Number.isFinite(midnight) && new Date(midnight).toISOString().startsWith(day);
  const time = real ? Date.parse(String(value).toUpperCase()) : Number.NaN;
  if (!(time >= FIRST_TIME && time <= LAST_TIME)) throw refuse(value, A_TIME);
  return new Date(time);
}

builder.scalarType('DateTime', {
  description:
    'A date and time (RFC 3339) with an offset from UTC and millisecond precision, in the years 1 to 9999. Output is always in UTC: `"2026-05-29T14:30:00.000Z"`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (date) => (date as Date).toISOString(), // Pothos has checked that resolvers return a Date
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(text(node, A_TIME)),
});

builder.scalarType('JSON', {
  description: 'Any JSON value: `{"delay": 5}`, `[1, 2]`, `"text"`, `4.2`, `true`.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

const A_PATH = 'LwM2M path: it must be a string like /3303/0/5700';

function parsePath(value: unknown): string {
  if (typeof value !== 'string') throw refuse(value, A_PATH);
  try {
    parseSelector(value);
    return value;
  } catch (error) {
    if (error instanceof Lwm2mError) {
      throw new GraphQLError(error.message, { extensions: { code: 'BAD_USER_INPUT' } });
    }
    throw error;
  }
}

builder.scalarType('ResourcePath', {
  description:
    'A path in a device’s resource tree: `/{object}`, `/{object}/{instance}`, `/{object}/{instance}/{resource}` or `/{object}/{instance}/{resource}/{resource instance}`. Ids are 0 to 65534 without leading zeros. Example: `"/3303/0/5700"` is the value of the first temperature sensor (object 3303). Where a field allows `*`, it matches any id: `"/3303/*/5700"`. `objectDefinitions(search: "temp")` finds object ids.',
  serialize: String,
  parseValue: parsePath,
  parseLiteral: (node) => parsePath(text(node, A_PATH)),
});

const A_VALUE =
  'resource value: it must be a string, a number, true or false, or an object from resource instance id to such values';

function isJsonValue(value: unknown): value is JsonValue {
  return (
    typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  );
}

function isResourceJson(value: unknown): value is ResourceJson {
  if (isJsonValue(value)) return true;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.entries(value).every(([id, item]) => /^(?:0|[1-9]\d{0,4})$/.test(id) && isJsonValue(item));
}

function parseResourceValue(value: unknown): ResourceJson {
  if (isResourceJson(value)) return value;
  throw refuse(value, A_VALUE);
}

/** Keeps an integer literal as text if a double can't represent it exactly: JSON values of the API write such integers as strings. */
function literalValue(node: ValueNode, variables?: Readonly<Record<string, unknown>> | null): unknown {
  if (node.kind === Kind.INT) return Number.isSafeInteger(Number(node.value)) ? Number(node.value) : node.value;
  if (node.kind === Kind.OBJECT) {
    return Object.fromEntries(node.fields.map((field) => [field.name.value, literalValue(field.value, variables)]));
  }
  return valueFromASTUntyped(node, variables);
}

builder.scalarType('ResourceValue', {
  description:
    'The value of a resource as JSON, by its type. String and Corelnk: a string. Integer, Unsigned Integer and Float: a number; integers beyond ±2^53 are strings (`"9007199254740993"`). Boolean: `true`. Opaque: base64 (`"3q2+7w=="`). Time: RFC 3339 (`"2026-05-29T14:30:00Z"`). Objlnk: `"3:0"`. A multiple resource: an object from resource instance id to value, `{"0": 1, "1": 5}`; pass it as a variable, because GraphQL literals can’t have numeric names.',
  serialize: (value) => value,
  parseValue: parseResourceValue,
  parseLiteral: (node, variables) => parseResourceValue(literalValue(node, variables)),
});
