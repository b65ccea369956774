import { Lwm2mError } from '../error.ts';
import type { Path } from '../path.ts';
import { formatObjectLink } from '../value.ts';
import type { TypedValue } from '../value.ts';
import { CborWriter } from './cbor-writer.ts';
import { ContentFormat } from './content-format.ts';
import { checkedValues, checkInside, checkOnce, checkUntimed } from './encoding.ts';
import type { CompositeValue } from './encoding.ts';

/** A CBOR map to write: an id maps to a value, to null (delete) or to a map. */
type Node = Map<number, Node | TypedValue | null>;

/**
 * Encodes LwM2M CBOR (Core 1.2 §7.4.7): one key `[o, i]` per object instance, with a map of its resources.
 * Throws INVALID_VALUE, INVALID_PATH, INVALID_ARGUMENT and UNSUPPORTED_FORMAT.
 */
export function encodeLwm2mCbor(path: Path, values: readonly CompositeValue[], empty: readonly Path[]): Uint8Array {
  const everywhere = path.level === 'root' && path.prefix === null;
  if (!everywhere) checkInside(path, [...values.map((value) => value.path), ...empty]);
  checkUntimed(ContentFormat.lwm2mCbor, values);
  checkOnce(values);
  const instances = new Map<string, { prefix: string | null; ids: readonly number[]; resources: Node }>();
  const placed = [...empty.map((place) => ({ path: place, value: undefined })), ...checkedValues(values)];
  for (const { path: place, value } of placed) {
    const instance = place.cut(2);
    const key = instance.toString();
    const found = instances.get(key) ?? { prefix: place.prefix, ids: instance.ids, resources: new Map() };
    instances.set(key, found);
    insert(found.resources, place, value);
  }
  const writer = new CborWriter().map(instances.size);
  for (const { prefix, ids, resources } of instances.values()) {
    writer.array(ids.length + (prefix === null ? 0 : 1));
    if (prefix !== null) writer.text(prefix);
    for (const id of ids) writer.integer(id);
    writeNode(writer, resources);
  }
  return writer.finish();
}

/**
 * Encodes the resources of a new instance whose id the device chooses; paths start at the resource (Core 1.2 §6.3.6).
 */
export function encodeLwm2mCborResources(values: readonly CompositeValue[]): Uint8Array {
  checkOnce(values);
  const resources: Node = new Map();
  for (const { path, value } of checkedValues(values)) insert(resources, path, value);
  const writer = new CborWriter();
  writeNode(writer, resources);
  return writer.finish();
}

function insert(resources: Node, { ids }: Path, value: TypedValue | null | undefined): void {
  const [, , resourceId, resourceInstanceId] = ids;
  if (resourceId === undefined) return;
  if (resourceInstanceId === undefined && value !== undefined && !resources.has(resourceId)) {
    resources.set(resourceId, value);
    return;
  }
  const found = resources.get(resourceId) ?? new Map();
  if (!(found instanceof Map) || (resources.has(resourceId) && resourceInstanceId === undefined)) {
    throw new Lwm2mError('INVALID_ARGUMENT', `resource ${resourceId} appears with and without instances`);
  }
  resources.set(resourceId, found);
  if (resourceInstanceId !== undefined && value !== undefined) found.set(resourceInstanceId, value);
}

function writeNode(writer: CborWriter, node: Node | TypedValue | null): void {
  if (node === null) {
    writer.null();
  } else if (node instanceof Map) {
    writer.map(node.size);
    for (const [id, child] of node) writeNode(writer.integer(id), child);
  } else {
    writeValue(writer, node);
  }
}

/** Writes a value for the CBOR formats (Core 1.2 Appendix C); Time is an integer without a tag. */
export function writeValue(writer: CborWriter, value: TypedValue): void {
  switch (value.type) {
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      writer.integer(value.value);
      return;
    case 'Float':
      writer.float(value.value);
      return;
    case 'Boolean':
      writer.boolean(value.value);
      return;
    case 'Opaque':
      writer.bytes(value.value);
      return;
    case 'Objlnk':
      writer.text(formatObjectLink(value.value));
      return;
    case 'String':
    case 'Corelnk':
      writer.text(value.value);
  }
}
