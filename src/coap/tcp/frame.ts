/**
 * A message on a stream (RFC 8323 §3.2). Its options and payload are encoded as in a datagram; a length replaces
 * version, type and message ID.
 */
export interface Frame {
  readonly code: number;
  readonly token: Uint8Array;
  /** Options, payload marker and payload: what follows the token in a datagram. */
  readonly rest: Uint8Array;
}

const MAX_TOKEN_BYTES = 8;

/** A length below 13 is in the nibble; for a larger one, 1, 2 or 4 bytes hold the length minus `base`. */
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

/**
 * The largest datagram whose frame has at most `bytes` bytes. A frame is never longer than its datagram, except when 4
 * bytes hold its length: then it is 2 bytes longer.
 */
export function datagramWithin(bytes: number): number {
  return bytes > EXTENDED[2].base ? bytes - 2 : bytes;
}

/** The result of reading a stream: a frame, or why there is none. */
export type Read = { readonly frame: Frame; readonly end: number } | 'incomplete' | 'malformed' | 'too large';

/**
 * Reads the frame at `start`; `end` is the start of the next one. A frame whose length field announces more than
 * `largest` bytes of options and payload is too large, even before those bytes arrive.
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

/** Copies the bytes from `start`: a view would keep the whole chunk in memory while the connection is idle. */
export function remainder(stream: Buffer, start: number): Buffer {
  const rest = Buffer.allocUnsafeSlow(stream.length - start);
  stream.copy(rest, 0, start);
  return rest;
}
