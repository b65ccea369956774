import { describe, expect, it } from 'vitest';
import { encodeExtension, EXTENSION, parseExtensions } from '../../src/dtls/extensions.ts';

function extension(type: number, hex: string): Buffer {
  return encodeExtension(type, Buffer.from(hex, 'hex'));
}

const NONE = {
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

describe('the extensions of a ClientHello', () => {
  it('are absent from an empty list', () => {
    expect(parseExtensions(Buffer.alloc(0))).toEqual(NONE);
  });

  it.each([
    ['supported_groups', EXTENSION.supportedGroups, '00040017001d', { groups: [23, 29] }],
    ['ec_point_formats', EXTENSION.ecPointFormats, '0100', { pointFormats: Buffer.from([0]) }],
    ['signature_algorithms', EXTENSION.signatureAlgorithms, '00020403', { signatureSchemes: [0x0403] }],
    [
      'client_certificate_type',
      EXTENSION.clientCertificateType,
      '020200',
      { clientCertificateTypes: ['RawPublicKey', 'X509'] },
    ],
    ['server_certificate_type', EXTENSION.serverCertificateType, '0102', { serverCertificateTypes: ['RawPublicKey'] }],
    ['encrypt_then_mac', EXTENSION.encryptThenMac, '', { encryptThenMac: true }],
    ['extended_master_secret', EXTENSION.extendedMasterSecret, '', { extendedMasterSecret: true }],
    ['an empty connection_id', EXTENSION.connectionId, '00', { connectionId: Buffer.alloc(0) }],
    ['connection_id', EXTENSION.connectionId, '020102', { connectionId: Buffer.from([1, 2]) }],
    ['max_fragment_length', EXTENSION.maxFragmentLength, '03', { maxFragmentLength: 3 }],
    ['renegotiation_info', EXTENSION.renegotiationInfo, '00', { renegotiationInfo: Buffer.alloc(0) }],
  ])('say %s', (_name, type, hex, expected) => {
    expect(parseExtensions(extension(type, hex))).toEqual({ ...NONE, ...expected });
  });

  it('are read one behind the other, those that are unknown skipped (RFC 5246 §7.4.1.4)', () => {
    const list = Buffer.concat([
      extension(EXTENSION.extendedMasterSecret, ''),
      extension(0x1234, 'aabbcc'),
      extension(EXTENSION.connectionId, '0107'),
    ]);
    expect(parseExtensions(list)).toEqual({ ...NONE, extendedMasterSecret: true, connectionId: Buffer.from([7]) });
  });

  it('leave out certificate types that the server does not know', () => {
    const list = extension(EXTENSION.clientCertificateType, '03010002');
    expect(parseExtensions(list).clientCertificateTypes).toEqual(['X509', 'RawPublicKey']);
  });

  it.each([
    ['known', EXTENSION.encryptThenMac],
    ['unknown', 0x1234],
  ])('are refused when one that is %s comes twice', (_kind, type) => {
    expect(() => parseExtensions(Buffer.concat([extension(type, ''), extension(type, '')]))).toThrow(
      expect.objectContaining({ code: 'illegal_parameter' }),
    );
  });

  it.each([
    ['no group', EXTENSION.supportedGroups, '0000'],
    ['half a group', EXTENSION.supportedGroups, '0003001700'],
    ['no point format', EXTENSION.ecPointFormats, '00'],
    ['no signature scheme', EXTENSION.signatureAlgorithms, '0000'],
    ['no client certificate type', EXTENSION.clientCertificateType, '00'],
    ['no server certificate type', EXTENSION.serverCertificateType, '00'],
    ['a byte in encrypt_then_mac', EXTENSION.encryptThenMac, '00'],
    ['a byte in extended_master_secret', EXTENSION.extendedMasterSecret, '00'],
    ['a byte behind the list of groups', EXTENSION.supportedGroups, '0002001700'],
    ['a byte behind the Connection ID', EXTENSION.connectionId, '010700'],
    ['a Connection ID that is shorter than its length', EXTENSION.connectionId, '0207'],
    ['an empty renegotiation_info', EXTENSION.renegotiationInfo, ''],
  ])('are refused with %s', (_what, type, hex) => {
    expect(() => parseExtensions(extension(type, hex))).toThrow(expect.objectContaining({ code: 'decode_error' }));
  });

  it('are refused when the list ends inside an extension', () => {
    const list = extension(EXTENSION.connectionId, '0107');
    expect(() => parseExtensions(list.subarray(0, -1))).toThrow(expect.objectContaining({ code: 'decode_error' }));
  });
});

describe('an extension of a ServerHello', () => {
  it('is its type, the length of its body, and the body', () => {
    expect(extension(EXTENSION.connectionId, '0107').toString('hex')).toBe('003600020107');
  });

  it('is empty without a body', () => {
    expect(encodeExtension(EXTENSION.extendedMasterSecret).toString('hex')).toBe('00170000');
  });
});
