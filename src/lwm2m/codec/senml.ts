import type { Path } from '../path.ts';
import { exactInteger } from '../value.ts';
import type { DecodedPayload, Reading } from '../value.ts';
import { readFields, secondsField, textField } from './fields.ts';
import type { Fields } from './fields.ts';
import { describe, malformed, numberOf } from './item.ts';
import type { Item } from './item.ts';
import { parseName } from './name.ts';
import { Places } from './places.ts';
import { absoluteTime } from './time.ts';
import { Typing, withPath } from './typing.ts';
import type { DecodeContext } from './typing.ts';

/** The differences between SenML JSON and SenML CBOR. */
export interface SenmlDialect {
  /** Returns the name of the field (`bn`, `v`) for a key. Throws INVALID_PAYLOAD for an invalid key. */
  label(key: Item): string;
  /** Returns the bytes of a data value. Throws INVALID_PAYLOAD and INVALID_VALUE. */
  data(item: Item): Item;
}

/** RFC 8428 §4.4: a receiver must not use packs of a newer version. */
const VERSION = 10;
const VALUES = ['v', 'vs', 'vb', 'vd', 'vlo'] as const;
/** LwM2M does not use units, sums and update times. */
const LABELS = ['bn', 'bt', 'bv', 'bver', 'n', 't', ...VALUES] as const;
type Label = (typeof LABELS)[number];

/** A record after its base fields are applied (RFC 8428 §4.6). `value` is undefined when the record has no value. */
interface ResolvedRecord {
  readonly path: Path;
  readonly value: Item | undefined;
  readonly time: number | null;
  readonly offset: number;
}

/** Decodes a pack of values: a response, a notification, a Send or a Write. */
export function decodeSenml(records: Iterable<Item>, dialect: SenmlDialect, context: DecodeContext): DecodedPayload {
  return { readings: decodeRecords(records, dialect, context), empty: [] };
}

/** Decodes a Write-Composite in SenML ETCH (RFC 8790 §3.2): values, and the paths that null deletes. */
export function decodeSenmlEtch(
  records: Iterable<Item>,
  dialect: SenmlDialect,
  context: DecodeContext,
): DecodedPayload & { readonly deleted: readonly Path[] } {
  const deleted: Path[] = [];
  return { readings: decodeRecords(records, dialect, context, deleted), empty: [], deleted };
}

/** Decodes the values. `deleted` collects the paths whose value is null; without it null is not allowed. */
function decodeRecords(
  records: Iterable<Item>,
  dialect: SenmlDialect,
  context: DecodeContext,
  deleted?: Path[],
): Reading[] {
  const typing = new Typing(context);
  const readings: Reading[] = [];
  const places = new Places();
  for (const { path, value, time, offset } of resolvedRecords(records, dialect, context)) {
    if (value === undefined) throw malformed(`the record of ${path} has no value`, offset);
    places.add(path, time, offset);
    if (value.kind !== 'null' || deleted === undefined) readings.push(typing.reading(path, value, time));
    else if (path.resourceId === null)
      throw malformed(`null can't delete ${path}: it is not the path of a resource`, offset);
    else deleted.push(path);
  }
  return readings;
}

/** Decodes the paths of a Read- or Observe-Composite: records without values (Core 1.2 §6.3.8). */
export function decodeSenmlPaths(
  records: Iterable<Item>,
  dialect: SenmlDialect,
  context: DecodeContext,
): readonly Path[] {
  const paths: Path[] = [];
  for (const { path, value, offset } of resolvedRecords(records, dialect, context)) {
    if (value !== undefined) throw malformed(`the record of ${path} has a value in a list of paths`, offset);
    paths.push(path);
  }
  if (paths.length === 0) throw malformed('the list of paths is empty', 0);
  return paths;
}

function* resolvedRecords(
  records: Iterable<Item>,
  dialect: SenmlDialect,
  context: DecodeContext,
): Generator<ResolvedRecord> {
  let baseName = '';
  let baseTime = 0;
  let baseValue: Item | undefined;
  for (const item of records) {
    const record = readFields(item, LABELS, (key) => dialect.label(key));
    checkVersion(record.bver);
    if (record.bn !== undefined) baseName = textField(record.bn, 'bn');
    if (record.bt !== undefined) baseTime = secondsField(record.bt, 'bt');
    if (record.bv !== undefined) baseValue = record.bv;
    const name = baseName + (record.n === undefined ? '' : textField(record.n, 'n'));
    const path = parseName(name, context, item.offset);
    try {
      const value = valueOf(record, baseValue, dialect, item.offset);
      yield { path, value, time: timeOf(record, baseTime, context.now, item.offset), offset: item.offset };
    } catch (error) {
      throw withPath(path, error);
    }
  }
}

/** Seconds since the Unix epoch; null when neither the record nor the base gives a time. */
function timeOf({ t }: Fields<Label>, baseTime: number, now: number, offset: number): number | null {
  if (t === undefined) return baseTime === 0 ? null : absoluteTime(baseTime, now, offset);
  return absoluteTime(baseTime + secondsField(t, 't'), now, offset);
}

function checkVersion(version: Item | undefined): void {
  if (version === undefined) return;
  const number = numberOf(version);
  if (number === undefined || !Number.isInteger(number) || number < 1 || number > VERSION) {
    throw malformed(
      `the SenML version must be an integer from 1 to ${VERSION}, not ${describe(version)}`,
      version.offset,
    );
  }
}

function valueOf(
  record: Fields<Label>,
  baseValue: Item | undefined,
  dialect: SenmlDialect,
  offset: number,
): Item | undefined {
  let found: Item | undefined;
  for (const label of VALUES) {
    const item = record[label];
    if (item === undefined) continue;
    if (found !== undefined) throw malformed('a record has two values', offset);
    found = labelledValue(label, item, baseValue, dialect);
  }
  return found;
}

function labelledValue(
  label: (typeof VALUES)[number],
  item: Item,
  baseValue: Item | undefined,
  dialect: SenmlDialect,
): Item {
  switch (label) {
    case 'v':
      if (item.kind === 'null') return item;
      if (numberOf(item) !== undefined) return baseValue === undefined ? item : sumOf(baseValue, item);
      break;
    case 'vs':
      if (item.kind === 'text') return item;
      break;
    case 'vb':
      if (item.kind === 'boolean') return item;
      break;
    case 'vd':
      return dialect.data(item);
    case 'vlo':
      if (item.kind === 'text') return { ...item, kind: 'link' };
      break;
  }
  throw malformed(`${label} must not be ${describe(item)}`, item.offset);
}

/** Adds the base value to the value (RFC 8428 §4.1); exact when both are integers. */
function sumOf(base: Item, item: Item): Item {
  if (base.kind === 'integer' && item.kind === 'integer') {
    return { ...item, value: exactInteger(BigInt(base.value) + BigInt(item.value)) };
  }
  const [left, right] = [numberOf(base), numberOf(item)];
  if (left === undefined || right === undefined) throw malformed(`bv must not be ${describe(base)}`, base.offset);
  return { kind: 'float', value: left + right, offset: item.offset };
}
