import { Lwm2mError } from '../error.ts';
import type { Path } from '../path.ts';
import { formatObjectLink } from '../value.ts';
import type { TypedValue } from '../value.ts';
import { encodeBase64 } from './base64.ts';
import { CborWriter } from './cbor-writer.ts';
import { checkedTime, checkedValues, checkOnce, commonInstance } from './encoding.ts';
import type { CompositeValue } from './encoding.ts';
import { encodeUtf8 } from './utf8.ts';

interface SenmlRecord {
  readonly baseName: string | undefined;
  readonly name: string | undefined;
  /** Undefined in a list of paths; null deletes. */
  readonly value: TypedValue | null | undefined;
  readonly time: number | undefined;
}

/**
 * Encodes SenML JSON (RFC 8428 §5, RFC 8790) with the request path as base name, as the examples of Core 1.2 §7.4.4 do;
 * at the root the names are full. Throws INVALID_VALUE, INVALID_PATH, INVALID_ARGUMENT, UNSUPPORTED_FORMAT.
 */
export function encodeSenmlJson(request: Path, values: readonly CompositeValue[]): Uint8Array {
  return writeJson(valueRecords(request, values));
}

/** Encodes SenML CBOR (RFC 8428 §6, RFC 8790). Base name and errors are those of `encodeSenmlJson`. */
export function encodeSenmlCbor(request: Path, values: readonly CompositeValue[]): Uint8Array {
  return writeCbor(valueRecords(request, values));
}

/** Encodes the list of paths of a Read- or Observe-Composite. Throws INVALID_ARGUMENT when it is empty. */
export function encodeSenmlPaths(paths: readonly Path[], spelling: 'json' | 'cbor'): Uint8Array {
  if (paths.length === 0) throw new Lwm2mError('INVALID_ARGUMENT', 'the list of paths is empty');
  const records = paths.map((path) => ({
    baseName: undefined,
    name: path.toString(),
    value: undefined,
    time: undefined,
  }));
  return spelling === 'json' ? writeJson(records) : writeCbor(records);
}

function valueRecords(request: Path, values: readonly CompositeValue[]): SenmlRecord[] {
  checkOnce(values);
  const baseName = baseNameOf(
    request,
    values.map(({ path }) => path),
  );
  return checkedValues(values).map(({ path, value, time }, index) => {
    const name = path.toString().slice(baseName?.length ?? 0);
    return {
      baseName: index === 0 ? baseName : undefined,
      name: name === '' ? undefined : name,
      value,
      time: time === undefined || time === null ? undefined : checkedTime(time),
    };
  });
}

/**
 * The request path when each value is at it (`/3/0/14`), the request path with a slash when each value is below it
 * (`/3/0/`). The values of other requests have only a common instance, or no base name.
 */
function baseNameOf(request: Path, places: readonly Path[]): string | undefined {
  if (request.level !== 'root') {
    if (places.every((place) => request.equals(place))) return request.toString();
    if (places.every((place) => request.contains(place) && !request.equals(place))) return `${request}/`;
  }
  return commonInstance(places);
}

function writeJson(records: readonly SenmlRecord[]): Uint8Array {
  const written = records.map(({ baseName, name, value, time }) => {
    const fields: string[] = [];
    if (baseName !== undefined) fields.push(`"bn":${JSON.stringify(baseName)}`);
    if (name !== undefined) fields.push(`"n":${JSON.stringify(name)}`);
    if (value !== undefined) fields.push(value === null ? '"v":null' : jsonValue(value));
    if (time !== undefined) fields.push(`"t":${time}`);
    return `{${fields.join(',')}}`;
  });
  return encodeUtf8(`[${written.join(',')}]`);
}

function jsonValue(value: TypedValue): string {
  switch (value.type) {
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      return `"v":${value.value}`;
    case 'Float':
      return `"v":${jsonFloat(value.value)}`;
    case 'Boolean':
      return `"vb":${value.value}`;
    case 'Opaque':
      return `"vd":"${encodeBase64(value.value, 'base64url')}"`;
    case 'Objlnk':
      return `"vlo":"${formatObjectLink(value.value)}"`;
    case 'String':
    case 'Corelnk':
      return `"vs":${JSON.stringify(value.value)}`;
  }
}

/** Keeps the sign of -0, which String() drops. */
export function jsonFloat(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The integer labels of RFC 8428 §6, Table 4. */
const LABEL = { bn: -2, n: 0, v: 2, vs: 3, vb: 4, t: 6, vd: 8 } as const;

function writeCbor(records: readonly SenmlRecord[]): Uint8Array {
  const writer = new CborWriter().array(records.length);
  for (const { baseName, name, value, time } of records) {
    writer.map([baseName, name, value, time].filter((field) => field !== undefined).length);
    if (baseName !== undefined) writer.integer(LABEL.bn).text(baseName);
    if (name !== undefined) writer.integer(LABEL.n).text(name);
    if (value === null) writer.integer(LABEL.v).null();
    else if (value !== undefined) writeCborValue(writer, value);
    if (time !== undefined) writeTime(writer.integer(LABEL.t), time);
  }
  return writer.finish();
}

function writeTime(writer: CborWriter, time: number): void {
  if (Number.isInteger(time)) writer.integer(time);
  else writer.float(time);
}

function writeCborValue(writer: CborWriter, value: TypedValue): void {
  switch (value.type) {
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      writer.integer(LABEL.v).integer(value.value);
      return;
    case 'Float':
      writer.integer(LABEL.v).float(value.value);
      return;
    case 'Boolean':
      writer.integer(LABEL.vb).boolean(value.value);
      return;
    case 'Opaque':
      writer.integer(LABEL.vd).bytes(value.value);
      return;
    case 'Objlnk':
      writer.text('vlo').text(formatObjectLink(value.value));
      return;
    case 'String':
    case 'Corelnk':
      writer.integer(LABEL.vs).text(value.value);
  }
}
