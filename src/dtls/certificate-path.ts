import { type KeyObject, X509Certificate } from 'node:crypto';

import { BasicConstraints, Certificate, ExtKeyUsage } from 'pkijs';

import { CERTIFICATE_EXTENSION, KEY_PURPOSE, KEY_USAGE } from './certificate.ts';
import { usableKey } from './client-key.ts';
import { DtlsError } from './error.ts';

/** The fields of a certificate that path validation uses. */
interface Parsed {
  readonly x509: X509Certificate;
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly signatureAlgorithm: string;
  readonly hasNegativeSerial: boolean;
  readonly isCa: boolean;
  readonly pathLength: number | null;
  /**
   * Tests a bit of KeyUsage (RFC 5280 §4.2.1.3); null when the certificate has no KeyUsage, which allows every usage.
   */
  readonly allowsUsage: ((usage: keyof typeof KEY_USAGE) => boolean) | null;
  readonly purposes: readonly string[] | null;
  readonly unknownCritical: readonly string[];
}

/** A certificate that a tenant trusts to identify its devices. */
export interface TrustAnchor {
  /** The caller's id of the anchor. */
  readonly id: string;
  readonly certificate: Parsed;
}

/** A chain that leads to one or several trust anchors. */
export interface CertificatePath {
  /** "CN=device, O=maker", in the order of the certificate. */
  readonly subject: string;
  readonly commonName: string | null;
  /** "DNS:device.example, URI:urn:dev:os:1", in the format of node:crypto. */
  readonly subjectAltName: string | null;
  /** The ids of all anchors that the chain leads to. */
  readonly anchors: readonly string[];
  /** The SHA-256 of each certificate in lower-case hex: the device's own first, the anchor excluded. */
  readonly fingerprints: readonly string[];
}

const MAX_CHAIN = 8;

/** ECDSA and RSA (PKCS #1) with SHA-256, SHA-384 and SHA-512. */
const SIGNATURE_ALGORITHMS = new Set([
  '1.2.840.10045.4.3.2',
  '1.2.840.10045.4.3.3',
  '1.2.840.10045.4.3.4',
  '1.2.840.113549.1.1.11',
  '1.2.840.113549.1.1.12',
  '1.2.840.113549.1.1.13',
]);

const KNOWN_EXTENSIONS = new Set<string>(Object.values(CERTIFICATE_EXTENSION));

/** Accepts PEM or DER. Throws DtlsError `settings` when the certificate can't be parsed. */
export function trustAnchor(id: string, certificate: string | Uint8Array): TrustAnchor {
  try {
    const parsed = parse(typeof certificate === 'string' ? new X509Certificate(certificate).raw : certificate);
    return { id, certificate: parsed };
  } catch (cause) {
    throw new DtlsError('settings', `trust anchor ${id} can't be read as an X.509 certificate`, { cause });
  }
}

/**
 * Validates a certification path (RFC 5280 §6.1) from the device's own certificate to an anchor: signatures, validity,
 * path length, key usage, extended key usage and critical extensions. Policies and name constraints are not
 * implemented; a certificate that marks them critical is refused. Every anchor is checked independently of the others,
 * because the anchors of one tenant must not affect another tenant.
 *
 * `chain` is DER, the device's own certificate first, each certified by the next (RFC 5246 §7.4.2); `now` is in
 * milliseconds since the Unix epoch. Throws DtlsError with the matching alert.
 */
