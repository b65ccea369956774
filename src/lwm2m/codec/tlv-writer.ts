import { Lwm2mError } from '../error.ts';
import type { Path } from '../path.ts';
import type { TypedValue } from '../value.ts';
import { ContentFormat } from './content-format.ts';
import { checkedValues, checkInside, checkOnce, checkUntimed } from './encoding.ts';
import type { TimedValue } from './encoding.ts';
import { TlvKind } from './tlv.ts';
import { encodeUtf8 } from './utf8.ts';

type Resource = TypedValue | Map<number, TypedValue>;
type Instance = Map<number, Resource>;

/** Core 1.2 §7.4.3: a length field has at most 24 bits. */
const MAX_LENGTH = 0xffffff;

/**
 * Encodes TLV by the level of the request path: for an object its instances, for an instance its resources without the
 * instance entry. `empty` are instances without resources and multiple resources without instances. Throws
 * INVALID_VALUE, INVALID_PATH, INVALID_ARGUMENT and UNSUPPORTED_FORMAT.
 */
export function encodeTlv(path: Path, values: readonly TimedValue[], empty: readonly Path[]): Uint8Array {
  if (path.objectId === null) throw new Lwm2mError('UNSUPPORTED_FORMAT', 'TLV needs the path of an object or below');
  checkInside(path, [...values.map((value) => value.path), ...empty]);
  checkUntimed(ContentFormat.tlv, values);
  checkOnce(values);
  const instances = tree(checkedValues(values), empty);
  const { instanceId, resourceId, resourceInstanceId } = path;
  if (instanceId === null) {
    return joined([...instances].map(([id, resources]) => entry(TlvKind.instance, id, encodeResources(resources))));
  }
  const resources = instances.get(instanceId) ?? new Map<number, Resource>();
  if (resourceId === null || resourceInstanceId === null) return encodeResources(resources);
  const resource = resources.get(resourceId);
  return resource instanceof Map ? encodeInstances(resource) : new Uint8Array();
}

/** Groups values: object instance → resource → value, or resource instance → value. */
function tree(values: readonly TimedValue[], empty: readonly Path[]): Map<number, Instance> {
  const instances = new Map<number, Instance>();
  for (const path of empty) place(instances, path, undefined);
  for (const { path, value } of values) place(instances, path, value);
  return instances;
}

function place(instances: Map<number, Instance>, path: Path, value: TypedValue | undefined): void {
  const { instanceId, resourceId, resourceInstanceId } = path;
  if (instanceId === null) return;
  const resources = instances.get(instanceId) ?? new Map<number, Resource>();
  instances.set(instanceId, resources);
  if (resourceId === null) return;
  const found = resources.get(resourceId);
  if (resourceInstanceId === null && value !== undefined && found === undefined) {
    resources.set(resourceId, value);
    return;
  }
  if (found !== undefined && (!(found instanceof Map) || resourceInstanceId === null)) {
    throw new Lwm2mError('INVALID_ARGUMENT', `${path.cut(3)} appears with and without instances`);
  }
  const inner = found ?? new Map<number, TypedValue>();
  resources.set(resourceId, inner);
  if (resourceInstanceId !== null && value !== undefined) inner.set(resourceInstanceId, value);
}

function encodeResources(resources: Instance): Uint8Array {
  return joined(
    [...resources].map(([id, resource]) =>
      resource instanceof Map
        ? entry(TlvKind.multipleResource, id, encodeInstances(resource))
        : entry(TlvKind.resource, id, valueBytes(resource)),
    ),
  );
}

function encodeInstances(instances: ReadonlyMap<number, TypedValue>): Uint8Array {
  return joined([...instances].map(([id, value]) => entry(TlvKind.resourceInstance, id, valueBytes(value))));
}

function entry(kind: number, id: number, value: Uint8Array): Uint8Array {
  const { length } = value;
  if (length > MAX_LENGTH) throw new Lwm2mError('UNSUPPORTED_FORMAT', `TLV can't carry ${length} bytes in one entry`);
  const wideId = id > 0xff;
  const lengthWidth = length < 8 ? 0 : length <= 0xff ? 1 : length <= 0xffff ? 2 : 3;
  const type = (kind << 6) | (wideId ? 0x20 : 0) | (lengthWidth << 3) | (lengthWidth === 0 ? length : 0);
  const header = [type, ...(wideId ? [id >> 8] : []), id & 0xff];
  for (let shift = (lengthWidth - 1) * 8; shift >= 0; shift -= 8) header.push((length >> shift) & 0xff);
  return joined([Uint8Array.from(header), value]);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Encodes a value for TLV (Core 1.2 Appendix C). */
export function valueBytes(value: TypedValue): Uint8Array {
  switch (value.type) {
    case 'String':
    case 'Corelnk':
      return encodeUtf8(value.value);
    case 'Integer':
    case 'Time':
    // Leshan reads unsigned integers as signed, so the top bit stays 0 when a wider field is possible.
    case 'Unsigned Integer':
      return integerBytes(BigInt(value.value));
    case 'Float':
      return floatBytes(value.value);
    case 'Boolean':
      return Uint8Array.of(value.value ? 1 : 0);
    case 'Opaque':
      return value.value;
    case 'Objlnk': {
      const { objectId, instanceId } = value.value;
      return Uint8Array.of(objectId >> 8, objectId & 0xff, instanceId >> 8, instanceId & 0xff);
    }
  }
}

/** Uses the smallest of 1, 2, 4 or 8 bytes. */
function integerBytes(value: bigint): Uint8Array {
  const size = [1, 2, 4].find((bytes) => BigInt.asIntN(bytes * 8, value) === value) ?? 8;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value));
  return bytes.slice(8 - size);
}

function floatBytes(value: number): Uint8Array {
  const exact = Object.is(Math.fround(value), value);
  const view = new DataView(new ArrayBuffer(exact ? 4 : 8));
  if (exact) view.setFloat32(0, value);
  else view.setFloat64(0, value);
  return new Uint8Array(view.buffer);
}
