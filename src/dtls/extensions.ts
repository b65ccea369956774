import { DtlsError } from './error.ts';
import { Reader, uint, uint16s, vector } from './wire.ts';

export const EXTENSION = {
  supportedGroups: 10,
  ecPointFormats: 11,
  signatureAlgorithms: 13,
  clientCertificateType: 19,
  serverCertificateType: 20,
  encryptThenMac: 22,
  extendedMasterSecret: 23,
  connectionId: 54,
  renegotiationInfo: 0xff01,
} as const;

/** RFC 7250 §3. */
export const CERTIFICATE_TYPE = { X509: 0, RawPublicKey: 2 } as const;
export type CertificateType = keyof typeof CERTIFICATE_TYPE;

/** What a ClientHello offers; null where it doesn't speak of it. Unknown extensions are passed over (RFC 5246 §7.4.1.4). */
export interface Extensions {
  readonly groups: readonly number[] | null;
  readonly pointFormats: Buffer | null;
  readonly signatureSchemes: readonly number[] | null;
  readonly clientCertificateTypes: readonly CertificateType[] | null;
  readonly serverCertificateTypes: readonly CertificateType[] | null;
  readonly encryptThenMac: boolean;
  readonly extendedMasterSecret: boolean;
  /** The Connection ID that the client wants in our records; may be empty. */
  readonly connectionId: Buffer | null;
  readonly renegotiationInfo: Buffer | null;
}

/** Throws `decode_error`, and `illegal_parameter` for an extension that comes twice. */
export function parseExtensions(list: Buffer): Extensions {
  const bodies = new Map<number, Buffer>();
  const reader = new Reader(list, 'list of extensions');
  while (reader.left > 0) {
    const type = reader.uint(2);
    if (bodies.has(type)) throw new DtlsError('illegal_parameter', `extension ${type} comes twice`);
    bodies.set(type, reader.vector(2));
  }
  const read = <T>(type: number, parse: (body: Reader) => T): T | null => {
    const body = bodies.get(type);
    if (body === undefined) return null;
    const inside = new Reader(body, `extension ${type}`);
    const value = parse(inside);
    inside.end();
    return value;
  };
  return {
    groups: read(EXTENSION.supportedGroups, numbers),
    pointFormats: read(EXTENSION.ecPointFormats, (body) => body.vector(1, { min: 1 })),
    signatureSchemes: read(EXTENSION.signatureAlgorithms, numbers),
    clientCertificateTypes: read(EXTENSION.clientCertificateType, certificateTypes),
    serverCertificateTypes: read(EXTENSION.serverCertificateType, certificateTypes),
    encryptThenMac: read(EXTENSION.encryptThenMac, () => true) ?? false,
    extendedMasterSecret: read(EXTENSION.extendedMasterSecret, () => true) ?? false,
    connectionId: read(EXTENSION.connectionId, (body) => body.vector(1)),
    renegotiationInfo: read(EXTENSION.renegotiationInfo, (body) => body.vector(1)),
  };
}

export function encodeExtension(type: number, body: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([uint(2, type), vector(2, body)]);
}

function numbers(body: Reader): number[] {
  return uint16s(body.vector(2, { min: 2 }), 'extension');
}

function certificateTypes(body: Reader): CertificateType[] {
  return [...body.vector(1, { min: 1 })].map(certificateTypeOf).filter((type) => type !== null);
}

function certificateTypeOf(value: number): CertificateType | null {
  if (value === CERTIFICATE_TYPE.X509) return 'X509';
  return value === CERTIFICATE_TYPE.RawPublicKey ? 'RawPublicKey' : null;
}
