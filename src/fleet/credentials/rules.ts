import { createHash, createPublicKey, randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { FleetError } from '../common/index.ts';

/** In bytes. LwM2M Transport 1.2 §5.2.9: a server supports identities of up to 128 bytes and keys of up to 64 bytes. */
const LONGEST_IDENTITY = 128;
const SHORTEST_KEY = 16;
const LONGEST_KEY = 64;
/** The lengths of generated keys. Small DTLS stacks such as tinydtls can't hold 32 bytes. */
const GENERATED_KEYS = [16, 32] as const;
const USUAL_KEY = 32;
const LONGEST_SUBJECT = 200;

/** Returns the PSK identity. Throws VALIDATION unless it has 1 to 128 bytes. */
export function checkedIdentity(identity: string): string {
  const bytes = Buffer.byteLength(identity);
  if (bytes < 1 || bytes > LONGEST_IDENTITY) {
    throw new FleetError('VALIDATION', `a PSK identity must have 1 to ${LONGEST_IDENTITY} bytes, not ${bytes}`, {
      field: ['identity'],
    });
  }
  return identity;
}

/** Throws VALIDATION unless a generated key can have this length in bytes. */
export function checkKeyLength(length: number): void {
  if (GENERATED_KEYS.some((allowed) => allowed === length)) return;
  throw new FleetError('VALIDATION', `a generated key must have ${GENERATED_KEYS.join(' or ')} bytes, not ${length}`, {
    field: ['keyLength'],
  });
}

/**
 * Decodes a PSK from hex; without `hex`, generates `length` random bytes: 16 or 32, the default. Throws VALIDATION for
 * another length, for a length beside `hex`, and unless the key has 16 to 64 bytes. The error does not contain the key.
 */
export function pskKey(hex: string | null | undefined, length?: number | null): Buffer {
  if (length !== null && length !== undefined) {
    checkKeyLength(length);
    if (hex !== null && hex !== undefined) {
      throw new FleetError('VALIDATION', `keyLength (${length}) is for a generated key: give either key or keyLength`, {
        field: ['keyLength'],
      });
    }
  }
  if (hex === null || hex === undefined) return randomBytes(length ?? USUAL_KEY);
  const key = /^(?:[0-9a-f]{2})*$/i.test(hex) ? Buffer.from(hex, 'hex') : null;
  if (key === null || key.length < SHORTEST_KEY || key.length > LONGEST_KEY) {
    throw new FleetError('VALIDATION', `a PSK must be ${SHORTEST_KEY} to ${LONGEST_KEY} bytes in hex`, {
      field: ['key'],
    });
  }
  return key;
}

/**
 * Returns the SHA-256, in hex, of the SubjectPublicKeyInfo of a public key (PEM, or DER in base64). Throws VALIDATION
 * unless it is an EC key on P-256.
 */
export function publicKeyFingerprint(text: string): string {
  let key: KeyObject;
  try {
    const pem = text.includes('-----BEGIN');
    key = createPublicKey(pem ? text : { key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' });
  } catch (cause) {
    throw new FleetError('VALIDATION', 'invalid public key: give a SubjectPublicKeyInfo as PEM or as DER in base64', {
      field: ['publicKey'],
      cause,
    });
  }
  if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new FleetError('VALIDATION', 'the public key is not an EC key on P-256 (secp256r1)', {
      field: ['publicKey'],
    });
  }
  return sha256(key.export({ format: 'der', type: 'spki' }));
}

/** Returns the common name. Throws VALIDATION unless it has 1 to 200 characters. */
export function checkedSubject(subject: string): string {
  if (subject.length < 1 || subject.length > LONGEST_SUBJECT) {
    throw new FleetError('VALIDATION', `a common name must have 1 to ${LONGEST_SUBJECT} characters`, {
      field: ['subject'],
    });
  }
  return subject;
}

/** Parses a certificate (PEM, or DER in base64). Throws VALIDATION unless it is the certificate of an authority. */
export function anchorCertificate(text: string): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(text.includes('-----BEGIN') ? text : Buffer.from(text, 'base64'));
  } catch (cause) {
    throw new FleetError('VALIDATION', 'invalid certificate: give it as PEM or as DER in base64', {
      field: ['certificate'],
      cause,
    });
  }
  if (!certificate.ca) {
    throw new FleetError('VALIDATION', `${certificate.subject} is not a certificate authority (basicConstraints CA)`, {
      field: ['certificate'],
    });
  }
  return certificate;
}

/** Returns the SHA-256 of the bytes in hex. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Decodes UTF-8. Null if the bytes are not UTF-8: then no stored identity equals them. */
export function utf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}
