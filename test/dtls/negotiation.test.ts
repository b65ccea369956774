import { describe, expect, it } from 'vitest';
import type { Extensions } from '../../src/dtls/extensions.ts';
import type { ClientHello } from '../../src/dtls/messages.ts';
import { negotiate, serverExtensions } from '../../src/dtls/negotiation.ts';
import { createServerIdentity, loadServerIdentity } from '../../src/dtls/server-identity.ts';
import { DEFAULT_SETTINGS, type DtlsSettings } from '../../src/dtls/settings.ts';

const PSK_CCM8 = 0xc0a8;
const PSK_CBC = 0x00ae;
const ECDSA_CCM8 = 0xc0ae;
const SECP256R1 = 23;
const ECDSA_SHA256 = 0x0403;
const RENEGOTIATION_SCSV = 0x00ff;

const NO_EXTENSIONS: Extensions = {
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

const identity = loadServerIdentity(
  createServerIdentity({ commonName: 'server', names: [], now: Date.UTC(2026, 0, 1), days: 1 }),
);
const WITH_IDENTITY: DtlsSettings = { ...DEFAULT_SETTINGS, identity };

function hello(
  suites: readonly number[],
  extensions: Partial<Extensions> = {},
  rest: Partial<ClientHello> = {},
): ClientHello {
  return {
    version: 0xfefd,
    random: Buffer.alloc(32),
    sessionId: Buffer.alloc(0),
    cookie: Buffer.alloc(0),
    suites,
    compression: Buffer.from([0]),
    beforeCookie: Buffer.alloc(0),
    behindCookie: Buffer.alloc(0),
    extensions: { ...NO_EXTENSIONS, ...extensions },
    ...rest,
  };
}

function ecdsaHello(extensions: Partial<Extensions> = {}): ClientHello {
  return hello([ECDSA_CCM8], { signatureSchemes: [ECDSA_SHA256], ...extensions });
}

function refusedWith(code: string) {
  return expect.objectContaining({ name: 'DtlsError', code });
}

describe('the version', () => {
  it.each([0xfefd, 0xfefc])('is taken when the device offers %i', (version) => {
    expect(negotiate(hello([PSK_CCM8], {}, { version }), DEFAULT_SETTINGS).suite.id).toBe(PSK_CCM8);
  });

  it('is refused when the device offers DTLS 1.0 at most', () => {
    expect(() => negotiate(hello([PSK_CCM8], {}, { version: 0xfeff }), DEFAULT_SETTINGS)).toThrow(
      refusedWith('protocol_version'),
    );
  });
});

describe('compression', () => {
  it('is refused when the null method is not offered', () => {
    expect(() => negotiate(hello([PSK_CCM8], {}, { compression: Buffer.from([1]) }), DEFAULT_SETTINGS)).toThrow(
      refusedWith('illegal_parameter'),
    );
  });

  it('is none where the null method is offered among others', () => {
    const offer = hello([PSK_CCM8], {}, { compression: Buffer.from([1, 0]) });
    expect(negotiate(offer, DEFAULT_SETTINGS).suite.id).toBe(PSK_CCM8);
  });
});

describe('renegotiation (RFC 5746 §3.6)', () => {
  it('is refused when renegotiation_info names an earlier handshake', () => {
    const offer = hello([PSK_CCM8], { renegotiationInfo: Buffer.alloc(12) });
    expect(() => negotiate(offer, DEFAULT_SETTINGS)).toThrow(refusedWith('handshake_failure'));
  });

  it('is not meant by an empty renegotiation_info', () => {
    const offer = hello([PSK_CCM8], { renegotiationInfo: Buffer.alloc(0) });
    expect(negotiate(offer, DEFAULT_SETTINGS).suite.id).toBe(PSK_CCM8);
  });
});

describe('the cipher suite', () => {
  it("is the server's first that the device offers too", () => {
    const offer = hello([0x1301, PSK_CBC, 0x00a8, PSK_CCM8]);
    expect(negotiate(offer, DEFAULT_SETTINGS).suite.name).toBe('TLS_PSK_WITH_AES_128_CCM_8');
    const settings: DtlsSettings = {
      ...DEFAULT_SETTINGS,
      suites: ['TLS_PSK_WITH_AES_128_GCM_SHA256', 'TLS_PSK_WITH_AES_128_CCM_8'],
    };
    expect(negotiate(offer, settings).suite.name).toBe('TLS_PSK_WITH_AES_128_GCM_SHA256');
  });

  it('is refused when none is in common', () => {
    expect(() => negotiate(hello([0x1301, 0x000a]), DEFAULT_SETTINGS)).toThrow(refusedWith('handshake_failure'));
  });

  it('is the next one where the first cannot be used', () => {
    const offer = ecdsaHello({ groups: [29], encryptThenMac: true });
    expect(negotiate({ ...offer, suites: [ECDSA_CCM8, PSK_CBC] }, WITH_IDENTITY).suite.id).toBe(PSK_CBC);
  });
});

describe('a CBC suite', () => {
  it('is refused without encrypt-then-MAC (RFC 7366), unless the settings allow it', () => {
    const offer = hello([PSK_CBC]);
    expect(() => negotiate(offer, DEFAULT_SETTINGS)).toThrow(refusedWith('handshake_failure'));
    expect(negotiate(offer, { ...DEFAULT_SETTINGS, macThenEncrypt: true })).toMatchObject({
      suite: { id: PSK_CBC },
      encryptThenMac: false,
    });
  });

  it('uses encrypt-then-MAC where the device offers it', () => {
    const offer = hello([PSK_CBC], { encryptThenMac: true });
    for (const macThenEncrypt of [false, true]) {
      expect(negotiate(offer, { ...DEFAULT_SETTINGS, macThenEncrypt }).encryptThenMac).toBe(true);
    }
  });
});

it('an AEAD suite has no encrypt-then-MAC, offered or not', () => {
  expect(negotiate(hello([PSK_CCM8], { encryptThenMac: true }), DEFAULT_SETTINGS).encryptThenMac).toBe(false);
});

describe('a suite with ECDSA', () => {
  it('is used when the device takes P-256, uncompressed points and ECDSA with SHA-256', () => {
    const offer = ecdsaHello({ groups: [29, SECP256R1], pointFormats: Buffer.from([1, 0]) });
    expect(negotiate(offer, WITH_IDENTITY)).toMatchObject({
      suite: { id: ECDSA_CCM8 },
      clientCertificateType: 'X509',
      serverCertificateType: 'X509',
    });
  });

  it('is used when the device names no groups and no point formats (RFC 8422 §4)', () => {
    expect(negotiate(ecdsaHello(), WITH_IDENTITY).suite.id).toBe(ECDSA_CCM8);
  });

  it.each<[string, Partial<Extensions>]>([
    ['takes other groups only', { groups: [24, 29] }],
    ['takes no group', { groups: [] }],
    ['takes compressed points only', { pointFormats: Buffer.from([1, 2]) }],
    ['takes other signatures only', { signatureSchemes: [0x0503, 0x0401] }],
    ['names no signature schemes', { signatureSchemes: null }],
    ['has no client certificate that the server knows', { clientCertificateTypes: [] }],
    ['takes no server certificate that the server has', { serverCertificateTypes: [] }],
  ])('is refused when the device %s', (_what, extensions) => {
    expect(() => negotiate(ecdsaHello(extensions), WITH_IDENTITY)).toThrow(refusedWith('handshake_failure'));
  });

  it('is refused when the server has no certificate', () => {
    expect(() => negotiate(ecdsaHello(), DEFAULT_SETTINGS)).toThrow(refusedWith('handshake_failure'));
  });

  it('asks nothing of that from a device with a PSK', () => {
    const offer = hello([PSK_CCM8], { groups: [29], pointFormats: Buffer.from([1]), clientCertificateTypes: [] });
    expect(negotiate(offer, DEFAULT_SETTINGS).suite.id).toBe(PSK_CCM8);
  });
});

describe('the type of certificate (RFC 7250)', () => {
  it("is the server's first that the device offers, for each side", () => {
    const offer = ecdsaHello({ clientCertificateTypes: ['X509', 'RawPublicKey'], serverCertificateTypes: ['X509'] });
    expect(negotiate(offer, WITH_IDENTITY)).toMatchObject({
      clientCertificateType: 'RawPublicKey',
      serverCertificateType: 'X509',
    });
  });

  it('is none where the server takes raw public keys only and the device does not speak of them', () => {
    const settings: DtlsSettings = { ...WITH_IDENTITY, certificateTypes: ['RawPublicKey'] };
    expect(() => negotiate(ecdsaHello(), settings)).toThrow(refusedWith('handshake_failure'));
    const offer = ecdsaHello({ clientCertificateTypes: ['RawPublicKey'], serverCertificateTypes: ['RawPublicKey'] });
    expect(negotiate(offer, settings).serverCertificateType).toBe('RawPublicKey');
  });
});

it.each([
  [1, 512],
  [2, 1024],
  [3, 2048],
  [4, 4096],
])('the maximum fragment length with code %i is %i bytes (RFC 6066 §4)', (code, bytes) => {
  expect(negotiate(hello([PSK_CCM8], { maxFragmentLength: code }), DEFAULT_SETTINGS).maxFragment).toBe(bytes);
});

it.each([0, 5, 255])('the maximum fragment length with code %i is an illegal parameter', (code) => {
  const offer = hello([PSK_CCM8], { maxFragmentLength: code });
  expect(() => negotiate(offer, DEFAULT_SETTINGS)).toThrow(refusedWith('illegal_parameter'));
});

it('the extended master secret and the Connection ID are those that the device offers', () => {
  const cid = Buffer.from('c0c1', 'hex');
  const offer = hello([PSK_CCM8], { extendedMasterSecret: true, connectionId: cid });
  expect(negotiate(offer, DEFAULT_SETTINGS)).toMatchObject({ extendedMasterSecret: true, clientCid: cid });
  expect(negotiate(hello([PSK_CCM8]), DEFAULT_SETTINGS)).toMatchObject({
    extendedMasterSecret: false,
    clientCid: null,
  });
});

describe("the ServerHello's extensions", () => {
  const SERVER_CID = Buffer.from('0011', 'hex');
  const RENEGOTIATION_INFO = 'ff01000100';

  function answer(offer: ClientHello, settings = WITH_IDENTITY): string {
    return serverExtensions(offer, negotiate(offer, settings), SERVER_CID).toString('hex');
  }

  it.each<[string, ClientHello, string]>([
    ['nothing offered', hello([PSK_CCM8]), ''],
    ['renegotiation_info', hello([PSK_CCM8], { renegotiationInfo: Buffer.alloc(0) }), RENEGOTIATION_INFO],
    ['its signalling suite (RFC 5746 §3.3)', hello([PSK_CCM8, RENEGOTIATION_SCSV]), RENEGOTIATION_INFO],
    ['extended_master_secret', hello([PSK_CCM8], { extendedMasterSecret: true }), '00170000'],
    ['encrypt_then_mac with CBC', hello([PSK_CBC], { encryptThenMac: true }), '00160000'],
    ['encrypt_then_mac with CCM', hello([PSK_CCM8], { encryptThenMac: true }), ''],
    ['connection_id', hello([PSK_CCM8], { connectionId: Buffer.alloc(0) }), '00360003020011'],
    ['ec_point_formats', ecdsaHello({ pointFormats: Buffer.from([0]) }), '000b00020100'],
    ['client_certificate_type', ecdsaHello({ clientCertificateTypes: ['RawPublicKey'] }), '0013000102'],
    ['server_certificate_type', ecdsaHello({ serverCertificateTypes: ['X509'] }), '0014000100'],
    ['max_fragment_length', hello([PSK_CCM8], { maxFragmentLength: 2 }), '0001000102'],
    ['nothing of certificates with ECDSA', ecdsaHello(), ''],
    [
      'extensions of certificates with a PSK',
      hello([PSK_CCM8], {
        pointFormats: Buffer.from([0]),
        clientCertificateTypes: ['X509'],
        serverCertificateTypes: ['X509'],
      }),
      '',
    ],
  ])('answer %s', (_what, offer, expected) => {
    expect(answer(offer)).toBe(expected);
  });
});
