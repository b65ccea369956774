import { Lwm2mError } from '../error.ts';

/** Decodes base64 (padded) or base64url (unpadded) exactly as RFC 4648 writes it; throws INVALID_VALUE for anything else. */
export function decodeBase64(text: string, alphabet: 'base64' | 'base64url', offset: number): Uint8Array {
  const bytes = Buffer.from(text, alphabet);
  // Node's decoder takes anything; what was written right comes back as it was.
  if (bytes.toString(alphabet) !== text) throw new Lwm2mError('INVALID_VALUE', `not ${alphabet}`, { offset });
  return new Uint8Array(bytes);
}

export function encodeBase64(bytes: Uint8Array, alphabet: 'base64' | 'base64url'): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(alphabet);
}
