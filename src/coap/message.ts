import type { Code } from './endpoint.ts';
import { CoapError } from './error.ts';

export type MessageType = 'CON' | 'NON' | 'ACK' | 'RST';

export interface MessageOption {
  readonly number: number;
  readonly value: Uint8Array;
}

/** One message (RFC 7252 §3). `decode` makes its byte arrays views of the datagram. */
export interface Message {
  readonly type: MessageType;
  readonly code: Code;
  /** 0..65535 */
  readonly messageId: number;
  /** 0..8 bytes */
  readonly token: Uint8Array;
  /** Ascending by number, as in the datagram; `encode` sorts them. */
  readonly options: readonly MessageOption[];
  readonly payload: Uint8Array;
}

/** Why a datagram is not a CoAP message. One of less than four bytes has no type and no message ID to answer. */
export type Malformation =
  | 'short'
  | 'version'
  | 'token length'
  | 'truncated'
  | 'option'
  | 'empty payload'
  | 'not an empty message';

export type DecodedMessage =
  | { readonly ok: true; readonly message: Message }
  | {
      readonly ok: false;
      readonly reason: Malformation;
      readonly type: MessageType | null;
      readonly messageId: number;
    };

const VERSION = 1;
const HEADER_BYTES = 4;
export const MAX_TOKEN_BYTES = 8;
const PAYLOAD_MARKER = 0xff;
const MAX_OPTION_NUMBER = 0xffff;
/** 269 + 65535, the largest extended length (RFC 7252 §3.1). */
const MAX_OPTION_BYTES = 65_804;

const TYPES: readonly MessageType[] = ['CON', 'NON', 'ACK', 'RST'];
export const NO_BYTES: Uint8Array = new Uint8Array(0);

/** Reads one datagram. Never throws, and allocates memory for received bytes only, not for announced lengths. */
export function decode(datagram: Uint8Array): DecodedMessage {
  const end = datagram.length;
  if (end < HEADER_BYTES) return { ok: false, reason: 'short', type: null, messageId: 0 };
  const first = at(datagram, 0);
  // RFC 7252 §3: messages with an unknown version are silently ignored, so their type does not count.
  if (first >> 6 !== VERSION) return { ok: false, reason: 'version', type: null, messageId: 0 };

  const type = TYPES[(first >> 4) & 3] ?? 'CON';
  const code = at(datagram, 1);
  const messageId = (at(datagram, 2) << 8) | at(datagram, 3);

  const tokenLength = first & 0x0f;
  if (tokenLength > MAX_TOKEN_BYTES) return malformed('token length', type, messageId);
  // RFC 7252 §4.1: an Empty message has no token, no options and no payload.
  if (code === 0 && end > HEADER_BYTES) return malformed('not an empty message', type, messageId);
  let offset = HEADER_BYTES + tokenLength;
  if (offset > end) return malformed('truncated', type, messageId);
  const token = tokenLength === 0 ? NO_BYTES : datagram.subarray(HEADER_BYTES, offset);

  const options: MessageOption[] = [];
  let payload = NO_BYTES;
  let number = 0;
  while (offset < end) {
    const head = at(datagram, offset++);
    if (head === PAYLOAD_MARKER) {
      if (offset === end) return malformed('empty payload', type, messageId);
      payload = datagram.subarray(offset);
      break;
    }
    let delta = head >> 4;
    if (delta === 13) {
      if (offset + 1 > end) return malformed('truncated', type, messageId);
      delta = 13 + at(datagram, offset++);
    } else if (delta === 14) {
      if (offset + 2 > end) return malformed('truncated', type, messageId);
      delta = 269 + ((at(datagram, offset) << 8) | at(datagram, offset + 1));
      offset += 2;
    } else if (delta === 15) return malformed('option', type, messageId);

    let length = head & 0x0f;
    if (length === 13) {
      if (offset + 1 > end) return malformed('truncated', type, messageId);
      length = 13 + at(datagram, offset++);
    } else if (length === 14) {
      if (offset + 2 > end) return malformed('truncated', type, messageId);
      length = 269 + ((at(datagram, offset) << 8) | at(datagram, offset + 1));
      offset += 2;
    } else if (length === 15) return malformed('option', type, messageId);

    number += delta;
    if (number > MAX_OPTION_NUMBER) return malformed('option', type, messageId);
    if (offset + length > end) return malformed('truncated', type, messageId);
    options.push({ number, value: length === 0 ? NO_BYTES : datagram.subarray(offset, offset + length) });
    offset += length;
  }
  return { ok: true, message: { type, code, messageId, token, options, payload } };
}

