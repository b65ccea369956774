import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { createServerIdentity, loadServerIdentity } from '../../src/dtls/index.ts';

const now = Date.UTC(2026, 0, 1);
const made = createServerIdentity({
  commonName: 'treeline.example',
  names: ['treeline.example', '192.0.2.1', '2001:db8::1', '::'],
  now,
  days: 3650,
});

describe("the server's identity", () => {
  it('can be created: a key on P-256 and a self-signed certificate that OpenSSL can read', () => {
    const certificate = new X509Certificate(made.certificates);
    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.subject).toBe('CN=treeline.example');
    expect(certificate.subjectAltName).toBe(
      'DNS:treeline.example, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1, IP Address:0:0:0:0:0:0:0:0',
    );
    expect(new Date(certificate.validTo).getTime()).toBe(now + 3650 * 86_400_000);
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], { input: made.certificates }).toString();
    expect(text).toContain('Digital Signature');
    expect(text).toContain('TLS Web Server Authentication');
    expect(text).toContain('CA:FALSE');
  });

  it('has dates with four-digit years from 2050: RFC 5280 §4.1.2.5', () => {
    const late = createServerIdentity({ commonName: 'x', names: [], now: Date.UTC(2049, 11, 31), days: 30 });
    expect(new X509Certificate(late.certificates).validTo).toContain('2050');
  });

  it('is loaded with its chain and raw public key', () => {
    const identity = loadServerIdentity({ ...made, certificates: made.certificates + made.certificates });
    expect(identity.chain).toHaveLength(2);
    const { publicKey } = new X509Certificate(made.certificates);
    expect(identity.spki).toEqual(publicKey.export({ format: 'der', type: 'spki' }));
  });

  it.each([
    ["another certificate's key", { ...made, privateKey: pem('P-256') }, 'does not belong'],
    ['a key on another curve', { ...made, privateKey: pem('P-384') }, 'must be an EC key on P-256'],
    ['no key', { ...made, privateKey: 'secret' }, "private key can't be read"],
    ['no certificate', { ...made, certificates: '' }, 'no PEM certificate'],
  ])('is refused with %s, and the error contains no key', (_what, files, reason) => {
    const load = () => loadServerIdentity(files);
    expect(load).toThrow(expect.objectContaining({ code: 'settings', message: expect.stringContaining(reason) }));
    expect(load).not.toThrow(files.privateKey);
  });
});

function pem(curve: string): string {
  return generateKeyPairSync('ec', { namedCurve: curve })
    .privateKey.export({ format: 'pem', type: 'pkcs8' })
    .toString();
}
