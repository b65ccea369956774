import { Lwm2mError } from '../error.ts';
import type { ObjectModel } from '../model/definition.ts';
import type { Path } from '../path.ts';
import { checkCorelnk, integerOf, parseObjectLink } from '../value.ts';
import type { Reading, ResourceType, TypedValue } from '../value.ts';
import { describe, malformed } from './item.ts';
import type { Item } from './item.ts';

/** The information that a decoder needs in addition to the bytes. */
export interface DecodeContext {
  /** The request path; `/` for a composite or a Send. */
  readonly path: Path;
  readonly model: ObjectModel;
  /** Returns the version of an object that the device registered; undefined when it registered none. */
  readonly versionOf?: ((objectId: number) => string | undefined) | undefined;
  /** The type of every value; overrides the model. */
  readonly resourceType?: ResourceType | undefined;
  /** The alternate path of the device (`/lwm2m`); names in responses may begin with it. */
  readonly rootPath?: string | undefined;
  /** When the payload arrived, in seconds since the Unix epoch; relative times are relative to it. */
  readonly now: number;
  /** True: values outside the request path are decoded too, and the caller sets them aside. Default: they are refused. */
  readonly keepOutside?: boolean | undefined;
}

/**
 * Converts an item to the kind that its type needs, for formats that use another kind: CBOR has object links as text.
 */
export type Adapt = (item: Item, type: ResourceType) => Item;

/** Finds the types of resources and caches them for the next values. */
export class Typing {
  readonly #context: DecodeContext;
  readonly #adapt: Adapt;
  /** By object and resource id; for end devices behind a gateway also by prefix. */
  readonly #types = new Map<string | number, ResourceType | undefined>();

  constructor(context: DecodeContext, adapt: Adapt = (item) => item) {
    this.#context = context;
    this.#adapt = adapt;
  }

  /** Undefined when neither the model nor the caller knows the resource. */
  typeAt(path: Path): ResourceType | undefined {
    if (this.#context.resourceType !== undefined) return this.#context.resourceType;
    const { objectId, resourceId, prefix } = path;
    if (objectId === null || resourceId === null) return undefined;
    const number = objectId * 65536 + resourceId;
    const key = prefix === null ? number : `${prefix}/${number}`;
    const known = this.#types.get(key);
    if (known !== undefined || this.#types.has(key)) return known;
    // Object versions of an end device are in object 25 of the gateway, not in this registration.
    const version = prefix === null ? this.#context.versionOf?.(objectId) : undefined;
    const type = this.#context.model.resource(objectId, resourceId, version)?.type ?? undefined;
    this.#types.set(key, type);
    return type;
  }

  /**
   * Types an item. Throws INVALID_PAYLOAD when the path is not a resource, INVALID_VALUE when the type does not match;
   * the message names the path.
   */
  reading(path: Path, item: Item, time: number | null): Reading {
    checkValuePath(path, item.offset);
    const type = this.typeAt(path);
    try {
      if (type !== undefined) return readingOf(typedItem(this.#adapt(item, type), type), path, time, false);
      return readingOf(guessedItem(item), path, time, true);
    } catch (error) {
      throw withPath(path, error);
    }
  }
}

/** The error of a codec with the path in front of its message; other errors unchanged. */
export function withPath(path: Path, error: unknown): unknown {
  if (!(error instanceof Lwm2mError)) return error;
  return new Lwm2mError(error.code, `${path}: ${error.message}`, {
    offset: error.offset ?? undefined,
    cause: error.cause,
  });
}

/** Builds a reading field by field: spreading takes most of the time for payloads with tens of thousands of values. */
export function readingOf(typed: TypedValue, path: Path, time: number | null, guessed: boolean): Reading {
  const { type, value } = typed;
  // Type and value come from one TypedValue, so they match, but the compiler can't infer that.
  return (guessed ? { type, value, path, time, guessed } : { type, value, path, time }) as Reading;
}

/** Only resources and resource instances have values (Core 1.2 §7.1). */
export function checkValuePath(path: Path, offset: number): void {
  if (path.resourceId === null) {
    throw malformed(`${path} has a value but is not a resource or a resource instance`, offset);
  }
}

/** Converts an item to a value of the type (Core 1.2 Appendix C). Throws INVALID_VALUE. */
export function typedItem(item: Item, type: ResourceType): TypedValue {
  switch (type) {
    case 'String':
      if (item.kind === 'text') return { type, value: item.value };
      break;
    case 'Corelnk':
      if (item.kind === 'text') return corelnk(item.value, item.offset);
      break;
    case 'Integer':
    case 'Unsigned Integer':
      if (item.kind === 'integer' || item.kind === 'float') {
        return { type, value: integerOf(type, item.value, item.offset) };
      }
      break;
    case 'Time':
      if (item.kind === 'integer' || item.kind === 'float' || item.kind === 'time') {
        return { type, value: integerOf(type, item.value, item.offset) };
      }
      break;
    case 'Float':
      if (item.kind === 'integer' || item.kind === 'float') return float(Number(item.value), item.offset);
      break;
    case 'Boolean':
      if (item.kind === 'boolean') return { type, value: item.value };
      break;
    case 'Opaque':
      if (item.kind === 'bytes') return { type, value: item.value };
      break;
    case 'Objlnk':
      // Leshan 2.0.0-M18 labels object links in SenML CBOR `vs`, like text.
      if (item.kind === 'link' || item.kind === 'text') {
        return { type, value: parseObjectLink(item.value, item.offset) };
      }
      break;
  }
  throw new Lwm2mError('INVALID_VALUE', `${describe(item)} is not a valid ${type}`, { offset: item.offset });
}

/** Derives the type from the item, for resources without a definition. */
function guessedItem(item: Item): TypedValue {
  switch (item.kind) {
    case 'integer': {
      const signed = item.value < 2n ** 63n;
      return typedItem(item, signed ? 'Integer' : 'Unsigned Integer');
    }
    case 'text':
      return { type: 'String', value: item.value };
    case 'bytes':
      return { type: 'Opaque', value: item.value };
    case 'boolean':
      return { type: 'Boolean', value: item.value };
    case 'time':
      return typedItem(item, 'Time');
    case 'link':
      return typedItem(item, 'Objlnk');
    case 'float':
      return float(item.value, item.offset);
    default:
      throw malformed(`${describe(item)} can't be the value of a resource`, item.offset);
  }
}

/**
 * Refuses NaN and infinity in every format, because only the binary formats could carry them and LwM2M has no use for
 * them.
 */
export function float(value: number, offset: number): TypedValue {
  if (!Number.isFinite(value)) throw new Lwm2mError('INVALID_VALUE', `${value} is not a valid Float`, { offset });
  return { type: 'Float', value };
}

/** Throws INVALID_VALUE when the text is not valid link format. */
export function corelnk(value: string, offset: number): TypedValue {
  checkCorelnk(value, offset);
  return { type: 'Corelnk', value };
}
