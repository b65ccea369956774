import { createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import { isIP } from 'node:net';

import {
  bitString,
  boolean,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  time,
  utf8String,
} from './der.ts';

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
const COMMON_NAME = '2.5.4.3';

export const CERTIFICATE_EXTENSION = {
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedKeyUsage: '2.5.29.37',
} as const;

export const KEY_PURPOSE = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  any: '2.5.29.37.0',
} as const;

/** Bit numbers of KeyUsage (RFC 5280 §4.2.1.3). */
export const KEY_USAGE = { digitalSignature: 0, keyCertSign: 5 } as const;

export interface CertificateExtension {
  readonly id: string;
  readonly critical: boolean;
  /** DER. */
  readonly value: Buffer;
}

export interface CertificateContents {
  readonly commonName: string;
  readonly issuerCommonName: string;
  /** Milliseconds since the Unix epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: KeyObject;
  readonly extensions: readonly CertificateExtension[];
}

/** Returns a DER certificate (RFC 5280), signed with ECDSA and SHA-256; `issuerKey` is an EC key. */
export function issueCertificate(contents: CertificateContents, issuerKey: KeyObject): Buffer {
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256));
  const body = sequence(
    explicit(0, integer(2)),
    integer(Buffer.concat([Buffer.from([0x01]), randomBytes(15)])),
    algorithm,
    name(contents.issuerCommonName),
    sequence(time(contents.notBefore), time(contents.notAfter)),
    name(contents.commonName),
    createSpki(contents.publicKey),
    explicit(3, sequence(...contents.extensions.map(encodeExtension))),
  );
  return sequence(body, algorithm, bitString(sign('sha256', body, issuerKey)));
}

export function basicConstraints(ca: boolean, pathLength?: number): CertificateExtension {
  const parts = [...(ca ? [boolean(true)] : []), ...(pathLength === undefined ? [] : [integer(pathLength)])];
  return { id: CERTIFICATE_EXTENSION.basicConstraints, critical: true, value: sequence(...parts) };
}

export function keyUsage(...usages: readonly (keyof typeof KEY_USAGE)[]): CertificateExtension {
  const bits = usages.reduce((byte, usage) => byte | (0x80 >> KEY_USAGE[usage]), 0);
  return { id: CERTIFICATE_EXTENSION.keyUsage, critical: true, value: bitString(Buffer.from([bits])) };
}

export function extendedKeyUsage(...purposes: readonly (keyof typeof KEY_PURPOSE)[]): CertificateExtension {
  const value = sequence(...purposes.map((purpose) => objectIdentifier(KEY_PURPOSE[purpose])));
  return { id: CERTIFICATE_EXTENSION.extendedKeyUsage, critical: false, value };
}

/** `names`: DNS names and IP addresses. */
export function subjectAltName(names: readonly string[]): CertificateExtension {
  const value = sequence(
    ...names.map((text) => (isIP(text) === 0 ? implicit(2, Buffer.from(text)) : implicit(7, addressBytes(text)))),
  );
  return { id: CERTIFICATE_EXTENSION.subjectAltName, critical: false, value };
}

export function createSpki(publicKey: KeyObject): Buffer {
  const key = publicKey.type === 'private' ? createPublicKey(publicKey) : publicKey;
  return key.export({ format: 'der', type: 'spki' });
}

function encodeExtension({ id, critical, value }: CertificateExtension): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [boolean(true)] : []), octetString(value));
}

function name(commonName: string): Buffer {
  return sequence(set(sequence(objectIdentifier(COMMON_NAME), utf8String(commonName))));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // The URL parser converts every IPv6 address to hexadecimal groups.
  const [front = [], back = []] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::').map(groups);
  const zeros = Array.from({ length: 8 - front.length - back.length }, () => '0');
  return Buffer.from([...front, ...zeros, ...back].map((group) => group.padStart(4, '0')).join(''), 'hex');
}

function groups(text: string): string[] {
  return text.split(':').filter((group) => group !== '');
}