export function verifyCertificatePath(
  chain: readonly Uint8Array[],
  anchors: readonly TrustAnchor[],
  now: number,
): CertificatePath {
  if (chain.length > MAX_CHAIN) {
    const reason = `the device sent a chain of ${chain.length} certificates; the limit is ${MAX_CHAIN}`;
    throw new DtlsError('bad_certificate', reason);
  }
  const certificates = chain.map((der) => {
    try {
      return parse(der);
    } catch (cause) {
      throw new DtlsError('bad_certificate', "a certificate in the device's chain can't be read", { cause });
    }
  });
  const path: Parsed[] = [];
  const trusted = new Map<TrustAnchor, number>();
  const refusals: unknown[] = [];
  for (const certificate of certificates) {
    try {
      const below = path.at(-1);
      if (below !== undefined) checkIssuer(certificate, below, path.length - 1);
      checkCertificate(certificate, now);
    } catch (refusal) {
      // Anchors found lower in the chain stay valid.
      refusals.push(refusal);
      break;
    }
    path.push(certificate);
    for (const anchor of anchors) {
      if (trusted.has(anchor) || !isAnchoredBy(certificate, anchor)) continue;
      try {
        checkAnchor(anchor, path, now);
        trusted.set(anchor, path.length);
      } catch (refusal) {
        refusals.push(refusal);
      }
    }
  }
  if (trusted.size > 0) return describePath(path.slice(0, Math.max(...trusted.values())), [...trusted.keys()]);
  const last = certificates.at(-1);
  throw refusals[0] ?? new DtlsError('unknown_ca', `no trust anchor issued '${last?.subject ?? ''}'`);
}

function describePath(path: readonly Parsed[], anchors: readonly TrustAnchor[]): CertificatePath {
  const [own] = path;
  if (own === undefined) throw new DtlsError('bad_certificate', 'the device sent no certificate');
  checkOwn(own);
  return {
    subject: own.subject,
    commonName: commonNameOf(own.x509),
    subjectAltName: own.x509.subjectAltName ?? null,
    anchors: anchors.map((anchor) => anchor.id),
    fingerprints: path.map((certificate) => fingerprint(certificate.x509)),
  };
}

function isSame(a: Parsed, b: Parsed): boolean {
  return a.x509.raw.equals(b.x509.raw);
}

/** An anchor may also be the certificate itself: a pinned device certificate. */
function isAnchoredBy(certificate: Parsed, { certificate: anchor }: TrustAnchor): boolean {
  return isSame(anchor, certificate) || isIssuedBy(certificate, anchor);
}

function isIssuedBy(certificate: Parsed, issuer: Parsed): boolean {
  return certificate.x509.checkIssued(issuer.x509) && certificate.x509.verify(issuer.publicKey);
}

/** Throws unless the anchor is the path's last certificate or is allowed to issue it. */
function checkAnchor({ certificate }: TrustAnchor, path: readonly Parsed[], now: number): void {
  const last = path.at(-1);
  if (last === undefined || isSame(certificate, last)) return;
  checkIssuer(certificate, last, path.length - 1);
  checkCertificate(certificate, now);
}

/** `intermediates`: the number of certificates between `issuer` and the device's own certificate. */
function checkIssuer(issuer: Parsed, certificate: Parsed, intermediates: number): void {
  const mayIssue = issuer.isCa && (issuer.allowsUsage === null || issuer.allowsUsage('keyCertSign'));
  if (!mayIssue) throw new DtlsError('bad_certificate', `'${issuer.subject}' is not allowed to issue certificates`);
  if (!isIssuedBy(certificate, issuer)) {
    throw new DtlsError('unknown_ca', `'${issuer.subject}' did not issue '${certificate.subject}'`);
  }
  if (issuer.pathLength !== null && intermediates > issuer.pathLength) {
    throw new DtlsError('bad_certificate', `the certification path below '${issuer.subject}' is too long`);
  }
}

function checkCertificate(certificate: Parsed, now: number): void {
  const { subject, notBefore, notAfter, signatureAlgorithm, unknownCritical } = certificate;
  // RFC 5280 §4.1.2.2
  if (certificate.hasNegativeSerial) {
    const serial = certificate.x509.serialNumber;
    throw new DtlsError('bad_certificate', `certificate '${subject}' has the negative serial number ${serial}`);
  }
  if (now > notAfter.getTime()) {
    throw new DtlsError('certificate_expired', `certificate '${subject}' expired ${day(notAfter)}`);
  }
  if (now < notBefore.getTime()) {
    throw new DtlsError('certificate_expired', `certificate '${subject}' is not valid before ${day(notBefore)}`);
  }
  if (!SIGNATURE_ALGORITHMS.has(signatureAlgorithm)) {
    throw new DtlsError(
      'bad_certificate',
      `certificate '${subject}' has the unsupported signature algorithm ${signatureAlgorithm}`,
    );
  }
  if (unknownCritical.length > 0) {
    const ids = unknownCritical.join(', ');
    throw new DtlsError(
      'unsupported_certificate',
      `certificate '${subject}' has unsupported critical extensions: ${ids}`,
    );
  }
}

