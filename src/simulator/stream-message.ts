/** A CoAP message on a stream (RFC 8323 §3.2): it has no type and no message id. */
export interface StreamMessage {
  readonly code: number;
  readonly token: Uint8Array;
  /** Options, payload marker and payload: the same bytes as in a datagram. */
  readonly rest: Uint8Array;
}

/** The codes of signaling messages (RFC 8323 §5). */
export const Signal = { csm: 0xe1, ping: 0xe2, pong: 0xe3, release: 0xe4, abort: 0xe5 } as const;

/** The default Max-Message-Size (RFC 8323 §5.3.1). */
const MAX_MESSAGE = 1152;

export function toStream({ code, token, rest }: StreamMessage): Buffer {
  const [nibble, ...extended] = lengthOf(rest.length);
  return Buffer.concat([Buffer.of((nibble << 4) | token.length, ...extended, code), token, rest]);
}

function lengthOf(length: number): [number, ...number[]] {
  if (length < 13) return [length];
  if (length < 269) return [13, length - 13];
  return [14, (length - 269) >> 8, (length - 269) & 0xff];
}

/**
 * Parses the first message of the stream; returns it with its size in bytes, or null while it is incomplete. Throws
 * when it is invalid.
 */
export function fromStream(stream: Buffer): { message: StreamMessage; size: number } | null {
  const [first = 0, high = 0, low = 0] = stream;
  const [nibble, tokenLength] = [first >> 4, first & 0x0f];
  const extended = nibble === 13 ? 1 : nibble === 14 ? 2 : 0;
  if (nibble === 15 || tokenLength > 8) throw new Error('the message has an invalid length or token length');
  if (stream.length < 2 + extended) return null;
  const length = extended === 0 ? nibble : extended === 1 ? high + 13 : high * 256 + low + 269;
  const head = 2 + extended + tokenLength;
  if (head + length > MAX_MESSAGE) throw new Error(`the message exceeds ${MAX_MESSAGE} bytes`);
  if (stream.length < head + length) return null;
  const message = {
    code: stream[1 + extended] ?? 0,
    token: stream.subarray(2 + extended, head),
    rest: stream.subarray(head, head + length),
  };
  return { message, size: head + length };
}
