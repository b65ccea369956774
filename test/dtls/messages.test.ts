import { describe, expect, it } from 'vitest';
import {
  CERTIFICATE_REQUEST,
  encodeCertificateChain,
  encodeEcdheParameters,
  encodeHelloVerifyRequest,
  encodeMessage,
  encodeRawPublicKey,
  encodeServerHello,
  encodeServerKeyExchange,
  fragmentOf,
  isWhole,
  messageBody,
  parseCertificateChain,
  parseCertificateVerify,
  parseClientHello,
  parseEcdheKeyExchange,
  parseFragments,
  parsePskKeyExchange,
  parseRawPublicKey,
} from '../../src/dtls/messages.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
const decodeError = expect.objectContaining({ code: 'decode_error' });

describe('a handshake fragment (RFC 6347 §4.2.2)', () => {
  const FRAGMENT = '0b 000009 0102 000003 000004 aabbccdd';

  it('is its header and its body', () => {
    const body = hex('aabbccdd');
    expect(parseFragments(hex(FRAGMENT))).toEqual([{ type: 11, length: 9, sequence: 0x0102, offset: 3, body }]);
  });

  it('may stand behind another one in a record', () => {
    expect(parseFragments(hex(FRAGMENT + FRAGMENT))).toHaveLength(2);
  });

  it('may end where its message ends', () => {
    expect(parseFragments(hex('0b 000009 0000 000005 000004 aabbccdd'))).toHaveLength(1);
  });

  it.each([
    ['ends behind its message', '0b 000009 0000 000006 000004 aabbccdd'],
    ['begins behind its message', '0b 000009 0000 00000a 000001 aa'],
    ['is shorter than its length', '0b 000009 0000 000000 000004 aabbcc'],
    ['ends in its header', '0b 000009 0000 000000 0000'],
  ])('is refused when it %s', (_what, text) => {
    expect(() => parseFragments(hex(text))).toThrow(decodeError);
  });

  it('is refused when it begins behind its message, but not without a byte', () => {
    expect(parseFragments(hex('0b 000009 0000 00000a 000000'))).toHaveLength(1);
  });

  it.each([
    [true, 'the message', 0, 'aabb'],
    [false, 'its beginning', 0, 'aa'],
    [false, 'its end', 1, 'bb'],
    [false, 'two bytes from its second on', 1, 'aabb'],
  ])('is whole: %s, when it is %s', (whole, _what, offset, body) => {
    expect(isWhole({ type: 1, length: 2, sequence: 0, offset, body: hex(body) })).toBe(whole);
  });

  it('is cut out of a message with a header of its own', () => {
    const message = encodeMessage(11, 0x0102, hex('00112233445566'));
    expect(message.toString('hex')).toBe('0b000007010200000000000700112233445566');
    expect(messageBody(message).toString('hex')).toBe('00112233445566');
    expect(fragmentOf(message, 2, 5).toString('hex')).toBe('0b0000070102000002000003223344');
  });
});

describe('a ClientHello (RFC 6347 §4.2.1)', () => {
  const RANDOM = '00'.repeat(31) + '07';
  const EXTENSIONS = '0004 0017 0000';

  function bytes(parts: {
    version?: string;
    sessionId?: string;
    cookie?: string;
    suites?: string;
    compression?: string;
    rest?: string;
  }): Buffer {
    const { version = 'fefd', sessionId = '00', cookie = '00', suites = '0002 c0a8', compression = '0100' } = parts;
    return hex(version + RANDOM + sessionId + cookie + suites + compression + (parts.rest ?? EXTENSIONS));
  }

  it('is read field by field', () => {
    const body = bytes({ sessionId: '02 0a0b', cookie: '03 0c0d0e', suites: '0004 c0a8 00ff', compression: '02 0100' });
    const hello = parseClientHello(body);
    expect(hello).toMatchObject({
      version: 0xfefd,
      random: hex(RANDOM),
      sessionId: hex('0a0b'),
      cookie: hex('0c0d0e'),
      suites: [0xc0a8, 0x00ff],
      compression: hex('0100'),
      extensions: { extendedMasterSecret: true },
    });
  });

  it('shows what its cookie covers: all but the cookie and the extensions', () => {
    const hello = parseClientHello(bytes({ sessionId: '010a', cookie: '010c' }));
    expect(hello.beforeCookie).toEqual(hex(`fefd ${RANDOM} 010a`));
    expect(hello.behindCookie).toEqual(hex('0002c0a8 0100'));
  });

  it('may end without extensions', () => {
    expect(parseClientHello(bytes({ rest: '' })).extensions.extendedMasterSecret).toBe(false);
  });

  it('takes a session id of 32 bytes', () => {
    expect(parseClientHello(bytes({ sessionId: '20' + '0a'.repeat(32) })).sessionId).toHaveLength(32);
  });

  it.each([
    ['a session id of 33 bytes', bytes({ sessionId: '21' + '0a'.repeat(33) })],
    ['no cipher suite', bytes({ suites: '0000' })],
    ['half a cipher suite', bytes({ suites: '0003 c0a8c0' })],
    ['no compression method', bytes({ compression: '00' })],
    ['a byte behind its extensions', bytes({ rest: `${EXTENSIONS} 00` })],
    ['half a length of extensions', bytes({ rest: '00' })],
    ['nothing in it', hex('')],
  ])('is refused with %s', (_what, body) => {
    expect(() => parseClientHello(body)).toThrow(decodeError);
  });
});