/**
 * The device's own certificate must not be that of a CA, must have a key that DTLS supports (TLS would accept others)
 * and must allow signatures (RFC 5246 §7.4.6) and client authentication (RFC 5280 §4.2.1.12).
 */
function checkOwn({ subject, publicKey, isCa, allowsUsage, purposes }: Parsed): void {
  if (isCa) throw new DtlsError('unsupported_certificate', `certificate '${subject}' is that of a CA, not of a device`);
  usableKey(publicKey);
  if (allowsUsage !== null && !allowsUsage('digitalSignature')) {
    throw new DtlsError(
      'unsupported_certificate',
      `the key usage of certificate '${subject}' does not allow signatures`,
    );
  }
  if (purposes !== null && !purposes.includes(KEY_PURPOSE.clientAuth) && !purposes.includes(KEY_PURPOSE.any)) {
    throw new DtlsError(
      'unsupported_certificate',
      `the extended key usage of certificate '${subject}' does not allow client authentication`,
    );
  }
}

/**
 * node:crypto parses and verifies. pkijs adds what node:crypto does not expose: Date values, path length, usages,
 * critical extensions.
 */
function parse(der: Uint8Array): Parsed {
  const x509 = new X509Certificate(der);
  const details = Certificate.fromBER(x509.raw);
  const extensions = details.extensions ?? [];
  const find = (id: string) => extensions.find((extension) => extension.extnID === id);
  const constraints = find(CERTIFICATE_EXTENSION.basicConstraints)?.parsedValue;
  const purposes = find(CERTIFICATE_EXTENSION.extendedKeyUsage)?.parsedValue;
  const usages = find(CERTIFICATE_EXTENSION.keyUsage)?.extnValue.valueBlock.valueHexView;
  // pkijs returns another class for an extension that it can't parse; such an extension must not count as absent.
  if (constraints && !(constraints instanceof BasicConstraints)) throw new Error('basicConstraints');
  if (purposes && !(purposes instanceof ExtKeyUsage)) throw new Error('extendedKeyUsage');
  // A BIT STRING: tag, length, the number of unused bits, then the bits.
  if (usages && (usages[0] !== 0x03 || usages.length < 4)) throw new Error('keyUsage');
  const usageBits = usages?.[3];
  const pathLength = constraints?.pathLenConstraint;
  return {
    x509,
    subject: x509.subject.replaceAll('\n', ', '),
    publicKey: x509.publicKey,
    notBefore: details.notBefore.value,
    notAfter: details.notAfter.value,
    signatureAlgorithm: details.signatureAlgorithm.algorithmId,
    hasNegativeSerial: x509.serialNumber.startsWith('-'),
    isCa: x509.ca,
    // pkijs returns something other than a number when the value is too long for four bytes.
    pathLength: typeof pathLength === 'number' ? pathLength : null,
    allowsUsage: usageBits === undefined ? null : (usage) => (usageBits & (0x80 >> KEY_USAGE[usage])) !== 0,
    purposes: purposes?.keyPurposes ?? null,
    unknownCritical: extensions
      .filter((extension) => extension.critical && !KNOWN_EXTENSIONS.has(extension.extnID))
      .map((extension) => extension.extnID),
  };
}

/** Null when the subject has no common name, or several. */
function commonNameOf(certificate: X509Certificate): string | null {
  // The type says string, but node:crypto returns a list when the subject has several.
  const name: unknown = certificate.toLegacyObject().subject.CN;
  return typeof name === 'string' ? name : null;
}

function fingerprint(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}

function day(date: Date): string {
  return date.toISOString().slice(0, 10);
}
