import type { Clock } from '../clock.ts';
import {
  certificateVerifier,
  DtlsError,
  trustAnchor,
  type CertificatePath,
  type CredentialSource,
  type TrustAnchor,
} from '../dtls/index.ts';
import type { CredentialLookUp } from '../fleet/index.ts';

/** How long parsed trust anchors are cached: a change takes effect within this time. */
const ANCHORS_MS = 5_000;

interface Anchors {
  readonly parsed: readonly TrustAnchor[];
  readonly tenants: ReadonlyMap<string, string>;
  readonly readAt: number;
}

export interface FleetCredentials extends CredentialSource {
  /** Clears the cache: the next certificate check reads the trust anchors again. */
  forgetAnchors(): void;
}

/** Answers the credential look-ups of DTLS handshakes from the fleet’s credentials. */
export function dtlsCredentials(lookUp: CredentialLookUp, clock: Clock): FleetCredentials {
  let kept: Promise<Anchors> | null = null;

  async function read(): Promise<Anchors> {
    const rows = await lookUp.anchors();
    return {
      parsed: rows.flatMap(({ id, certificate }) => readable(id, certificate)),
      tenants: new Map(rows.map(({ id, tenantId }) => [id, tenantId])),
      readAt: clock.now(),
    };
  }

  async function anchors(): Promise<Anchors> {
    const present = await kept?.catch(() => null);
    if (present && clock.now() - present.readAt < ANCHORS_MS) return present;
    kept = read();
    return kept;
  }

  async function tenantsOf(path: CertificatePath): Promise<string[]> {
    const { tenants } = await anchors();
    return path.anchors.flatMap((id) => tenants.get(id) ?? []);
  }

  return {
    forgetAnchors() {
      kept = null;
    },
    psk: (identity) => lookUp.psk(identity),
    rawPublicKey: (spki) => lookUp.publicKey(spki),
    certificate: certificateVerifier(
      {
        anchors: async () => (await anchors()).parsed,
        async holder(path) {
          if (path.commonName === null) return null;
          return lookUp.certificate(await tenantsOf(path), path.commonName, path.fingerprints);
        },
      },
      clock,
    ),
  };
}

/** Ignores an anchor that can't be parsed, so that certificates of the other anchors are still accepted. */
function readable(id: string, certificate: Uint8Array): TrustAnchor[] {
  try {
    return [trustAnchor(id, certificate)];
  } catch (error) {
    if (error instanceof DtlsError) return [];
    throw error;
  }
}
