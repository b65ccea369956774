import { Lwm2mError } from '../error.ts';
import type { ObjectModel } from '../model/definition.ts';
import type { Path } from '../path.ts';
import { checkCorelnk, integerOf, parseObjectLink } from '../value.ts';
import type { Reading, ResourceType, TypedValue } from '../value.ts';
import { describe, malformed } from './item.ts';
import type { Item } from './item.ts';

/** What a decoder must know beside the bytes. */
export interface DecodeContext {
  /** The request path that the payload answers or writes; `/` for a composite or a Send. */
  readonly path: Path;
  readonly model: ObjectModel;
  /** The version of an object that the device registered; undefined where it said none. */
  readonly versionOf?: ((objectId: number) => string | undefined) | undefined;
  /** The type of every value, in place of what the model says. */
  readonly resourceType?: ResourceType | undefined;
  /** The device's alternate path (`/lwm2m`), which names in answers may or may not carry. */
  readonly rootPath?: string | undefined;
  /** When the payload came, in seconds since the Unix epoch: relative times count from it. */
  readonly now: number;
}

/** SerialTasks an item into the kind that its type has, where a format writes it as another: object links as text in CBOR. */
export type Adapt = (item: Item, type: ResourceType) => Item;

/** Looks up what type a resource has, remembering it from one value to the next. */
export class Typing {
  readonly #context: DecodeContext;
  readonly #adapt: Adapt;
  /** By object and resource id; the objects of end devices behind a gateway apart. */
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
    // An end device's versions are in the gateway's /25 list, not in this registration.
    const version = prefix === null ? this.#context.versionOf?.(objectId) : undefined;
    const type = this.#context.model.resource(objectId, resourceId, version)?.type ?? undefined;
    this.#types.set(key, type);
    return type;
  }

  /** The reading of an item at its place. Throws INVALID_PAYLOAD off resources, INVALID_VALUE off types. */
  reading(path: Path, item: Item, time: number | null): Reading {
    checkValuePath(path, item.offset);
    const type = this.typeAt(path);
    if (type !== undefined) return readingOf(typedItem(this.#adapt(item, type), type), path, time, false);
    return readingOf(guessedItem(item), path, time, true);
  }
}

/** A value at its place. Written out field by field: payloads bring ten thousands, and spreading costs most of the time. */
export function readingOf(typed: TypedValue, path: Path, time: number | null, guessed: boolean): Reading {
  const { type, value } = typed;
  // Type and value come from one TypedValue, so they still belong together, which the compiler can't follow.
  return (guessed ? { type, value, path, time, guessed } : { type, value, path, time }) as Reading;
}

/** Values sit at resources and resource instances only (Core 1.2 §7.1). */
export function checkValuePath(path: Path, offset: number): void {
  if (path.resourceId === null) {
    throw malformed(`a value at ${path}, which is no resource and no resource instance`, offset);
  }
}

/** The item as a value of the type (Core 1.2 Appendix C); throws INVALID_VALUE when it isn't one. */
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
      // Leshan 2.0.0-M18 labels links `vs` in SenML CBOR, as if they were text.
      if (item.kind === 'link' || item.kind === 'text') {
        return { type, value: parseObjectLink(item.value, item.offset) };
      }
      break;
  }
  throw new Lwm2mError('INVALID_VALUE', `${describe(item)} is no ${type}`, { offset: item.offset });
}

/** The type that an item has by itself, for resources nobody defined. */
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
      throw malformed(`${describe(item)} is no value`, item.offset);
  }
}

/** LwM2M has no word for NaN and infinity outside binary formats, and nothing to do with them: no format may bring them. */
export function float(value: number, offset: number): TypedValue {
  if (!Number.isFinite(value)) throw new Lwm2mError('INVALID_VALUE', `${value} is no Float`, { offset });
  return { type: 'Float', value };
}

/** Throws INVALID_VALUE for text that is no link format. */
export function corelnk(value: string, offset: number): TypedValue {
  checkCorelnk(value, offset);
  return { type: 'Corelnk', value };
}