/** Writes one datagram. Throws CoapError INVALID when the token or an option can't be encoded. */
export function encode(message: Message): Uint8Array {
  const { token, payload } = message;
  if (token.length > MAX_TOKEN_BYTES)
    throw new CoapError('INVALID', `a token must have 0 to 8 bytes, not ${token.length}`);
  const options = inOrder(message.options);

  let size = HEADER_BYTES + token.length + (payload.length > 0 ? 1 + payload.length : 0);
  let previous = 0;
  for (const { number, value } of options) {
    if (value.length > MAX_OPTION_BYTES || number > MAX_OPTION_NUMBER) {
      throw new CoapError('INVALID', `option ${number} with ${value.length} bytes can't be encoded`);
    }
    size += 1 + extendedBytes(number - previous) + extendedBytes(value.length) + value.length;
    previous = number;
  }

  // Node's buffer pool is safe here: every byte is written below, and `RecentMessages` copies what it keeps.
  const datagram = Buffer.allocUnsafe(size);
  datagram[0] = (VERSION << 6) | (TYPES.indexOf(message.type) << 4) | token.length;
  datagram[1] = message.code;
  datagram[2] = message.messageId >> 8;
  datagram[3] = message.messageId;
  write(datagram, HEADER_BYTES, token);
  let offset = HEADER_BYTES + token.length;
  previous = 0;
  for (const { number, value } of options) {
    const head = offset++;
    const delta = number - previous;
    datagram[head] = (nibble(delta) << 4) | nibble(value.length);
    offset = writeExtended(datagram, offset, delta);
    offset = writeExtended(datagram, offset, value.length);
    write(datagram, offset, value);
    offset += value.length;
    previous = number;
  }
  if (payload.length > 0) {
    datagram[offset] = PAYLOAD_MARKER;
    write(datagram, offset + 1, payload);
  }
  return datagram;
}

/** An Empty message: the ACK before a separate response, or a RST (RFC 7252 §4.2). */
export function encodeEmpty(type: 'ACK' | 'RST', messageId: number): Uint8Array {
  return Uint8Array.of((VERSION << 6) | (TYPES.indexOf(type) << 4), 0, messageId >> 8, messageId);
}

function malformed(reason: Malformation, type: MessageType, messageId: number): DecodedMessage {
  return { ok: false, reason, type, messageId };
}

/** For a few bytes, a loop is several times as fast as `set`. */
function write(datagram: Uint8Array, offset: number, bytes: Uint8Array): void {
  if (bytes.length > 24) datagram.set(bytes, offset);
  else for (let index = 0; index < bytes.length; index++) datagram[offset + index] = at(bytes, index);
}

/** Copies bytes that must outlive the datagram. (A Buffer's `slice` does not copy.) */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return bytes.length === 0 ? NO_BYTES : new Uint8Array(bytes);
}

/** The caller checks the bounds; the fallback is for the compiler only. */
function at(datagram: Uint8Array, offset: number): number {
  return datagram[offset] ?? 0;
}

function inOrder(options: readonly MessageOption[]): readonly MessageOption[] {
  let previous = 0;
  for (const { number } of options) {
    // The sort is stable, so repeated options keep their order (RFC 7252 §5.4.5).
    if (number < previous) return [...options].sort((a, b) => a.number - b.number);
    previous = number;
  }
  return options;
}

/** RFC 7252 §3.1: a value below 13 is in the nibble, one below 269 in one more byte, larger ones in two. */
function nibble(value: number): number {
  return value < 13 ? value : value < 269 ? 13 : 14;
}

function extendedBytes(value: number): number {
  return value < 13 ? 0 : value < 269 ? 1 : 2;
}

function writeExtended(datagram: Uint8Array, offset: number, value: number): number {
  if (value < 13) return offset;
  if (value < 269) {
    datagram[offset] = value - 13;
    return offset + 1;
  }
  datagram[offset] = (value - 269) >> 8;
  datagram[offset + 1] = value - 269;
  return offset + 2;
}
