import {
  Lwm2mError,
  Path,
  RESOURCE_TYPES,
  checkedValue,
  formatObjectLink,
  integerOf,
  objectModel,
  parseObjectLink,
} from '../lwm2m/index.ts';
import type {
  DecodedPayload,
  Link,
  ObjectDefinition,
  ObjectModel,
  Reading,
  ResourceType,
  TypedValue,
} from '../lwm2m/index.ts';

/** A reading as the command line prints it; `value` is null for a path without a value. */
export interface SpelledReading {
  readonly path: string;
  readonly type: ResourceType | 'empty-instance' | 'empty-multiple' | 'delete';
  /** Opaque `{"hex": …}`, Objlnk `"66:0"`, Time in seconds, integers beyond 2^53 as decimal strings. */
  readonly value: unknown;
  /** Seconds since the Unix epoch; null when the payload contains no time. */
  readonly time: number | null;
  readonly guessed?: true;
}

export interface SpelledError {
  readonly error: { readonly code: string; readonly message: string; readonly offset: number | null };
}

export function spellDecoded({
  readings,
  empty,
  deleted = [],
}: DecodedPayload & { deleted?: readonly Path[] }): SpelledReading[] {
  return [
    ...readings.map(spellReading),
    ...empty.map((path) => placeholder(path, path.level === 'resource' ? 'empty-multiple' : 'empty-instance')),
    ...deleted.map((path) => placeholder(path, 'delete')),
  ];
}

function spellReading(reading: Reading): SpelledReading {
  const { path, type, time } = reading;
  const spelled = { path: path.toString(), type, value: spellValue(reading), time };
  return reading.guessed === true ? { ...spelled, guessed: true } : spelled;
}

function placeholder(path: Path, type: SpelledReading['type']): SpelledReading {
  return { path: path.toString(), type, value: null, time: null };
}

function spellValue(value: TypedValue): unknown {
  switch (value.type) {
    case 'Opaque':
      return { hex: Buffer.from(value.value).toString('hex') };
    case 'Objlnk':
      return formatObjectLink(value.value);
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      return typeof value.value === 'bigint' ? value.value.toString() : value.value;
    default:
      return value.value;
  }
}

/** A link in the notation of the test vectors. */
export interface SpelledLink {
  readonly uri: string;
  readonly attrs: Link['attributes'];
}

export function spellLink({ uri, attributes }: Link): SpelledLink {
  return { uri, attrs: attributes };
}

/** Converts an error to JSON. An error that no codec threw is a bug and gets the code INTERNAL. */
export function spellError(error: unknown): SpelledError {
  if (error instanceof Lwm2mError) {
    return { error: { code: error.code, message: error.message, offset: error.offset } };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { error: { code: 'INTERNAL', message, offset: null } };
}

const HEX = /^(?:[0-9a-fA-F]{2})*$/;
const DECIMAL = /^-?\d{1,20}$/;

/** Parses hexadecimal digits; ignores white space. Throws INVALID_ARGUMENT. */
export function parseHex(text: string): Uint8Array {
  const digits = text.replace(/\s+/g, '');
  if (HEX.test(digits)) return new Uint8Array(Buffer.from(digits, 'hex'));
  throw new Lwm2mError(
    'INVALID_ARGUMENT',
    `${JSON.stringify(text.slice(0, 40))} must be hexadecimal, with two digits per byte`,
  );
}

/** Parses what `spellValue` returns. Throws INVALID_VALUE. */
export function parseValue(type: ResourceType, spelled: unknown): TypedValue {
  switch (type) {
    case 'String':
    case 'Corelnk':
      if (typeof spelled === 'string') return { type, value: spelled };
      break;
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      if (typeof spelled === 'number') return { type, value: integerOf(type, spelled) };
      if (typeof spelled === 'string' && DECIMAL.test(spelled))
        return { type, value: integerOf(type, BigInt(spelled)) };
      break;
    case 'Float':
      if (typeof spelled === 'number') return checkedValue({ type, value: spelled });
      break;
    case 'Boolean':
      if (typeof spelled === 'boolean') return { type, value: spelled };
      break;
    case 'Opaque':
      if (isRecord(spelled) && typeof spelled['hex'] === 'string') return { type, value: parseHex(spelled['hex']) };
      break;
    case 'Objlnk':
      if (typeof spelled === 'string') return { type, value: parseObjectLink(spelled) };
      break;
  }
  throw new Lwm2mError('INVALID_VALUE', `${JSON.stringify(spelled)?.slice(0, 40)} is not a valid ${type}`);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the resource type with this name. Throws INVALID_ARGUMENT. */
export function parseType(name: unknown): ResourceType {
  const type = RESOURCE_TYPES.find((known) => known === name);
  if (type !== undefined) return type;
  throw new Lwm2mError(
    'INVALID_ARGUMENT',
    `the resource type ${JSON.stringify(name)} must be one of ${RESOURCE_TYPES.join(', ')}`,
  );
}

/**
 * Builds a model from JSON: objects, their resources and types, for example
 * `{"9999": {"0": "String", "9": "Integer multiple"}}`. Throws INVALID_ARGUMENT.
 */
export function parseTypes(json: unknown): ObjectModel {
  if (!isRecord(json)) throw new Lwm2mError('INVALID_ARGUMENT', 'the types must be a JSON object of JSON objects');
  return objectModel(Object.entries(json).map(([id, resources]) => definitionOf(id, resources)));
}

function definitionOf(objectId: string, resources: unknown): ObjectDefinition {
  const { ids } = Path.parse(`/${objectId}`);
  if (!isRecord(resources))
    throw new Lwm2mError('INVALID_ARGUMENT', `the types of object ${objectId} must be a JSON object`);
  return {
    id: ids[0] ?? 0,
    version: '1.0',
    name: `Object ${objectId}`,
    urn: '',
    lwm2mVersion: '1.0',
    multiple: true,
    mandatory: false,
    resources: Object.entries(resources).map(([id, type]) => {
      const [name = '', multiple] = String(type).split(/ (?=multiple$)/);
      return {
        id: Path.parse(`/${objectId}/0/${id}`).resourceId ?? 0,
        name: `Resource ${id}`,
        operations: 'RW',
        multiple: multiple !== undefined,
        mandatory: false,
        type: parseType(name),
        range: '',
        units: '',
      };
    }),
  };
}
