import { type Extensions, parseExtensions } from './extensions.ts';
import { Reader, uint, uint16s, vector } from './wire.ts';

/** Handshake types (RFC 5246 §7.4, RFC 6347 §4.3.2). */
export const HANDSHAKE = {
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const;

export const SECP256R1 = 23;
export const ECDSA_SECP256R1_SHA256 = 0x0403;

/** The signature schemes that the server accepts in CertificateVerify, with their hashes. */
export const SIGNATURE_HASHES = new Map([
  [ECDSA_SECP256R1_SHA256, 'sha256'],
  [0x0503, 'sha384'],
  [0x0603, 'sha512'],
]);

const HEADER_LENGTH = 12;
const NOTHING = Buffer.alloc(0);

/** A fragment of a handshake message (RFC 6347 §4.2.2). */
export interface HandshakeFragment {
  readonly type: number;
  /** The length of the whole message's body. */
  readonly length: number;
  readonly sequence: number;
  readonly offset: number;
  /** A view into the record. */
  readonly body: Buffer;
}

/** Parses all fragments of a record. Throws `decode_error`. */
export function parseFragments(record: Buffer): HandshakeFragment[] {
  const reader = new Reader(record, 'handshake record');
  const fragments: HandshakeFragment[] = [];
  while (reader.left > 0) {
    const type = reader.uint(1);
    const length = reader.uint(3);
    const sequence = reader.uint(2);
    const offset = reader.uint(3);
    fragments.push({ type, length, sequence, offset, body: reader.vector(3, { max: Math.max(0, length - offset) }) });
  }
  return fragments;
}

export function isWhole(fragment: HandshakeFragment): boolean {
  return fragment.offset === 0 && fragment.body.length === fragment.length;
}

export function encodeFragment({ type, length, sequence, offset, body }: HandshakeFragment): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_LENGTH + body.length);
  bytes.writeUInt8(type, 0);
  bytes.writeUIntBE(length, 1, 3);
  bytes.writeUInt16BE(sequence, 4);
  bytes.writeUIntBE(offset, 6, 3);
  bytes.writeUIntBE(body.length, 9, 3);
  body.copy(bytes, HEADER_LENGTH);
  return bytes;
}

/** Encodes a message as one fragment; the transcript uses the same form (RFC 6347 §4.2.6). */
export function encodeMessage(type: number, sequence: number, body: Buffer): Buffer {
  return encodeFragment({ type, length: body.length, sequence, offset: 0, body });
}

export function messageBody(message: Buffer): Buffer {
  return message.subarray(HEADER_LENGTH);
}

/** Returns the bytes of the message's body from `start` to `end` as a fragment with its own header. */
export function fragmentOf(message: Buffer, start: number, end: number): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_LENGTH + end - start);
  message.copy(bytes, 0, 0, HEADER_LENGTH);
  bytes.writeUIntBE(start, 6, 3);
  bytes.writeUIntBE(end - start, 9, 3);
  message.copy(bytes, HEADER_LENGTH, HEADER_LENGTH + start, HEADER_LENGTH + end);
  return bytes;
}

/** The fields of a ClientHello before its extensions. */
export interface HelloStart {
  readonly version: number;
  readonly random: Buffer;
  readonly sessionId: Buffer;
  readonly cookie: Buffer;
  readonly suites: readonly number[];
  readonly compression: Buffer;
  /** The received bytes of version, random and session id. */
  readonly beforeCookie: Buffer;
  /** The received bytes of cipher suites and compression methods. */
  readonly behindCookie: Buffer;
}

export interface ClientHello extends HelloStart {
  readonly extensions: Extensions;
}

/** The buffers of the result are views into `body`. Throws `decode_error` and `illegal_parameter`. */
export function parseClientHello(body: Buffer): ClientHello {
  const reader = new Reader(body, 'ClientHello');
  const start = readHelloStart(reader, body);
  const extensions = parseExtensions(reader.left > 0 ? reader.vector(2) : NOTHING);
  reader.end();
  return { ...start, extensions };
}

/** Parses the first fragment of a ClientHello. Throws `decode_error`, also when it ends before the extensions. */
export function parseHelloStart(body: Buffer): HelloStart {
  return readHelloStart(new Reader(body, 'ClientHello'), body);
}

