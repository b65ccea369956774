import { Lwm2mError } from '../error.ts';
import { parseObjectLink } from '../value.ts';
import type { DecodedPayload, ResourceType, TypedValue } from '../value.ts';
import { decodeBase64 } from './base64.ts';
import { readCbor } from './cbor-reader.ts';
import { exactNumber } from './item.ts';
import type { Item } from './item.ts';
import { checkValuePath, readingOf, typedItem, Typing } from './typing.ts';
import type { DecodeContext } from './typing.ts';
import { decodeUtf8 } from './utf8.ts';

const INTEGER = /^-?\d+$/;
/** The parts of an xsd:decimal that a JSON number can't have: the sign +, and a fraction without an integer part. */
const DECIMAL = /^([+-]?)(\d*)((?:\.\d+)?)$/;

/** Decodes text/plain (Core 1.2 §7.4.1, Appendix C): the value of one resource or resource instance. */
export function decodeText(payload: Uint8Array, context: DecodeContext): DecodedPayload {
  const { path } = context;
  checkValuePath(path, 0);
  const text = decodeUtf8(payload, 0);
  const type = new Typing(context).typeAt(path);
  const value: TypedValue = type === undefined ? { type: 'String', value: text } : typedText(text, type);
  return { readings: [readingOf(value, path, null, type === undefined)], empty: [] };
}

function typedText(text: string, type: ResourceType): TypedValue {
  switch (type) {
    case 'String':
    case 'Corelnk':
      return typedItem({ kind: 'text', value: text, offset: 0 }, type);
    case 'Integer':
    case 'Unsigned Integer':
    case 'Time':
      return typedItem((INTEGER.test(text) ? exactNumber(text, 0) : undefined) ?? wrongText(text, type), type);
    case 'Float':
      return typedItem(exactNumber(jsonNumber(text), 0) ?? wrongText(text, type), type);
    case 'Boolean':
      if (text === '0' || text === '1') return { type, value: text === '1' };
      return wrongText(text, type);
    case 'Opaque':
      return { type, value: decodeBase64(text, 0) };
    case 'Objlnk':
      return { type, value: parseObjectLink(text, 0) };
  }
}

/** Writes an xsd:decimal, as Core 1.2 Appendix C has it in text, as a JSON number; returns other texts unchanged. */
function jsonNumber(text: string): string {
  const [, sign, whole = '', fraction = ''] = DECIMAL.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') return text;
  return `${sign === '-' ? '-' : ''}${whole || '0'}${fraction}`;
}

function wrongText(text: string, type: ResourceType): never {
  throw new Lwm2mError('INVALID_VALUE', `${JSON.stringify(text.slice(0, 40))} is not a valid ${type}`, { offset: 0 });
}

/** Decodes application/octet-stream (Core 1.2 §7.4.2): the bytes of one Opaque resource. */
export function decodeOpaque(payload: Uint8Array, context: DecodeContext): DecodedPayload {
  const { path } = context;
  checkValuePath(path, 0);
  const type = new Typing(context).typeAt(path);
  if (type !== undefined && type !== 'Opaque') {
    throw new Lwm2mError('INVALID_VALUE', `application/octet-stream can't carry ${type}`, { offset: 0 });
  }
  const value: TypedValue = { type: 'Opaque', value: payload.slice() };
  return { readings: [readingOf(value, path, null, type === undefined)], empty: [] };
}

/** Decodes application/cbor (Core 1.2 §7.4.6): one item, the value of one resource or resource instance. */
export function decodeCbor(payload: Uint8Array, context: DecodeContext): DecodedPayload {
  const typing = new Typing(context, cborLink);
  return { readings: [typing.reading(context.path, readCbor(payload), null)], empty: [] };
}

/** Marks a text as an object link: CBOR has no other form for it (Core 1.2 Appendix C). */
export function cborLink(item: Item, type: ResourceType): Item {
  return type === 'Objlnk' && item.kind === 'text' ? { ...item, kind: 'link' } : item;
}
