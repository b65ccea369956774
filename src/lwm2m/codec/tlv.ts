import { Lwm2mError } from '../error.ts';
import type { Path } from '../path.ts';
import { exactInteger, integerOf } from '../value.ts';
import type { DecodedPayload, Reading, ResourceType, TypedValue } from '../value.ts';
import { malformed } from './item.ts';
import { corelnk, float, readingOf, Typing, withPath } from './typing.ts';
import type { DecodeContext } from './typing.ts';
import { decodeUtf8 } from './utf8.ts';

/** Bits 7-6 of the type byte (Core 1.2 §7.4.3). */
export const TlvKind = { instance: 0, resourceInstance: 1, multipleResource: 2, resource: 3 } as const;

const KIND_NAMES = ['object instance', 'resource instance', 'multiple resource', 'resource'] as const;
const RESERVED_ID = 65535;

interface Entry {
  readonly kind: number;
  readonly id: number;
  /** The position of the type byte; `start` and `end` are those of the value. */
  readonly offset: number;
  readonly start: number;
  readonly end: number;
}

/** Decodes TLV (Core 1.2 §7.4.3) below the request path. Throws INVALID_PAYLOAD and INVALID_VALUE. */
export function decodeTlv(payload: Uint8Array, context: DecodeContext): DecodedPayload {
  const reader = new TlvReader(payload, new Typing(context));
  if (context.keepOutside === true) reader.readBeside(context.path);
  else reader.read(context.path);
  return { readings: reader.readings, empty: reader.empty };
}

class TlvReader {
  readonly readings: Reading[] = [];
  readonly empty: Path[] = [];
  readonly #bytes: Uint8Array;
  readonly #typing: Typing;

  constructor(bytes: Uint8Array, typing: Typing) {
    this.#bytes = bytes;
    this.#typing = typing;
  }

  /** Reads the complete payload by the level of the request path. */
  read(path: Path): void {
    const entries = this.#entries(0, this.#bytes.length);
    switch (path.level) {
      case 'root':
        throw malformed('TLV needs the path of an object or below', 0);
      case 'object':
        for (const entry of entries) this.#instance(path, entry);
        return;
      case 'instance':
        if (entries[0]?.kind === TlvKind.instance) this.#instance(path.cut(1), only(entries, path.instanceId));
        else this.#resources(path, entries);
        return;
      case 'resource':
        // Some devices omit the entry of the multiple resource around its instances.
        if (entries[0]?.kind === TlvKind.resourceInstance) this.#instances(path, entries);
        else this.#resources(path.cut(2), [only(entries, path.resourceId)]);
        return;
      case 'resource-instance':
        this.#instances(path.cut(3), [only(entries, path.resourceInstanceId)]);
    }
  }

  /** Reads the complete payload like `read`; its entries may be beside the request path. */
  readBeside(path: Path): void {
    const entries = this.#entries(0, this.#bytes.length);
    const holdsInstances = entries[0]?.kind === TlvKind.instance;
    if (path.level === 'root' || path.level === 'object' || entries.length === 0) this.read(path);
    else if (holdsInstances) for (const entry of entries) this.#instance(path.cut(1), entry);
    else if (entries[0]?.kind === TlvKind.resourceInstance) this.#instances(this.#resourceOf(path), entries);
    else this.#resources(path.cut(2), entries);
  }

