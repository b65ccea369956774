import { X509Certificate } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { type CertificatePath, trustAnchor } from '../../src/dtls/certificate-path.ts';
import { certificateVerifier } from '../../src/dtls/certificate-trust.ts';
import { ManualClock } from '../manual-clock.ts';
import { CA_EXTENSIONS, certify, START } from './certificates.ts';

const root = certify('Root', null);
const anchors = [trustAnchor('tenant-a', root.certificate)];

describe('the certificate verifier', () => {
  const device = certify('urn:dev:1', root);
  const trust = {
    anchors: async () => anchors,
    holder: async ({ commonName }: CertificatePath) =>
      commonName === 'urn:dev:1' ? { credential: 'x509-1', revoked: [] } : null,
  };
  const clock = new ManualClock();

  it('returns the credential of the device that the certificate identifies', async () => {
    expect(await certificateVerifier(trust, clock)([device.certificate])).toEqual({ credential: 'x509-1' });
  });

  it('refuses a certificate with another name', async () => {
    expect(await certificateVerifier(trust, clock)([certify('urn:dev:2', root).certificate])).toEqual({
      refused: 'certificate_unknown',
      reason: "certificate 'CN=urn:dev:2' does not belong to any device",
    });
  });

  it('fails when the anchors cannot be looked up, which is not a refusal', async () => {
    const broken = { ...trust, anchors: async () => Promise.reject(new Error('no database')) };
    await expect(certificateVerifier(broken, clock)([device.certificate])).rejects.toThrow('no database');
  });

  it('refuses a chain that leads to no anchor with the alert that fits', async () => {
    const chain = [certify('urn:dev:1', null).certificate];
    expect(await certificateVerifier(trust, clock)(chain)).toMatchObject({ refused: 'unknown_ca' });
    const expired = [certify('urn:dev:1', root, { notAfter: START - 1_000 }).certificate];
    expect(await certificateVerifier(trust, clock)(expired)).toMatchObject({ refused: 'certificate_expired' });
  });

  it('refuses a revoked certificate, and one below a revoked intermediate', async () => {
    const factory = certify('Factory', root, { extensions: CA_EXTENSIONS });
    const below = certify('urn:dev:1', factory);
    const fingerprint = new X509Certificate(factory.certificate).fingerprint256.replaceAll(':', '').toLowerCase();
    const revoking = {
      ...trust,
      holder: async ({ fingerprints }: CertificatePath) => ({
        credential: 'x509-1',
        revoked: fingerprints.filter((one) => one === fingerprint),
      }),
    };
    expect(await certificateVerifier(revoking, clock)([below.certificate, factory.certificate])).toMatchObject({
      refused: 'certificate_revoked',
    });
    expect(await certificateVerifier(revoking, clock)([device.certificate])).toEqual({ credential: 'x509-1' });
  });
});
