import { Path } from '../path.ts';
import type { DecodedPayload, Reading, ResourceType } from '../value.ts';
import { decodeBase64 } from './base64.ts';
import { readFields, secondsField, textField, textLabel } from './fields.ts';
import type { Fields } from './fields.ts';
import { describe, malformed, numberOf } from './item.ts';
import type { Item } from './item.ts';
import { readJson } from './json-reader.ts';
import { parseName } from './name.ts';
import { Places } from './places.ts';
import { absoluteTime } from './time.ts';
import { Typing, withPath } from './typing.ts';
import type { DecodeContext } from './typing.ts';
import { decodeUtf8 } from './utf8.ts';

const VALUES = ['v', 'bv', 'sv', 'ov'] as const;
type ValueLabel = (typeof VALUES)[number];

/** Decodes the JSON of LwM2M 1.0 (TS 1.0.2 §6.4.4). Throws INVALID_PAYLOAD and INVALID_VALUE. */
export function decodeLwm2mJson(payload: Uint8Array, context: DecodeContext): DecodedPayload {
  const whole = readFields(readJson(decodeUtf8(payload, 0)), ['bn', 'bt', 'e'], textLabel);
  if (whole.e?.kind !== 'array') throw malformed('the array e is missing', 0);
  const baseName = whole.bn === undefined ? '' : textField(whole.bn, 'bn');
  const baseTime = whole.bt === undefined ? 0 : secondsField(whole.bt, 'bt');
  const typing = new Typing(context, opaqueText);
  const readings: Reading[] = [];
  const places = new Places();
  for (const element of whole.e.items) {
    const fields = readFields(element, ['n', 't', ...VALUES], textLabel);
    const name = fields.n === undefined ? '' : textField(fields.n, 'n');
    const path = parseName(fullName(baseName, name, context), context, element.offset);
    const { value, time } = contentOf(path, fields, element, { baseTime, now: context.now });
    places.add(path, time, element.offset);
    readings.push(typing.reading(path, value, time));
  }
  return { readings, empty: [] };
}

/** The value and the time of an element, in seconds since the Unix epoch. The message of an error names the path. */
function contentOf(
  path: Path,
  fields: Fields<ValueLabel | 't'>,
  element: Item,
  { baseTime, now }: { readonly baseTime: number; readonly now: number },
): { readonly value: Item; readonly time: number | null } {
  try {
    const timed = baseTime !== 0 || fields.t !== undefined;
    const sum = baseTime + (fields.t === undefined ? 0 : secondsField(fields.t, 't'));
    // TS 1.0.2 §6.4.4: a base time is seconds since 1970, whatever its size.
    const time = timed ? absoluteTime(sum, baseTime === 0 ? now : null, element.offset) : null;
    return { value: valueOf(fields, element), time };
  } catch (error) {
    throw withPath(path, error);
  }
}

/**
 * Base name and name are concatenated as they are (TS 1.0.2 §6.4.4); without a base name, names are relative to the
 * request path. Some devices omit the first slash of the base name: it is added. Some omit the slash between the two: it
 * is inserted if the concatenated text is not the path of a resource at or below the request path.
 */
function fullName(baseName: string, name: string, { path }: DecodeContext): string {
  const base = baseName === '' ? path.toString() : baseName.replace(/^(?=\d)/, '/');
  const whole = base + name;
  const isSplit = name === '' || base.endsWith('/') || name.startsWith('/');
  return isSplit || isResourceBelow(path, whole) ? whole : `${base}/${name}`;
}

function isResourceBelow(path: Path, text: string): boolean {
  try {
    const named = Path.parse(text);
    return named.ids.length >= 3 && path.contains(named);
  } catch {
    return false;
  }
}

function valueOf(fields: Fields<ValueLabel>, element: Item): Item {
  const [label, second] = VALUES.filter((candidate) => fields[candidate] !== undefined);
  const item = label === undefined ? undefined : fields[label];
  if (label === undefined || item === undefined) throw malformed('an element has no value', element.offset);
  if (second !== undefined) throw malformed('an element has two values', element.offset);
  if (label === 'v' && numberOf(item) !== undefined) return item;
  if (label === 'bv' && item.kind === 'boolean') return item;
  if (label === 'sv' && item.kind === 'text') return item;
  if (label === 'ov' && item.kind === 'text') return { ...item, kind: 'link' };
  throw malformed(`${label} must not be ${describe(item)}`, item.offset);
}

/** Opaque values are base64 in a string (TS 1.0.2 Appendix C). */
function opaqueText(item: Item, type: ResourceType): Item {
  if (type !== 'Opaque' || item.kind !== 'text') return item;
  return { kind: 'bytes', value: decodeBase64(item.value, item.offset), offset: item.offset };
}
