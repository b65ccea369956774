import { malformed } from './item.ts';

/** ignoreBOM keeps a leading U+FEFF as a character, so that a round trip does not change the text. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Throws INVALID_PAYLOAD for invalid UTF-8. `offset` is the position of the bytes in the payload. */
export function decodeUtf8(bytes: Uint8Array, offset: number): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw malformed('the text is not valid UTF-8', offset);
  }
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}