  #resourceOf(path: Path): Path {
    if (path.resourceId === null) throw malformed(`${path} has resource instances without their resource`, 0);
    return path.cut(3);
  }

  #instance(object: Path, entry: Entry): void {
    expect(entry, TlvKind.instance);
    const instance = object.child(entry.id);
    const resources = this.#entries(entry.start, entry.end);
    if (resources.length === 0) this.empty.push(instance);
    this.#resources(instance, resources);
  }

  #resources(instance: Path, entries: readonly Entry[]): void {
    for (const entry of entries) {
      const path = instance.child(entry.id);
      if (entry.kind === TlvKind.multipleResource) {
        const instances = this.#entries(entry.start, entry.end);
        if (instances.length === 0) this.empty.push(path);
        this.#instances(path, instances);
      } else {
        expect(entry, TlvKind.resource);
        this.#value(path, entry);
      }
    }
  }

  #instances(resource: Path, entries: readonly Entry[]): void {
    for (const entry of entries) {
      expect(entry, TlvKind.resourceInstance);
      this.#value(resource.child(entry.id), entry);
    }
  }

  #value(path: Path, { start, end }: Entry): void {
    const type = this.#typing.typeAt(path);
    try {
      const value = typedBytes(this.#bytes.subarray(start, end), type ?? 'Opaque', start);
      this.readings.push(readingOf(value, path, null, type === undefined));
    } catch (error) {
      throw withPath(path, error);
    }
  }

  /** Reads the entries of a range; each id must appear once. */
  #entries(start: number, end: number): Entry[] {
    const entries: Entry[] = [];
    const seen = new Set<number>();
    for (let position = start; position < end;) {
      const entry = this.#entry(position, end);
      if (seen.has(entry.id)) throw malformed(`the id ${entry.id} appears twice`, position);
      seen.add(entry.id);
      entries.push(entry);
      position = entry.end;
    }
    return entries;
  }

  #entry(offset: number, end: number): Entry {
    const type = this.#bytes[offset] ?? 0;
    const idWidth = type & 0x20 ? 2 : 1;
    const lengthWidth = (type >> 3) & 3;
    const start = offset + 1 + idWidth + lengthWidth;
    if (start > end) throw malformed('the payload ends inside the header of an entry', offset);
    const id = this.#unsigned(offset + 1, idWidth);
    if (id === RESERVED_ID) throw malformed(`the id ${RESERVED_ID} is reserved`, offset + 1);
    // The low bits are the length only when no length field follows.
    const length = lengthWidth === 0 ? type & 7 : this.#unsigned(offset + 1 + idWidth, lengthWidth);
    if (length > end - start) throw malformed(`an entry needs ${length} bytes, but ${end - start} are left`, offset);
    return { kind: type >> 6, id, offset, start, end: start + length };
  }

  #unsigned(offset: number, width: number): number {
    let value = 0;
    for (let index = 0; index < width; index += 1) value = value * 256 + (this.#bytes[offset + index] ?? 0);
    return value;
  }
}

/** Returns the only entry; it must have the id of the request path. */
function only(entries: readonly Entry[], id: number | null): Entry {
  const [entry, second] = entries;
  if (entry === undefined) throw malformed('expected one entry, found none', 0);
  if (second !== undefined) throw malformed('expected one entry, found a second', second.offset);
  if (entry.id !== id) throw malformed(`expected the id ${id}, found ${entry.id}`, entry.offset);
  return entry;
}

function expect(entry: Entry, kind: number): void {
  if (entry.kind === kind) return;
  throw malformed(`expected an entry of type ${KIND_NAMES[kind]}, found ${KIND_NAMES[entry.kind]}`, entry.offset);
}

/** Decodes bytes of the type (Core 1.2 Appendix C). Throws INVALID_VALUE, and INVALID_PAYLOAD for invalid UTF-8. */
function typedBytes(bytes: Uint8Array, type: ResourceType, offset: number): TypedValue {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (type) {
    case 'String':
      return { type, value: decodeUtf8(bytes, offset) };
    case 'Corelnk':
      return corelnk(decodeUtf8(bytes, offset), offset);
    case 'Integer':
    case 'Time':
      return { type, value: integerOf(type, signed(view, offset), offset) };
    case 'Unsigned Integer':
      return { type, value: integerOf(type, unsigned(view, offset), offset) };
    case 'Float':
      if (bytes.length === 4) return float(view.getFloat32(0), offset);
      if (bytes.length === 8) return float(view.getFloat64(0), offset);
      break;
    case 'Boolean':
      if (bytes.length === 1 && view.getUint8(0) < 2) return { type, value: view.getUint8(0) === 1 };
      break;
    case 'Opaque':
      return { type, value: bytes.slice() };
    case 'Objlnk':
      if (bytes.length === 4) return { type, value: { objectId: view.getUint16(0), instanceId: view.getUint16(2) } };
      break;
  }
  throw new Lwm2mError('INVALID_VALUE', `${bytes.length} bytes are not a valid ${type}`, { offset });
}

function signed(view: DataView, offset: number): number | bigint {
  switch (view.byteLength) {
    case 1:
      return view.getInt8(0);
    case 2:
      return view.getInt16(0);
    case 4:
      return view.getInt32(0);
    case 8:
      return exactInteger(view.getBigInt64(0));
    default:
      throw noInteger(view, offset);
  }
}

function unsigned(view: DataView, offset: number): number | bigint {
  switch (view.byteLength) {
    case 1:
      return view.getUint8(0);
    case 2:
      return view.getUint16(0);
    case 4:
      return view.getUint32(0);
    case 8:
      return exactInteger(view.getBigUint64(0));
    default:
      throw noInteger(view, offset);
  }
}

function noInteger(view: DataView, offset: number): Lwm2mError {
  return new Lwm2mError('INVALID_VALUE', `an integer must have 1, 2, 4 or 8 bytes, not ${view.byteLength}`, { offset });
}