describe("a device's Certificate", () => {
  it('holds certificates, the own first', () => {
    expect(parseCertificateChain(hex('000009 000002 aabb 000001 cc'))).toEqual([hex('aabb'), hex('cc')]);
  });

  it('may hold none', () => {
    expect(parseCertificateChain(hex('000000'))).toEqual([]);
  });

  it.each([
    ['an empty certificate', '000003 000000'],
    ['a byte behind the list', '000004 000001 aa 00'],
    ['a certificate that is shorter than its length', '000004 000002 aa'],
  ])('is refused with %s', (_what, text) => {
    expect(() => parseCertificateChain(hex(text))).toThrow(decodeError);
  });

  it('is a raw public key where both sides agreed on it (RFC 7250 §3)', () => {
    expect(parseRawPublicKey(hex('000002 aabb'))).toEqual(hex('aabb'));
    expect(() => parseRawPublicKey(hex('000002 aabb 00'))).toThrow(decodeError);
  });
});

describe('a ClientKeyExchange', () => {
  it('brings the identity of a PSK (RFC 4279 §2), which may be empty', () => {
    expect(parsePskKeyExchange(hex('0003 616263')).toString()).toBe('abc');
    expect(parsePskKeyExchange(hex('0000'))).toHaveLength(0);
    expect(() => parsePskKeyExchange(hex('0001 61 00'))).toThrow(decodeError);
  });

  it('brings a point (RFC 8422 §5.7), which may not be empty', () => {
    expect(parseEcdheKeyExchange(hex('02 0401'))).toEqual(hex('0401'));
    expect(() => parseEcdheKeyExchange(hex('00'))).toThrow(decodeError);
    expect(() => parseEcdheKeyExchange(hex('01 04 00'))).toThrow(decodeError);
  });
});

it('a CertificateVerify is a scheme and a signature, and nothing more', () => {
  expect(parseCertificateVerify(hex('0403 0002 aabb'))).toEqual({ scheme: 0x0403, signature: hex('aabb') });
  expect(() => parseCertificateVerify(hex('0403 0002 aabb 00'))).toThrow(decodeError);
});

describe("the server's messages", () => {
  it('are written as the RFCs lay them out', () => {
    expect(encodeHelloVerifyRequest(0xfeff, hex('aabb'))).toEqual(hex('feff 02 aabb'));
    expect(encodeCertificateChain([hex('aabb'), hex('cc')])).toEqual(hex('000009 000002 aabb 000001 cc'));
    expect(encodeRawPublicKey(hex('aabb'))).toEqual(hex('000002 aabb'));
    expect(encodeEcdheParameters(hex('0401'))).toEqual(hex('03 0017 02 0401'));
    expect(encodeServerKeyExchange(hex('03'), hex('aabb'))).toEqual(hex('03 0403 0002 aabb'));
  });

  it('ask for a certificate with ECDSA and SHA-256, SHA-384 or SHA-512, of any issuer (RFC 5246 §7.4.4)', () => {
    expect(CERTIFICATE_REQUEST).toEqual(hex('01 40 0006 0403 0503 0603 0000'));
  });

  it('have a ServerHello that ends behind the compression when there are no extensions', () => {
    const hello = { version: 0xfefd, random: Buffer.alloc(32, 7), sessionId: hex('0a'), suite: 0xc0a8 };
    const start = `fefd ${'07'.repeat(32)} 01 0a c0a8 00`;
    expect(encodeServerHello({ ...hello, extensions: hex('') })).toEqual(hex(start));
    expect(encodeServerHello({ ...hello, extensions: hex('00170000') })).toEqual(hex(`${start} 0004 00170000`));
  });
});
