import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';

import {
  basicConstraints,
  createSpki,
  extendedKeyUsage,
  issueCertificate,
  keyUsage,
  subjectAltName,
} from './certificate.ts';
import { DtlsError } from './error.ts';

/** The certificate and key that authenticate the server. */
export interface ServerIdentity {
  /** DER, the server's own certificate first. */
  readonly chain: readonly Buffer[];
  /** EC on P-256. */
  readonly privateKey: KeyObject;
  /** The raw public key that devices pin, as a DER SubjectPublicKeyInfo. */
  readonly spki: Buffer;
}

/** The server's identity as PEM text. */
export interface PemIdentity {
  /** The server's own certificate, then its issuers without the root. */
  readonly certificates: string;
  readonly privateKey: string;
}

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const DAY_MS = 86_400_000;

/** Throws DtlsError `settings` when certificate and key do not match or are not on P-256. */
export function loadServerIdentity({ certificates, privateKey: keyPem }: PemIdentity): ServerIdentity {
  const chain = readable('certificate', () =>
    (certificates.match(PEM_CERTIFICATE) ?? []).map((pem) => new X509Certificate(pem)),
  );
  const privateKey = readable('private key', () => createPrivateKey(keyPem));
  const [own] = chain;
  if (own === undefined)
    throw new DtlsError('settings', 'the certificate file of the server contains no PEM certificate');
  if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new DtlsError('settings', "the server's private key must be an EC key on P-256");
  }
  if (!own.checkPrivateKey(privateKey)) {
    throw new DtlsError('settings', "the server's private key does not belong to its first certificate");
  }
  return { chain: chain.map((certificate) => certificate.raw), privateKey, spki: createSpki(privateKey) };
}

/** Makes a new key with a self-signed certificate, for a server without a configured one. */
export function createServerIdentity(options: {
  readonly commonName: string;
  /** DNS names and IP addresses of the server. */
  readonly names: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly days: number;
}): PemIdentity {
  const { commonName, names, now, days } = options;
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const certificate = issueCertificate(
    {
      commonName,
      issuerCommonName: commonName,
      // The clock of a device may be slow.
      notBefore: now - DAY_MS,
      notAfter: now + days * DAY_MS,
      publicKey,
      extensions: [
        basicConstraints(false),
        keyUsage('digitalSignature'),
        extendedKeyUsage('serverAuth'),
        ...(names.length > 0 ? [subjectAltName(names)] : []),
      ],
    },
    privateKey,
  );
  return {
    certificates: new X509Certificate(certificate).toString(),
    privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
  };
}

function readable<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new DtlsError('settings', `the server's ${what} can't be read`, { cause });
  }
}
