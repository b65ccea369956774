import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

import {
  basicConstraints,
  type CertificateExtension,
  extendedKeyUsage,
  issueCertificate,
  keyUsage,
} from '../../src/dtls/certificate.ts';
import { bitString, sequence } from '../../src/dtls/der.ts';

/** Copies a certificate with a negative serial number, and signs it again. */
export function withNegativeSerial({ name, privateKey, certificate }: Authority, issuer: Authority): Authority {
  const all = valueOf(certificate);
  const end = all.length - valueOf(all, true).length;
  const body = Buffer.from(all.subarray(0, end));
  // The version takes five bytes, and the header of the serial number two.
  body.writeUInt8(0x81, body.length - valueOf(body).length + 5 + 2);
  const algorithm = all.subarray(end, end + 2 + all.readUInt8(end + 1));
  const signed = sequence(body, algorithm, bitString(sign('sha256', body, issuer.privateKey)));
  return { name, privateKey, certificate: signed };
}

/** The value of the first DER element; or what follows that element. */
function valueOf(der: Buffer, next = false): Buffer {
  const first = der.readUInt8(1);
  const more = first < 0x80 ? 0 : first & 0x7f;
  const length = more === 0 ? first : der.readUIntBE(2, more);
  return next ? der.subarray(2 + more + length) : der.subarray(2 + more, 2 + more + length);
}

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
