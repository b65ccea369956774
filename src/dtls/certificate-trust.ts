import { type Clock, systemClock } from '../clock.ts';
import { type CertificatePath, type TrustAnchor, verifyCertificatePath } from './certificate-path.ts';
import type { CertificateVerdict, CredentialSource } from './credential-source.ts';
import { DtlsError } from './error.ts';

/** The stored trust anchors and device certificates. */
export interface CertificateTrust {
  /** The anchors of all tenants. An implementation should parse them once and cache them. */
  anchors(): Promise<readonly TrustAnchor[]>;
  /**
   * The device that this certificate identifies, for a tenant that owns one of the path's anchors; null when there is
   * none.
   */
  holder(path: CertificatePath): Promise<CertificateHolder | null>;
}

export interface CertificateHolder {
  readonly credential: string;
  /** The fingerprints of the path that the device's tenant has revoked. Revocations by other tenants have no effect. */
  readonly revoked: readonly string[];
}

type Refused = Extract<CertificateVerdict, { refused: unknown }>;

/**
 * Makes the `certificate` method of `CredentialSource`: it checks the path, then finds the device, then checks
 * revocation.
 */
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
      // verifyCertificatePath throws only alerts that a verdict can contain.
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
