import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { basicConstraints, extendedKeyUsage, keyUsage, subjectAltName } from '../../src/dtls/certificate.ts';
import { trustAnchor, verifyCertificatePath } from '../../src/dtls/certificate-path.ts';
import {
  type Authority,
  CA_EXTENSIONS,
  certify,
  DEVICE_EXTENSIONS,
  START,
  withNegativeSerial,
} from './certificates.ts';

const DAY = 86_400_000;
const root = certify('Root', null);
const anchors = [trustAnchor('tenant-a', root.certificate)];

function verify(...chain: Authority[]) {
  return verifyCertificatePath(
    chain.map((authority) => authority.certificate),
    anchors,
    START,
  );
}

function refusal(...chain: Authority[]): unknown {
  try {
    verify(...chain);
  } catch (error) {
    return error;
  }
  throw new Error('the chain was accepted');
}

describe('a certificate path', () => {
  it('is valid from a device through intermediates to an anchor', () => {
    const intermediate = certify('Factory', root, { extensions: CA_EXTENSIONS });
    const device = certify('urn:dev:1', intermediate, {
      extensions: [...DEVICE_EXTENSIONS, subjectAltName(['device.example'])],
    });
    expect(verify(device, intermediate)).toMatchObject({
      subject: 'CN=urn:dev:1',
      commonName: 'urn:dev:1',
      subjectAltName: 'DNS:device.example',
      anchors: ['tenant-a'],
    });
    expect(verify(device, intermediate).fingerprints).toHaveLength(2);
    expect(verify(device, intermediate, root).anchors).toEqual(['tenant-a']);
  });

  it('may consist of a pinned certificate only', () => {
    const device = certify('pinned', null, { extensions: DEVICE_EXTENSIONS });
    const pinned = [trustAnchor('pin', device.certificate)];
    expect(verifyCertificatePath([device.certificate], pinned, START).anchors).toEqual(['pin']);
  });

  it('lists every anchor that it leads to', () => {
    const device = certify('device', root);
    const both = [...anchors, trustAnchor('tenant-b', new X509Certificate(root.certificate).toString())];
    expect(verifyCertificatePath([device.certificate], both, START).anchors).toEqual(['tenant-a', 'tenant-b']);
  });

  it("is valid in spite of another tenant's expired copy of the anchor", () => {
    const device = certify('device', root);
    const expired = certify('Root', null, { notAfter: START - DAY, key: root.privateKey });
    const both = [trustAnchor('tenant-b', expired.certificate), ...anchors];
    expect(verifyCertificatePath([device.certificate], both, START).anchors).toEqual(['tenant-a']);
    expect(() => verifyCertificatePath([device.certificate], both.slice(0, 1), START)).toThrow(
      expect.objectContaining({ code: 'certificate_expired' }),
    );
  });

  it("is valid in spite of another tenant's anchor below its own, valid or not", () => {
    const factory = certify('Factory', root, { extensions: CA_EXTENSIONS });
    const device = certify('device', factory);
    const expired = certify('Factory', null, { notAfter: START - DAY, key: factory.privateKey });
    const chain = [device.certificate, factory.certificate];
    for (const [theirs, theirAnchors] of [
      [factory, ['tenant-b', 'tenant-a']],
      [device, ['tenant-b', 'tenant-a']],
      [expired, ['tenant-a']],
    ] as const) {
      const both = [trustAnchor('tenant-b', theirs.certificate), ...anchors];
      expect(verifyCertificatePath(chain, both, START).anchors).toEqual(theirAnchors);
    }
  });

  it('is valid in spite of certificates above its anchor', () => {
    const factory = certify('Factory', root, { extensions: CA_EXTENSIONS });
    const device = certify('device', factory);
    const pinned = [trustAnchor('factory', factory.certificate)];
    const chain = [device.certificate, factory.certificate, certify('Root', null).certificate];
    const path = verifyCertificatePath(chain, pinned, START);
    expect(path).toMatchObject({ anchors: ['factory'], fingerprints: { length: 1 } });
  });

  it('has the fingerprints of the certificates below the anchor, also when the anchor is sent', () => {
    const factory = certify('Factory', root, { extensions: CA_EXTENSIONS });
    const device = certify('device', factory);
    const expected = [device, factory].map(({ certificate }) => createHash('sha256').update(certificate).digest('hex'));
    expect(verify(device, factory).fingerprints).toEqual(expected);
    expect(verify(device, factory, root).fingerprints).toEqual(expected);
  });

  it('has no alternative name where the certificate has none', () => {
    expect(verify(certify('device', root)).subjectAltName).toBeNull();
  });

  it('is valid from the first moment of its certificate to the last', () => {
    const device = certify('device', root, { notBefore: START, notAfter: START + DAY });
    const at = (now: number) => () => verifyCertificatePath([device.certificate], anchors, now);
    const expired = expect.objectContaining({ code: 'certificate_expired' });
    expect(at(START - 1)).toThrow(expired);
    expect(at(START)).not.toThrow();
    expect(at(START + DAY)).not.toThrow();
    expect(at(START + DAY + 1)).toThrow(expired);
  });

  it.each([
    ['without any extension', []],
    ['for any purpose', [extendedKeyUsage('any')]],
    ['for servers and clients', [extendedKeyUsage('serverAuth', 'clientAuth')]],
    ['that may sign, and nothing said of purposes', [keyUsage('digitalSignature')]],
    ['that may sign and issue', [keyUsage('digitalSignature', 'keyCertSign')]],
  ])('takes a certificate %s', (_what, extensions) => {
    expect(verify(certify('device', root, { extensions })).anchors).toEqual(['tenant-a']);
  });

  it('takes an issuer that is limited to as many intermediates as there are', () => {
    const [none, one] = [0, 1].map((length) =>
      certify('Limited', root, { extensions: [basicConstraints(true, length), keyUsage('keyCertSign')] }),
    );
    if (!none || !one) throw new Error('there are two');
    expect(verify(certify('device', none), none).anchors).toEqual(['tenant-a']);
    const middle = certify('Middle', one, { extensions: CA_EXTENSIONS });
    expect(verify(certify('device', middle), middle, one).anchors).toEqual(['tenant-a']);
  });

  it('counts the intermediates below an anchor that is limited', () => {
    const limited = certify('Limited root', null, { extensions: [basicConstraints(true, 0), keyUsage('keyCertSign')] });
    const limits = [trustAnchor('limited', limited.certificate)];
    const direct = certify('device', limited);
    expect(verifyCertificatePath([direct.certificate], limits, START).anchors).toEqual(['limited']);
    const middle = certify('Middle', limited, { extensions: CA_EXTENSIONS });
    const chain = [certify('device', middle).certificate, middle.certificate];
    expect(() => verifyCertificatePath(chain, limits, START)).toThrow(
      expect.objectContaining({ code: 'bad_certificate' }),
    );
  });

  it('has the fingerprints up to the highest of its anchors', () => {
    const factory = certify('Factory', root, { extensions: CA_EXTENSIONS });
    const chain = [certify('device', factory).certificate, factory.certificate];
    const both = [trustAnchor('tenant-b', factory.certificate), ...anchors];
    expect(verifyCertificatePath(chain, both, START).fingerprints).toHaveLength(2);
  });

  it('takes an issuer that says nothing of its key usage', () => {
    const issuer = certify('Issuer', root, { extensions: [basicConstraints(true)] });
    expect(verify(certify('device', issuer), issuer).anchors).toEqual(['tenant-a']);
  });

  it('takes an issuer whose limit is a number of more than four bytes', () => {
    const limit = Buffer.from('300a 0101ff 0205 7f00000000'.replaceAll(' ', ''), 'hex');
    const constraints = { id: '2.5.29.19', critical: true, value: limit };
    const issuer = certify('Issuer', root, { extensions: [constraints, keyUsage('keyCertSign')] });
    expect(verify(certify('device', issuer), issuer).anchors).toEqual(['tenant-a']);
  });

  it('takes a chain of eight', () => {
    const chain = [certify('Level 7', root, { extensions: CA_EXTENSIONS })];
    for (let level = 6; level >= 0; level--) {
      chain.unshift(
        certify(`Level ${level}`, chain[0] ?? root, { extensions: level === 0 ? undefined : CA_EXTENSIONS }),
      );
    }
    expect(verify(...chain).fingerprints).toHaveLength(8);
  });

  it.each([
    ['key usage', { id: '2.5.29.15', critical: true, value: Buffer.from('0500', 'hex') }],
    ['key usage without a bit', { id: '2.5.29.15', critical: true, value: Buffer.from('030100', 'hex') }],
    ['basic constraints', { id: '2.5.29.19', critical: true, value: Buffer.from('0500', 'hex') }],
    ['purposes', { id: '2.5.29.37', critical: false, value: Buffer.from('0500', 'hex') }],
  ])('refuses a certificate with unreadable %s', (_what, extension) => {
    const { certificate } = certify('device', root, { extensions: [extension] });
    expect(() => verifyCertificatePath([certificate], anchors, START)).toThrow(
      expect.objectContaining({ name: 'DtlsError' }),
    );
  });

  it.each(['0500', '030100', '04020780'])('has no anchor with the unreadable key usage %s', (value) => {
    const usage = { id: '2.5.29.15', critical: true, value: Buffer.from(value, 'hex') };
    const { certificate } = certify('anchor', null, { extensions: [basicConstraints(true), usage] });
    expect(() => trustAnchor('broken', certificate)).toThrow(expect.objectContaining({ code: 'settings' }));
  });

  it('refuses an empty chain', () => {
    expect(refusal()).toMatchObject({ name: 'DtlsError' });
  });

  it('refuses what is issued by an anchor that may not issue', () => {
    const pinned = certify('pinned', root, { extensions: [basicConstraints(false)] });
    const below = certify('below', pinned);
    const pins = [trustAnchor('pin', pinned.certificate)];
    expect(() => verifyCertificatePath([below.certificate], pins, START)).toThrow(
      expect.objectContaining({ code: 'bad_certificate' }),
    );
  });

  it('refuses a pinned certificate that has expired', () => {
    const pinned = certify('pinned', null, { extensions: DEVICE_EXTENSIONS, notAfter: START - 1_000 });
    const pins = [trustAnchor('pin', pinned.certificate)];
    expect(() => verifyCertificatePath([pinned.certificate], pins, START)).toThrow(
      expect.objectContaining({ code: 'certificate_expired' }),
    );
  });

  it('refuses a signature with SHA-1', () => {
    const certificate = selfSigned('-sha1', '-subj', '/CN=old');
    const pins = [trustAnchor('pin', certificate.raw)];
    expect(() => verifyCertificatePath([certificate.raw], pins, Date.parse(certificate.validFrom))).toThrow(
      expect.objectContaining({ code: 'bad_certificate' }),
    );
  });

  it('has no common name where the subject has two', () => {
    const certificate = selfSigned('-sha256', '-subj', '/CN=one/CN=other', '-addext', 'basicConstraints=CA:FALSE');
    const pins = [trustAnchor('pin', certificate.raw)];
    const path = verifyCertificatePath([certificate.raw], pins, Date.parse(certificate.validFrom));
    expect(path.commonName).toBeNull();
  });

  it.each([
    ['PEM', 'not a certificate'],
    ['DER', Buffer.from('3000', 'hex')],
  ])('has no anchor that cannot be read: %s', (_form, certificate) => {
    expect(() => trustAnchor('broken', certificate)).toThrow(expect.objectContaining({ code: 'settings' }));
  });

  const stranger = certify('Root', null);
  const notCa = certify('Not a CA', root);
  const short = certify('Short', root, { extensions: [basicConstraints(true, 0), keyUsage('keyCertSign')] });
  const below = certify('Below', short, { extensions: CA_EXTENSIONS });
  const noSign = certify('No signing', root, { extensions: [basicConstraints(true), keyUsage('digitalSignature')] });
  const factory = certify('Factory', root, { extensions: CA_EXTENSIONS });
  const nameConstraints = { id: '2.5.29.30', critical: true, value: Buffer.from('3000', 'hex') };

  it.each<[string, Authority[], string, string]>([
    ['expired', [certify('d', root, { notAfter: START - DAY })], 'certificate_expired', 'expired 2025-12-31'],
    ['not valid yet', [certify('d', root, { notBefore: START + DAY })], 'certificate_expired', 'before 2026-01-02'],
    ['of another anchor with the same name', [certify('d', stranger)], 'unknown_ca', "no trust anchor issued 'CN=d'"],
    ['below a device', [certify('d', notCa), notCa], 'bad_certificate', 'not allowed to issue'],
    [
      'below a CA that may not sign certificates',
      [certify('d', noSign), noSign],
      'bad_certificate',
      'not allowed to issue',
    ],
    [
      'of a CA',
      [certify('d', root, { extensions: [basicConstraints(true), keyUsage('digitalSignature', 'keyCertSign')] })],
      'unsupported_certificate',
      "'CN=d' is that of a CA",
    ],
    [
      'with a negative serial number',
      [withNegativeSerial(certify('d', root), root)],
      'bad_certificate',
      'has the negative serial number -7E',
    ],
    [
      'below a CA with a negative serial number',
      [certify('d', factory), withNegativeSerial(factory, root)],
      'bad_certificate',
      "'CN=Factory' has the negative serial number",
    ],
    ...(['rsa', 'ed25519'] as const).map((type): [string, Authority[], string, string] => [
      `with a key of type ${type}`,
      [certify('d', root, { key: keyOfType(type) })],
      'unsupported_certificate',
      'not on P-256',
    ]),
    ['of too long a path', [certify('d', below), below, short], 'bad_certificate', 'too long'],
    ['with a missing intermediate', [certify('d', below), factory], 'unknown_ca', 'did not issue'],
    ['with an expired intermediate', expiredIntermediate(), 'certificate_expired', "'CN=Old' expired"],
    [
      'for servers',
      [certify('d', root, { extensions: [extendedKeyUsage('serverAuth')] })],
      'unsupported_certificate',
      'does not allow client authentication',
    ],
    [
      'that may not sign',
      [certify('d', root, { extensions: [keyUsage('keyCertSign')] })],
      'unsupported_certificate',
      'does not allow signatures',
    ],
    [
      'with a critical extension that is not understood',
      [certify('d', root, { extensions: [...DEVICE_EXTENSIONS, nameConstraints] })],
      'unsupported_certificate',
      '2.5.29.30',
    ],
  ])('refuses a certificate %s', (_what, chain, code, reason) => {
    expect(refusal(...chain)).toMatchObject({ code, message: expect.stringContaining(reason) });
  });

  it('refuses a chain of more than eight', () => {
    const device = certify('d', root);
    expect(refusal(...Array.from({ length: 9 }, () => device))).toMatchObject({ code: 'bad_certificate' });
  });

  it('refuses random and mutated certificates with an alert other than internal_error', () => {
    const device = certify('d', root).certificate;
    const mutated = fc.tuple(fc.nat(device.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
      const bytes = Buffer.from(device);
      bytes[at] = (bytes[at] ?? 0) ^ flip;
      return bytes;
    });
    const random = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(mutated, random), (bytes) => {
        expect(() => verifyCertificatePath([bytes], anchors, START)).toThrow(
          expect.objectContaining({ name: 'DtlsError', code: expect.not.stringMatching('internal_error') }),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('accepts a chain that openssl verify accepts too', () => {
    const folder = mkdtempSync(join(tmpdir(), 'treeline-path-'));
    try {
      const device = certify('device', factory);
      for (const [name, authority] of Object.entries({ root, factory, device })) {
        writeFileSync(join(folder, name), new X509Certificate(authority.certificate).toString());
      }
      const time = String(START / 1_000);
      const args = ['verify', '-attime', time, '-purpose', 'sslclient'];
      const output = execFileSync('openssl', [...args, '-CAfile', 'root', '-untrusted', 'factory', 'device'], {
        cwd: folder,
        stdio: 'pipe',
      });
      expect(output.toString()).toContain('device: OK');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function keyOfType(type: 'rsa' | 'ed25519'): KeyObject {
  if (type === 'ed25519') return generateKeyPairSync('ed25519').privateKey;
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
}

/** A certificate that OpenSSL makes, for what issueCertificate cannot write. */
function selfSigned(...options: string[]): X509Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'treeline-openssl-'));
  try {
    const args = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', ...options];
    execFileSync('openssl', [...args, '-keyout', 'key', '-out', 'pem'], { cwd: folder, stdio: 'pipe' });
    return new X509Certificate(readFileSync(join(folder, 'pem')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function expiredIntermediate(): Authority[] {
  const old = certify('Old', root, { extensions: CA_EXTENSIONS, notAfter: START - DAY });
  return [certify('d', old), old];
}
