import { Lwm2mError } from '../error.ts';

/** Decodes base64 (padded) or base64url (unpadded) strictly by RFC 4648. Throws INVALID_VALUE for any other text. */
export function decodeBase64(text: string, alphabet: 'base64' | 'base64url', offset: number): Uint8Array {
  const bytes = Buffer.from(text, alphabet);
  // Node decodes any text, so encode the result again and compare.
  if (bytes.toString(alphabet) !== text)
    throw new Lwm2mError('INVALID_VALUE', `the text is not valid ${alphabet}`, { offset });
  return new Uint8Array(bytes);
}

export function encodeBase64(bytes: Uint8Array, alphabet: 'base64' | 'base64url'): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(alphabet);
}
