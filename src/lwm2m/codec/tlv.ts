import { Lwm2mError } from '../error.ts';
import type { Path } from '../path.ts';
import { exactInteger, integerOf } from '../value.ts';
import type { DecodedPayload, Reading, ResourceType, TypedValue } from '../value.ts';
import { malformed } from './item.ts';
import { corelnk, float, readingOf, Typing } from './typing.ts';
import type { DecodeContext } from './typing.ts';
import { decodeUtf8 } from './utf8.ts';

/** Core 1.2 §7.4.3, bits 7-6 of the type byte. */
export const TlvKind = { instance: 0, resourceInstance: 1, multipleResource: 2, resource: 3 } as const;

const KIND_NAMES = ['object instance', 'resource instance', 'multiple resource', 'resource'] as const;
const RESERVED_ID = 65535;

interface Entry {
  readonly kind: number;
  readonly id: number;
  /** Where the type byte stands, and where the value starts and ends. */
  readonly offset: number;
  readonly start: number;
  readonly end: number;
}

/** Decodes TLV (Core 1.2 §7.4.3) below the request path. Throws INVALID_PAYLOAD and INVALID_VALUE. */
export function decodeTlv(payload: Uint8Array, context: DecodeContext): DecodedPayload {
  const reader = new TlvReader(payload, new Typing(context));
  reader.read(context.path);
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

  /** The whole payload, by the level of the request path. */
  read(path: Path): void {
    const entries = this.#entries(0, this.#bytes.length);
    switch (path.level) {
      case 'root':
        throw malformed('TLV answers nothing above an object', 0);
      case 'object':
        for (const entry of entries) this.#instance(path, entry);
        return;
      case 'instance':
        if (entries[0]?.kind === TlvKind.instance) this.#instance(path.cut(1), only(entries, path.instanceId));
        else this.#resources(path, entries);
        return;
      case 'resource':
        // Some devices leave out the multiple resource around its instances.
        if (entries[0]?.kind === TlvKind.resourceInstance) this.#instances(path, entries);
        else this.#resources(path.cut(2), [only(entries, path.resourceId)]);
        return;
      case 'resource-instance':
        this.#instances(path.cut(3), [only(entries, path.resourceInstanceId)]);
    }
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
    const value = typedBytes(this.#bytes.subarray(start, end), type ?? 'Opaque', start);
    this.readings.push(readingOf(value, path, null, type === undefined));
  }

  /** The entries that fill a range, each id of a kind once. */
  #entries(start: number, end: number): Entry[] {
    const entries: Entry[] = [];
    const seen = new Set<number>();
    for (let position = start; position < end;) {
      const entry = this.#entry(position, end);
      if (seen.has(entry.id)) throw malformed(`id ${entry.id} is given twice`, position);
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
    if (start > end) throw malformed('ends inside the header of an entry', offset);
    const id = this.#unsigned(offset + 1, idWidth);
    if (id === RESERVED_ID) throw malformed(`id ${RESERVED_ID} is reserved`, offset + 1);
    // The low bits are a length only where no length field follows.
    const length = lengthWidth === 0 ? type & 7 : this.#unsigned(offset + 1 + idWidth, lengthWidth);
    if (length > end - start) throw malformed(`an entry of ${length} bytes where ${end - start} are left`, offset);
    return { kind: type >> 6, id, offset, start, end: start + length };
  }

  #unsigned(offset: number, width: number): number {
    let value = 0;
    for (let index = 0; index < width; index += 1) value = value * 256 + (this.#bytes[offset + index] ?? 0);
    return value;
  }
}

/** The one entry of a payload, which has the id of the request path. */
function only(entries: readonly Entry[], id: number | null): Entry {
  const [entry, second] = entries;
  if (entry === undefined) throw malformed('no entry where one belongs', 0);
  if (second !== undefined) throw malformed('a second entry where one belongs', second.offset);
  if (entry.id !== id) throw malformed(`id ${entry.id}, asked was ${id}`, entry.offset);
  return entry;
}

function expect(entry: Entry, kind: number): void {
  if (entry.kind === kind) return;
  throw malformed(`a ${KIND_NAMES[entry.kind]} where a ${KIND_NAMES[kind]} belongs`, entry.offset);
}

/** The bytes as a value of the type (Core 1.2 Appendix C). Throws INVALID_VALUE; INVALID_PAYLOAD for what is no UTF-8. */
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
  throw new Lwm2mError('INVALID_VALUE', `${bytes.length} bytes are no ${type}`, { offset });
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
  return new Lwm2mError('INVALID_VALUE', `an integer has 1, 2, 4 or 8 bytes, not ${view.byteLength}`, { offset });
}