function readHelloStart(reader: Reader, body: Buffer): HelloStart {
  const version = reader.uint(2);
  const random = reader.bytes(32);
  const sessionId = reader.vector(1, { max: 32 });
  const beforeCookie = body.subarray(0, reader.offset);
  const cookie = reader.vector(1);
  const cookieEnd = reader.offset;
  const suites = uint16s(reader.vector(2, { min: 2 }), 'list of cipher suites');
  const compression = reader.vector(1, { min: 1 });
  const behindCookie = body.subarray(cookieEnd, reader.offset);
  return { version, random, sessionId, cookie, suites, compression, beforeCookie, behindCookie };
}

export function encodeHelloVerifyRequest(version: number, cookie: Buffer): Buffer {
  return Buffer.concat([uint(2, version), vector(1, cookie)]);
}

export function encodeServerHello(hello: {
  readonly version: number;
  readonly random: Buffer;
  readonly sessionId: Buffer;
  readonly suite: number;
  readonly extensions: Buffer;
}): Buffer {
  return Buffer.concat([
    uint(2, hello.version),
    hello.random,
    vector(1, hello.sessionId),
    uint(2, hello.suite),
    uint(1, 0),
    hello.extensions.length > 0 ? vector(2, hello.extensions) : hello.extensions,
  ]);
}

export function encodeCertificateChain(chain: readonly Buffer[]): Buffer {
  return vector(3, Buffer.concat(chain.map((certificate) => vector(3, certificate))));
}

/** Returns DER certificates, the peer's own first; an empty list when the peer has none. */
export function parseCertificateChain(body: Buffer): Buffer[] {
  const reader = new Reader(body, 'Certificate');
  const list = new Reader(reader.vector(3), 'Certificate');
  reader.end();
  const chain: Buffer[] = [];
  while (list.left > 0) chain.push(list.vector(3, { min: 1 }));
  return chain;
}

/** RFC 7250 §3: the message contains a SubjectPublicKeyInfo in place of the chain. */
export function encodeRawPublicKey(spki: Buffer): Buffer {
  return vector(3, spki);
}

export function parseRawPublicKey(body: Buffer): Buffer {
  const reader = new Reader(body, 'Certificate');
  const spki = reader.vector(3);
  reader.end();
  return spki;
}

/** RFC 8422 §5.4: named_curve, the curve, the point. The signature covers these bytes and both randoms. */
export function encodeEcdheParameters(point: Buffer): Buffer {
  return Buffer.concat([uint(1, 3), uint(2, SECP256R1), vector(1, point)]);
}

export function encodeServerKeyExchange(parameters: Buffer, signature: Buffer): Buffer {
  return Buffer.concat([parameters, uint(2, ECDSA_SECP256R1_SHA256), vector(2, signature)]);
}

/**
 * RFC 5246 §7.4.4: ecdsa_sign, the accepted signature schemes, and no authorities, so that a client sends any
 * certificate.
 */
export const CERTIFICATE_REQUEST = Buffer.concat([
  vector(1, Buffer.from([64])),
  vector(2, Buffer.concat([...SIGNATURE_HASHES.keys()].map((scheme) => uint(2, scheme)))),
  uint(2, 0),
]);

/** Returns the exact bytes of the PSK identity (RFC 4279 §2). */
export function parsePskKeyExchange(body: Buffer): Buffer {
  const reader = new Reader(body, 'ClientKeyExchange');
  const identity = reader.vector(2);
  reader.end();
  return identity;
}

/** Returns the client's ephemeral point (RFC 8422 §5.7). */
export function parseEcdheKeyExchange(body: Buffer): Buffer {
  const reader = new Reader(body, 'ClientKeyExchange');
  const point = reader.vector(1, { min: 1 });
  reader.end();
  return point;
}

export function parseCertificateVerify(body: Buffer): { readonly scheme: number; readonly signature: Buffer } {
  const reader = new Reader(body, 'CertificateVerify');
  const scheme = reader.uint(2);
  const signature = reader.vector(2);
  reader.end();
  return { scheme, signature };
}
