import { type Clock, systemClock } from '../clock.ts';
import { type CertificatePath, type TrustAnchor, verifyCertificatePath } from './certificate-path.ts';
import type { CertificateVerdict, CredentialSource } from './credential-source.ts';
import { DtlsError } from './error.ts';

/** What is on file about certificates. */
export interface CertificateTrust {
  /** Of all tenants; keep them parsed. */
  anchors(): Promise<readonly TrustAnchor[]>;
  /** Whom this certificate names to a tenant of one of its anchors; null when it names no device. */
  holder(path: CertificatePath): Promise<CertificateHolder | null>;
}

export interface CertificateHolder {
  readonly credential: string;
  /** Which fingerprints of the path its tenant has revoked. Another tenant's revocations don't concern it. */
  readonly revoked: readonly string[];
}

type Refused = Extract<CertificateVerdict, { refused: unknown }>;

/** The `certificate` of `CredentialSource`: the chain, then the name, then revocation. */
export function certificateVerifier(
  trust: CertificateTrust,
  clock: Clock = systemClock,
): CredentialSource['certificate'] {
  return async (chain) => {
    let path: CertificatePath;
    try {
      path = verifyCertificatePath(chain, await trust.anchors(), clock.now());
    } catch (error) {
      if (!(error instanceof DtlsError)) throw error;
      // verifyCertificatePath throws no other alerts than a verdict knows.
      return { refused: error.code as Refused['refused'], reason: error.message };
    }
    const holder = await trust.holder(path);
    if (holder === null) {
      return { refused: 'certificate_unknown', reason: `certificate '${path.subject}' does not belong to any device` };
    }
    const { credential, revoked } = holder;
    if (revoked.length === 0) return { credential };
    const fingerprints = revoked.join(', ');
    return {
      refused: 'certificate_revoked',
      reason: `the chain of '${path.subject}' contains a revoked certificate: ${fingerprints}`,
    };
  };
}
