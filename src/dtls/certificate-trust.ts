import { type Clock, systemClock } from '../clock.ts';
import { type CertificatePath, type TrustAnchor, verifyCertificatePath } from './certificate-path.ts';
import type { CertificateVerdict, Credentials } from './credentials.ts';
import { DtlsError } from './error.ts';

/** What is on file about certificates. */
export interface CertificateTrust {
  /** Of all tenants; keep them parsed. */
  anchors(): Promise<readonly TrustAnchor[]>;
  /** Which fingerprints of the path are revoked, by a tenant of one of its anchors. */
  revoked(path: CertificatePath): Promise<readonly string[]>;
  /** The credential of the device that this certificate names to one of its anchors' tenants; null when there is none. */
  credential(path: CertificatePath): Promise<string | null>;
}

type Refused = Extract<CertificateVerdict, { refused: unknown }>;

/** The `certificate` of `Credentials`: the chain, then revocation, then the name. */
export function certificateVerifier(trust: CertificateTrust, clock: Clock = systemClock): Credentials['certificate'] {
  return async (chain) => {
    let path: CertificatePath;
    try {
      path = verifyCertificatePath(chain, await trust.anchors(), clock.now());
    } catch (error) {
      if (!(error instanceof DtlsError)) throw error;
      // verifyCertificatePath throws no other alerts than a verdict knows.
      return { refused: error.code as Refused['refused'], reason: error.message };
    }
    const [revoked] = await trust.revoked(path);
    if (revoked !== undefined) {
      return { refused: 'certificate_revoked', reason: `a certificate of '${path.subject}' is revoked: ${revoked}` };
    }
    const credential = await trust.credential(path);
    if (credential !== null) return { credential };
    return { refused: 'certificate_unknown', reason: `certificate '${path.subject}' names no device` };
  };
}
