import { createPublicKey, hash, type KeyObject, verify, X509Certificate } from 'node:crypto';

import { DtlsError } from './error.ts';
import type { CertificateType } from './extensions.ts';
import { parseCertificateChain, parseCertificateVerify, parseRawPublicKey, SIGNATURE_HASHES } from './messages.ts';

/** A device's public key from its Certificate message. The device has not yet proved that it has the private key. */
export type ClientKey =
  | { readonly kind: 'rpk'; readonly name: string; readonly publicKey: KeyObject; readonly spki: Buffer }
  | { readonly kind: 'x509'; readonly name: string; readonly publicKey: KeyObject; readonly chain: readonly Buffer[] };

/** OpenSSL's names of the curves that the server accepts. */
const CURVES = new Set(['prime256v1', 'secp384r1', 'secp521r1']);

/** The start of a P-256 SubjectPublicKeyInfo, up to the coordinates of the uncompressed point (RFC 5480 §2). */
const P256_SPKI = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');

/** Limits the subject of an unverified certificate in the log. */
const MAX_NAME = 256;

/** Throws DtlsError with the alert when the Certificate is empty or can't be parsed, or its key is not supported. */
export function parseClientKey(type: CertificateType, body: Buffer): ClientKey {
  if (type === 'RawPublicKey') {
    const spki = parseRawPublicKey(body);
    if (spki.length === 0) throw new DtlsError('handshake_failure', 'the device sent no raw public key');
    return { kind: 'rpk', name: hash('sha256', spki), publicKey: readable(() => readSpki(spki)), spki };
  }
  const chain = parseCertificateChain(body);
  const [own] = chain;
  // RFC 5246 §7.4.6: a client without a certificate sends an empty list.
  if (own === undefined) throw new DtlsError('handshake_failure', 'the device sent no certificate');
  const certificate = readable(() => new X509Certificate(own));
  const name = certificate.subject.replaceAll('\n', ', ').slice(0, MAX_NAME);
  return { kind: 'x509', name, publicKey: usableKey(readable(() => certificate.publicKey)), chain };
}

/** Throws unless CertificateVerify (RFC 5246 §7.4.8) contains a valid signature of `signed` by the client's key. */
export function verifyPossession(key: ClientKey, certificateVerify: Buffer, signed: Buffer): void {
  const { scheme, signature } = parseCertificateVerify(certificateVerify);
  const hash = SIGNATURE_HASHES.get(scheme);
  if (hash === undefined) {
    throw new DtlsError(
      'illegal_parameter',
      `the device used signature scheme ${scheme}, which the server did not offer`,
    );
  }
  if (!verify(hash, signed, key.publicKey, signature)) {
    throw new DtlsError('decrypt_error', `the device does not hold the private key of '${key.name}'`);
  }
}

/** Parses any DER SubjectPublicKeyInfo. The JWK import for P-256 avoids OpenSSL's slow search for a decoder. */
function readSpki(spki: Buffer): KeyObject {
  const point = spki.subarray(P256_SPKI.length);
  if (point.length !== 64 || !spki.subarray(0, P256_SPKI.length).equals(P256_SPKI)) {
    return usableKey(createPublicKey({ key: spki, format: 'der', type: 'spki' }));
  }
  const [x, y] = [point.subarray(0, 32), point.subarray(32)].map((part) => part.toString('base64url'));
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' });
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof DtlsError) throw cause;
    throw new DtlsError('bad_certificate', "the device's certificate or public key can't be read", { cause });
  }
}

/** Returns the key, or throws DtlsError `unsupported_certificate` when it is RSA, Ed25519 or on another curve. */
export function usableKey(publicKey: KeyObject): KeyObject {
  if (publicKey.asymmetricKeyType === 'ec' && CURVES.has(publicKey.asymmetricKeyDetails?.namedCurve ?? '')) {
    return publicKey;
  }
  throw new DtlsError('unsupported_certificate', "the device's key is not on P-256, P-384 or P-521");
}
