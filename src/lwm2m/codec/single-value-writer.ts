import { Lwm2mError } from '../error.ts';
import type { Path } from '../path.ts';
import { formatObjectLink } from '../value.ts';
import type { TypedValue } from '../value.ts';
import { encodeBase64 } from './base64.ts';
import { CborWriter } from './cbor-writer.ts';
import { contentFormatName } from './content-format.ts';
import { checkedValues, checkInside, checkUntimed } from './encoding.ts';
import type { TimedValue } from './encoding.ts';
import { writeValue } from './lwm2m-cbor-writer.ts';
import { plainDecimal } from './plain-decimal.ts';
import { encodeUtf8 } from './utf8.ts';

/** Returns the only value, for a format that carries one. Throws UNSUPPORTED_FORMAT, INVALID_PATH and INVALID_VALUE. */
export function onlyValue(contentFormat: number, path: Path, values: readonly TimedValue[]): TypedValue {
  checkInside(
    path,
    values.map((value) => value.path),
  );
  checkUntimed(contentFormat, values);
  const [value, second] = checkedValues(values);
  if (value === undefined || second !== undefined || !value.path.equals(path)) {
    throw new Lwm2mError(
      'UNSUPPORTED_FORMAT',
      `${contentFormatName(contentFormat)} carries exactly one value, at the request path`,
    );
  }
  return value.value;
}

/** Encodes text/plain (Core 1.2 §7.4.1, Appendix C). */
export function encodeText(value: TypedValue): Uint8Array {
  return encodeUtf8(textOf(value));
}

function textOf(value: TypedValue): string {
  switch (value.type) {
    case 'String':
    case 'Corelnk':
      return value.value;
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      return String(value.value);
    case 'Float':
      return plainDecimal(value.value);
    case 'Boolean':
      return value.value ? '1' : '0';
    case 'Opaque':
      return encodeBase64(value.value, 'base64');
    case 'Objlnk':
      return formatObjectLink(value.value);
  }
}

/** Encodes application/octet-stream (Core 1.2 §7.4.2). Throws UNSUPPORTED_FORMAT for types other than Opaque. */
export function encodeOpaque(value: TypedValue): Uint8Array {
  if (value.type === 'Opaque') return value.value.slice();
  throw new Lwm2mError('UNSUPPORTED_FORMAT', `application/octet-stream carries Opaque, not ${value.type}`);
}

/** Encodes application/cbor (Core 1.2 §7.4.6). */
export function encodeCbor(value: TypedValue): Uint8Array {
  const writer = new CborWriter();
  writeValue(writer, value);
  return writer.finish();
}
