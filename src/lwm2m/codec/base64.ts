import { Lwm2mError } from '../error.ts';

/** Decodes base64 (padded) strictly by RFC 4648 §4. Throws INVALID_VALUE for any other text. */
export function decodeBase64(text: string, offset: number): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  // Node decodes any text, so encode the result again and compare.
  if (bytes.toString('base64') !== text)
    throw new Lwm2mError('INVALID_VALUE', 'the text is not valid base64', { offset });
  return new Uint8Array(bytes);
}

/**
 * Decodes base64url (RFC 4648 §5), which SenML JSON prescribes (RFC 8428 §5), and also what devices send instead: the
 * alphabet of base64, and padding. Throws INVALID_VALUE for any other text.
 */
export function decodeBase64Url(text: string, offset: number): Uint8Array {
  const padding = /={0,2}$/.exec(text)?.[0].length ?? 0;
  const unpadded = text
    .slice(0, text.length - padding)
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  const bytes = Buffer.from(unpadded, 'base64url');
  if (bytes.toString('base64url') !== unpadded || (padding > 0 && text.length % 4 !== 0))
    throw new Lwm2mError('INVALID_VALUE', 'the text is not valid base64url', { offset });
  return new Uint8Array(bytes);
}

export function encodeBase64(bytes: Uint8Array, alphabet: 'base64' | 'base64url'): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(alphabet);
}
