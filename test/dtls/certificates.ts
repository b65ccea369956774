import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';

import {
  basicConstraints,
  type CertificateExtension,
  extendedKeyUsage,
  issueCertificate,
  keyUsage,
} from '../../src/dtls/certificate.ts';

const DAY = 86_400_000;
/** The start time of test/manual-clock.ts. */
export const START = Date.UTC(2026, 0, 1);

/** A name with a key. It can issue certificates even when it is not allowed to. */
export interface Authority {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly certificate: Buffer;
}

export interface Wishes {
  readonly extensions?: readonly CertificateExtension[];
  readonly notBefore?: number;
  readonly notAfter?: number;
  readonly curve?: string;
  /** The key to use; a new one by default. */
  readonly key?: KeyObject;
}

export const CA_EXTENSIONS = [basicConstraints(true), keyUsage('keyCertSign')];
export const DEVICE_EXTENSIONS = [
  basicConstraints(false),
  keyUsage('digitalSignature'),
  extendedKeyUsage('clientAuth'),
];

/** Makes a certificate, signed by `issuer` or self-signed. */
export function certify(name: string, issuer: Authority | null, wishes: Wishes = {}): Authority {
  const privateKey = wishes.key ?? generateKeyPairSync('ec', { namedCurve: wishes.curve ?? 'P-256' }).privateKey;
  const certificate = issueCertificate(
    {
      commonName: name,
      issuerCommonName: issuer?.name ?? name,
      notBefore: wishes.notBefore ?? START - DAY,
      notAfter: wishes.notAfter ?? START + 30 * DAY,
      publicKey: createPublicKey(privateKey),
      extensions: wishes.extensions ?? (issuer === null ? CA_EXTENSIONS : DEVICE_EXTENSIONS),
    },
    issuer?.privateKey ?? privateKey,
  );
  return { name, privateKey, certificate };
}
