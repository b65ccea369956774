import { DtlsError } from './error.ts';
import { CERTIFICATE_TYPE, type CertificateType, encodeExtension, EXTENSION } from './extensions.ts';
import { type ClientHello, ECDSA_SECP256R1_SHA256, SECP256R1 } from './messages.ts';
import { VERSION_DTLS12 } from './record.ts';
import type { DtlsSettings } from './settings.ts';
import { type CipherSuite, suiteNamed } from './suites.ts';
import { vector } from './wire.ts';

/** TLS_EMPTY_RENEGOTIATION_INFO_SCSV, RFC 5746 §3.3. */
const RENEGOTIATION_SCSV = 0x00ff;
const UNCOMPRESSED_POINT = 0;
/** RFC 6066 §4: code 1 is 2^9 bytes, 4 is 2^12. */
const [FIRST_LENGTH, LAST_LENGTH] = [1, 4];

/** The result of the negotiation. */
export interface Negotiated {
  readonly suite: CipherSuite;
  readonly extendedMasterSecret: boolean;
  readonly encryptThenMac: boolean;
  /** The Connection ID for the server's records; null when the client does not support RFC 9146. */
  readonly clientCid: Buffer | null;
  readonly clientCertificateType: CertificateType;
  readonly serverCertificateType: CertificateType;
  /** The longest plaintext of a record in bytes (RFC 6066 §4); null when the client did not limit it. */
  readonly maxFragment: number | null;
}

/** Pure. Throws DtlsError with the alert that ends the handshake and the reason. */
export function negotiate(hello: ClientHello, settings: DtlsSettings): Negotiated {
  // DTLS version numbers count down. A client offers its highest version, and the server answers with DTLS 1.2.
  if (hello.version > VERSION_DTLS12) {
    throw new DtlsError('protocol_version', 'the device does not offer DTLS 1.2');
  }
  if (!hello.compression.includes(0)) {
    throw new DtlsError('illegal_parameter', 'the device does not offer null compression');
  }
  const { extensions } = hello;
  // RFC 5746 §3.6: in a first handshake renegotiated_connection is empty.
  if (extensions.renegotiationInfo !== null && extensions.renegotiationInfo.length > 0) {
    throw new DtlsError('handshake_failure', 'renegotiation is not supported');
  }
  const maxFragment = maxFragmentOf(extensions.maxFragmentLength);
  const refusals: string[] = [];
  for (const name of settings.suites) {
    const suite = suiteNamed(name);
    if (suite === undefined || !hello.suites.includes(suite.id)) continue;
    const refusal = refusalOf(suite, hello, settings);
    if (refusal === null) {
      return {
        suite,
        extendedMasterSecret: extensions.extendedMasterSecret,
        encryptThenMac: suite.cipher === 'AES_128_CBC' && extensions.encryptThenMac,
        clientCid: extensions.connectionId,
        clientCertificateType: certificateType(extensions.clientCertificateTypes, settings) ?? 'X509',
        serverCertificateType: certificateType(extensions.serverCertificateTypes, settings) ?? 'X509',
        maxFragment,
      };
    }
    refusals.push(`${suite.name}: ${refusal}`);
  }
  throw new DtlsError(
    'handshake_failure',
    refusals.length > 0 ? refusals.join('; ') : 'the device offers no enabled cipher suite',
  );
}

/** RFC 6066 §4. Throws `illegal_parameter` for a code without a length. */
function maxFragmentOf(code: number | null): number | null {
  if (code === null) return null;
  if (code < FIRST_LENGTH || code > LAST_LENGTH) {
    throw new DtlsError('illegal_parameter', `the device requests maximum fragment length code ${code}; 1 to 4 exist`);
  }
  return 2 ** (8 + code);
}

/** Returns why the server can't use an enabled suite that the client offers; null when it can. */
function refusalOf(suite: CipherSuite, hello: ClientHello, settings: DtlsSettings): string | null {
  const { extensions } = hello;
  if (suite.cipher === 'AES_128_CBC' && !extensions.encryptThenMac && !settings.macThenEncrypt) {
    return 'the device does not offer encrypt-then-MAC';
  }
  if (suite.keyExchange === 'PSK') return null;
  if (settings.identity === null) return 'the server has no certificate';
  if (extensions.groups !== null && !extensions.groups.includes(SECP256R1))
    return 'the device does not offer secp256r1';
  if (extensions.pointFormats !== null && !extensions.pointFormats.includes(UNCOMPRESSED_POINT)) {
    return 'the device does not accept uncompressed points';
  }
  // RFC 5246 §7.4.1.4.1: a client without this extension accepts SHA-1 only, which the server does not support.
  if (!extensions.signatureSchemes?.includes(ECDSA_SECP256R1_SHA256)) {
    return 'the device does not accept ECDSA signatures with SHA-256';
  }
  if (certificateType(extensions.clientCertificateTypes, settings) === null) {
    return 'the device offers no enabled type of client certificate';
  }
  if (certificateType(extensions.serverCertificateTypes, settings) === null) {
    return 'the device accepts no enabled type of server certificate';
  }
  return null;
}

/** RFC 7250 §4.1: the default without the extension is X.509. Returns null when no enabled type is offered. */
function certificateType(offered: readonly CertificateType[] | null, settings: DtlsSettings): CertificateType | null {
  const types = offered ?? ['X509' as const];
  return settings.certificateTypes.find((type) => types.includes(type)) ?? null;
}

/** Returns the ServerHello's extensions: an answer to each extension of the client that the server uses. */
export function serverExtensions(hello: ClientHello, negotiated: Negotiated, serverCid: Buffer): Buffer {
  const { extensions } = hello;
  const answers: Buffer[] = [];
  if (extensions.renegotiationInfo !== null || hello.suites.includes(RENEGOTIATION_SCSV)) {
    answers.push(encodeExtension(EXTENSION.renegotiationInfo, Buffer.from([0])));
  }
  if (extensions.maxFragmentLength !== null) {
    answers.push(encodeExtension(EXTENSION.maxFragmentLength, Buffer.from([extensions.maxFragmentLength])));
  }
  if (negotiated.extendedMasterSecret) answers.push(encodeExtension(EXTENSION.extendedMasterSecret));
  if (negotiated.encryptThenMac) answers.push(encodeExtension(EXTENSION.encryptThenMac));
  if (negotiated.clientCid !== null) answers.push(encodeExtension(EXTENSION.connectionId, vector(1, serverCid)));
  if (negotiated.suite.keyExchange === 'ECDHE_ECDSA') {
    if (extensions.clientCertificateTypes !== null) {
      answers.push(certificateTypeAnswer(EXTENSION.clientCertificateType, negotiated.clientCertificateType));
    }
    if (extensions.serverCertificateTypes !== null) {
      answers.push(certificateTypeAnswer(EXTENSION.serverCertificateType, negotiated.serverCertificateType));
    }
    if (extensions.pointFormats !== null) {
      answers.push(encodeExtension(EXTENSION.ecPointFormats, vector(1, Buffer.from([UNCOMPRESSED_POINT]))));
    }
  }
  return Buffer.concat(answers);
}

function certificateTypeAnswer(extension: number, type: CertificateType): Buffer {
  return encodeExtension(extension, Buffer.from([CERTIFICATE_TYPE[type]]));
}
