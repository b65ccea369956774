import { malformed } from './item.ts';

/** ignoreBOM keeps a leading U+FEFF as the character it is, so that text survives a round trip. */
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/** Throws INVALID_PAYLOAD for bytes that are no UTF-8. `offset`: where they stand in the payload. */
export function decodeUtf8(bytes: Uint8Array, offset: number): string {
  try {
    return strict.decode(bytes);
  } catch {
    throw malformed('not UTF-8', offset);
  }
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}
