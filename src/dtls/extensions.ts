import { DtlsError } from './error.ts';
import { Reader, uint, uint16s } from './wire.ts';

export const EXTENSION = {
  maxFragmentLength: 1,
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

const NOTHING = Buffer.alloc(0);

/**
 * The extensions of a ClientHello; null when the extension is absent. Unknown extensions are ignored (RFC 5246
 * §7.4.1.4).
 */
export interface Extensions {
  readonly groups: readonly number[] | null;
  readonly pointFormats: Buffer | null;
  readonly signatureSchemes: readonly number[] | null;
  readonly clientCertificateTypes: readonly CertificateType[] | null;
  readonly serverCertificateTypes: readonly CertificateType[] | null;
  readonly encryptThenMac: boolean;
  readonly extendedMasterSecret: boolean;
  /** The Connection ID that the client wants in the server's records; may be empty. */
  readonly connectionId: Buffer | null;
  readonly renegotiationInfo: Buffer | null;
  /** The code of a length (RFC 6066 §4): 1 to 4, and any other one that the client sent. */
  readonly maxFragmentLength: number | null;
}

/** Throws `decode_error`, and `illegal_parameter` when an extension occurs twice. */
export function parseExtensions(list: Buffer): Extensions {
  const found: { -readonly [Name in keyof Extensions]: Extensions[Name] } = {
    groups: null,
    pointFormats: null,
    signatureSchemes: null,
    clientCertificateTypes: null,
    serverCertificateTypes: null,
    encryptThenMac: false,
    extendedMasterSecret: false,
    connectionId: null,
    renegotiationInfo: null,
    maxFragmentLength: null,
  };
  const types = new Set<number>();
  const reader = new Reader(list, 'list of extensions');
  while (reader.left > 0) {
    const type = reader.uint(2);
    if (types.has(type)) throw new DtlsError('illegal_parameter', `the ClientHello contains extension ${type} twice`);
    types.add(type);
    const body = new Reader(reader.vector(2), 'extension');
    switch (type) {
      case EXTENSION.maxFragmentLength:
        found.maxFragmentLength = body.uint(1);
        break;
      case EXTENSION.supportedGroups:
        found.groups = numbers(body);
        break;
      case EXTENSION.ecPointFormats:
        found.pointFormats = body.vector(1, { min: 1 });
        break;
      case EXTENSION.signatureAlgorithms:
        found.signatureSchemes = numbers(body);
        break;
      case EXTENSION.clientCertificateType:
        found.clientCertificateTypes = certificateTypes(body);
        break;
      case EXTENSION.serverCertificateType:
        found.serverCertificateTypes = certificateTypes(body);
        break;
      case EXTENSION.encryptThenMac:
        found.encryptThenMac = true;
        break;
      case EXTENSION.extendedMasterSecret:
        found.extendedMasterSecret = true;
        break;
      case EXTENSION.connectionId:
        found.connectionId = body.vector(1);
        break;
      case EXTENSION.renegotiationInfo:
        found.renegotiationInfo = body.vector(1);
        break;
      default:
        continue;
    }
    body.end();
  }
  return found;
}

export function encodeExtension(type: number, body: Buffer = NOTHING): Buffer {
  return Buffer.concat([uint(2, type), uint(2, body.length), body]);
}

function numbers(body: Reader): number[] {
  return uint16s(body.vector(2, { min: 2 }), 'extension');
}

function certificateTypes(body: Reader): CertificateType[] {
  const types: CertificateType[] = [];
  for (const value of body.vector(1, { min: 1 })) {
    const type = certificateTypeOf(value);
    if (type !== null) types.push(type);
  }
  return types;
}

function certificateTypeOf(value: number): CertificateType | null {
  if (value === CERTIFICATE_TYPE.X509) return 'X509';
  return value === CERTIFICATE_TYPE.RawPublicKey ? 'RawPublicKey' : null;
}
