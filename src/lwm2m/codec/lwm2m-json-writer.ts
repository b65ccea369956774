import { formatObjectLink } from '../value.ts';
import type { TypedValue } from '../value.ts';
import { encodeBase64 } from './base64.ts';
import type { Path } from '../path.ts';
import { checkedTime, checkedValues, checkOnce } from './encoding.ts';
import type { TimedValue } from './encoding.ts';
import { jsonFloat } from './senml-writer.ts';
import { encodeUtf8 } from './utf8.ts';

/**
 * Encodes the JSON of LwM2M 1.0 (TS 1.0.2 §6.4.4) with the request path as base name, as its examples do: some devices
 * read a wrong value from another base name. Throws INVALID_VALUE, INVALID_PATH, INVALID_ARGUMENT,
 * UNSUPPORTED_FORMAT.
 */
export function encodeLwm2mJson(request: Path, values: readonly TimedValue[]): Uint8Array {
  checkOnce(values);
  const whole = request.toString();
  const isOne = values.every(({ path }) => path.equals(request));
  const baseName = isOne || whole.endsWith('/') ? whole : `${whole}/`;
  const elements = checkedValues(values).map(({ path, value, time }) => {
    const name = JSON.stringify(path.toString().slice(baseName.length));
    const timed = time === undefined || time === null ? '' : `,"t":${checkedTime(time)}`;
    return `{"n":${name},${valueField(value)}${timed}}`;
  });
  return encodeUtf8(`{"bn":"${baseName}","e":[${elements.join(',')}]}`);
}

function valueField(value: TypedValue): string {
  switch (value.type) {
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      return `"v":${value.value}`;
    case 'Float':
      return `"v":${jsonFloat(value.value)}`;
    case 'Boolean':
      return `"bv":${value.value}`;
    case 'Opaque':
      return `"sv":"${encodeBase64(value.value, 'base64')}"`;
    case 'Objlnk':
      return `"ov":"${formatObjectLink(value.value)}"`;
    case 'String':
    case 'Corelnk':
      return `"sv":${JSON.stringify(value.value)}`;
  }
}
