/**
 * RFC 8323 §3.2: a message on a stream. Its options and payload are those of a datagram, byte for byte; in the place of
 * version, type and message id it has its length.
 */
export interface Frame {
  readonly code: number;
  readonly token: Uint8Array;
  /** Options, payload marker and payload, as a datagram has them behind the token. */
  readonly rest: Uint8Array;
}

const MAX_TOKEN_BYTES = 8;

/** Lengths below 13 stand in the nibble, the others in 1, 2 or 4 bytes above these. */
const EXTENDED = [
  { nibble: 13, bytes: 1, base: 13 },
  { nibble: 14, bytes: 2, base: 269 },
  { nibble: 15, bytes: 4, base: 65_805 },
] as const;

export function encodeFrame({ code, token, rest }: Frame): Buffer {
  const form = EXTENDED.findLast(({ base }) => rest.length >= base);
  const extended = form?.bytes ?? 0;
  const frame = Buffer.allocUnsafe(2 + extended + token.length + rest.length);
  frame[0] = ((form?.nibble ?? rest.length) << 4) | token.length;
  if (form) frame.writeUIntBE(rest.length - form.base, 1, form.bytes);
  frame[1 + extended] = code;
  frame.set(token, 2 + extended);
  frame.set(rest, 2 + extended + token.length);
  return frame;
}

/** What a stream holds next: a frame, nothing whole yet, or something that is no frame. */
export type Read = { readonly frame: Frame; readonly end: number } | 'incomplete' | 'malformed' | 'too large';

/**
 * Reads the frame at `start`; `end` is where the next begins. `largest` bounds options and payload by what the length says,
 * before any of it has come.
 */
export function readFrame(stream: Buffer, start: number, largest: number): Read {
  const first = stream[start];
  if (first === undefined) return 'incomplete';
  const tokenLength = first & 0x0f;
  if (tokenLength > MAX_TOKEN_BYTES) return 'malformed';
  const form = EXTENDED.find(({ nibble }) => nibble === first >> 4);
  const extended = form?.bytes ?? 0;
  if (stream.length < start + 1 + extended) return 'incomplete';
  const length = form ? stream.readUIntBE(start + 1, form.bytes) + form.base : first >> 4;
  if (length > largest) return 'too large';
  const token = start + 2 + extended;
  const end = token + tokenLength + length;
  if (stream.length < end) return 'incomplete';
  return {
    frame: {
      code: stream[token - 1] ?? 0,
      token: stream.subarray(token, token + tokenLength),
      rest: stream.subarray(token + tokenLength, end),
    },
    end,
  };
}

/** What follows `start`, in memory of its own: a view would keep the whole chunk for as long as the connection idles. */
export function remainder(stream: Buffer, start: number): Buffer {
  const rest = Buffer.allocUnsafeSlow(stream.length - start);
  stream.copy(rest, 0, start);
  return rest;
}
