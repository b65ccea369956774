import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  anchorCertificate,
  checkedIdentity,
  checkedSubject,
  pskKey,
  publicKeyFingerprint,
  sha256,
  utf8,
} from '../../../src/fleet/credentials/rules.ts';
import { FleetError } from '../../../src/fleet/common/index.ts';
import { certify } from '../../dtls/certificates.ts';

/** The error that `work` throws, which must name this input. */
function refusal(field: string, work: () => unknown): FleetError {
  try {
    work();
  } catch (error) {
    if (!(error instanceof FleetError)) throw error;
    expect(error).toMatchObject({ code: 'VALIDATION', field: [field] });
    return error;
  }
  throw new Error('it was accepted');
}

function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`;
}

function spki(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' });
}

describe('a PSK identity', () => {
  it.each(['x', 'x'.repeat(128), 'é'.repeat(64)])('of 1 to 128 bytes is accepted (%#)', (identity) => {
    expect(checkedIdentity(identity)).toBe(identity);
  });

  it.each(['', 'x'.repeat(129), 'é'.repeat(65)])('of 0 or more than 128 bytes is refused (%#)', (identity) => {
    refusal('identity', () => checkedIdentity(identity));
  });
});

describe('a PSK', () => {
  it.each([null, undefined])('that is not given (%s) has 32 random bytes', (none) => {
    const [one, other] = [pskKey(none), pskKey(none)];
    expect(one).toHaveLength(32);
    expect(one).not.toEqual(other);
  });

  it.each(['00'.repeat(16), 'aF'.repeat(33), '9B'.repeat(64)])('of 16 to 64 bytes is read from hex (%#)', (hex) => {
    expect(pskKey(hex).toString('hex')).toBe(hex.toLowerCase());
  });

  it.each([
    ['nothing', ''],
    ['15 bytes', 'ab'.repeat(15)],
    ['65 bytes', 'ab'.repeat(65)],
    ['half a byte at the end', `${'ab'.repeat(16)}c`],
    ['another text after the hex', `${'ab'.repeat(16)}xy`],
    ['another text before the hex', `xy${'ab'.repeat(16)}`],
    ['a line break after the hex', `${'ab'.repeat(16)}\n`],
  ])('is refused when it is %s', (_what, hex) => {
    const { message } = refusal('key', () => pskKey(hex));
    expect(message).not.toContain('abab');
  });
});

describe('a public key', () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = spki(publicKey);

  it.each([
    ['base64', der.toString('base64')],
    ['PEM', pem('PUBLIC KEY', der)],
  ])('in %s is known by the SHA-256 of its SubjectPublicKeyInfo', (_form, text) => {
    expect(publicKeyFingerprint(text)).toBe(createHash('sha256').update(der).digest('hex'));
  });

  it.each([
    ['another curve', spki(generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey)],
    ['another algorithm', spki(generateKeyPairSync('ed25519').publicKey)],
    ['no key', Buffer.of(1, 2, 3)],
  ])('is refused when it is of %s', (_what, bytes) => {
    refusal('publicKey', () => publicKeyFingerprint(bytes.toString('base64')));
    refusal('publicKey', () => publicKeyFingerprint(pem('PUBLIC KEY', bytes)));
  });
});

describe('a common name', () => {
  it.each(['x', 'x'.repeat(200)])('of 1 to 200 characters is accepted (%#)', (subject) => {
    expect(checkedSubject(subject)).toBe(subject);
  });

  it.each(['', 'x'.repeat(201)])('of 0 or more than 200 characters is refused (%#)', (subject) => {
    refusal('subject', () => checkedSubject(subject));
  });
});

describe('a trust anchor', () => {
  const authority = certify('Root', null);

  it.each([
    ['base64', authority.certificate.toString('base64')],
    ['PEM', pem('CERTIFICATE', authority.certificate)],
  ])('is read from %s', (_form, text) => {
    expect(anchorCertificate(text).raw).toEqual(authority.certificate);
  });

  it('is refused when it is the certificate of a device', () => {
    const { certificate } = certify('device', authority);
    refusal('certificate', () => anchorCertificate(certificate.toString('base64')));
  });

  it('is refused when it is not a certificate', () => {
    refusal('certificate', () => anchorCertificate('AQID'));
    refusal('certificate', () => anchorCertificate(pem('CERTIFICATE', Buffer.of(1, 2, 3))));
  });
});

it('writes a SHA-256 in hex', () => {
  // FIPS 180-2 §B.1.
  expect(sha256(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});

describe('the text of an identity', () => {
  it('is its bytes read as UTF-8, with a byte order mark', () => {
    expect(utf8(Buffer.from('\uFEFFurn:é'))).toBe('\uFEFFurn:é');
  });

  it('is null when the bytes are not UTF-8', () => {
    expect(utf8(Buffer.of(0x75, 0xff))).toBeNull();
  });
});
