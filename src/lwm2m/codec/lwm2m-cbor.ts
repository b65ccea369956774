import { Lwm2mError } from '../error.ts';
import { Path } from '../path.ts';
import type { DecodedPayload, Reading } from '../value.ts';
import { readCborMap } from './cbor-reader.ts';
import { describe, malformed } from './item.ts';
import type { Item } from './item.ts';
import { Places } from './places.ts';
import { cborLink } from './single-value.ts';
import { Typing } from './typing.ts';
import type { DecodeContext } from './typing.ts';

/**
 * Decodes LwM2M CBOR (Core 1.2 §7.4.7): the keys of nested maps together are paths. Paths start at the object. Paths
 * relative to the request path are not supported, because the payload does not show which of the two it contains.
 * Throws INVALID_PAYLOAD and INVALID_VALUE.
 */
export function decodeLwm2mCbor(payload: Uint8Array, context: DecodeContext): DecodedPayload {
  const { readings, empty } = read(payload, context, undefined);
  return { readings, empty };
}

/** Decodes a Write-Composite: values, and the paths that null deletes. */
export function decodeLwm2mCborWrite(
  payload: Uint8Array,
  context: DecodeContext,
): DecodedPayload & { readonly deleted: readonly Path[] } {
  const deleted: Path[] = [];
  const { readings, empty } = read(payload, context, deleted);
  return { readings, empty, deleted };
}

function read(payload: Uint8Array, context: DecodeContext, deleted: Path[] | undefined): Lwm2mCborReader {
  const reader = new Lwm2mCborReader(context, deleted);
  reader.map([], null, readCborMap(payload), 0);
  return reader;
}

class Lwm2mCborReader {
  readonly readings: Reading[] = [];
  readonly empty: Path[] = [];
  readonly #context: DecodeContext;
  /** Collects the paths whose value is null; without it null is not allowed. */
  readonly #deleted: Path[] | undefined;
  readonly #typing: Typing;
  readonly #places = new Places();

  constructor(context: DecodeContext, deleted: Path[] | undefined) {
    this.#context = context;
    this.#deleted = deleted;
    this.#typing = new Typing(context, cborLink);
  }

  map(ids: readonly number[], prefix: string | null, entries: Iterable<readonly [Item, Item]>, offset: number): void {
    let isEmpty = true;
    for (const [key, value] of entries) {
      isEmpty = false;
      const atTop = ids.length === 0 && prefix === null;
      const named = atTop ? prefixOf(key) : null;
      const longer = [...ids, ...idsOf(key, named !== null)];
      if (longer.length > 4) throw malformed(`a path has ${longer.length} ids; the maximum is 4`, key.offset);
      if (value.kind === 'map') this.map(longer, named ?? prefix, value.entries, value.offset);
      else this.#value(this.#place(longer, named ?? prefix, key.offset), value);
    }
    if (isEmpty) this.#emptyMap(ids, prefix, offset);
  }

  #value(path: Path, item: Item): void {
    if (item.kind !== 'null' || path.resourceId === null || this.#deleted === undefined) {
      this.readings.push(this.#typing.reading(path, item, null));
    } else {
      this.#deleted.push(path);
    }
  }

  /**
   * An empty map is an object without instances, an instance without resources or a multiple resource without
   * instances.
   */
  #emptyMap(ids: readonly number[], prefix: string | null, offset: number): void {
    const wholeObject = ids.length === 0 && this.#context.path.level !== 'root';
    if (wholeObject) return;
    if (ids.length === 0 || ids.length === 4) throw malformed('an empty map is not allowed here', offset);
    const path = this.#place(ids, prefix, offset);
    if (ids.length > 1) this.empty.push(path);
  }

  /** Builds the path; it must be inside the request path and appear once. */
  #place(ids: readonly number[], prefix: string | null, offset: number): Path {
    const asked = this.#context.path;
    // The alternate path of the device is not the prefix of an end device.
    const onDevice = (`/${prefix}` === this.#context.rootPath ? null : prefix) ?? asked.prefix;
    const path = onDevice === null ? Path.of(...ids) : Path.of(...ids).on(onDevice);
    const everywhere = (asked.level === 'root' && asked.prefix === null) || this.#context.keepOutside === true;
    if (!everywhere && !asked.contains(path)) throw malformed(`${path} is not at or below ${asked}`, offset);
    this.#places.add(path, null, offset);
    return path;
  }
}

/** Gateway 1.1: the first key may begin with the prefix of an end device as text. */
function prefixOf(key: Item): string | null {
  const first = key.kind === 'array' ? key.items[0] : key;
  if (first?.kind !== 'text') return null;
  try {
    Path.root.on(first.value);
  } catch (cause) {
    throw new Lwm2mError('INVALID_PAYLOAD', 'a text is not a valid prefix of an end device', {
      offset: first.offset,
      cause,
    });
  }
  return first.value;
}

function idsOf(key: Item, afterPrefix: boolean): number[] {
  const items = key.kind === 'array' ? key.items : [key];
  if (items.length === 0) throw malformed('a key has no ids', key.offset);
  return items.slice(afterPrefix ? 1 : 0).map((item) => {
    if (item.kind !== 'integer' || item.value < 0 || item.value > 65534) {
      throw malformed(`expected an id from 0 to 65534, found ${describe(item)}`, item.offset);
    }
    return Number(item.value);
  });
}
