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

/** How long trust anchors are kept parsed: a change of them counts after this long at most. */
const ANCHORS_MS = 5_000;

interface Anchors {
  readonly parsed: readonly TrustAnchor[];
  readonly tenants: ReadonlyMap<string, string>;
  readonly readAt: number;
}

export interface FleetCredentials extends CredentialSource {
  /** The next certificate is checked against the trust anchors as they are then. */
  forgetAnchors(): void;
}

/** What the fleet has on file, as a handshake asks for it. */
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

/** An anchor that can't be read trusts nobody; it must not shut out the devices of the others. */
function readable(id: string, certificate: Uint8Array): TrustAnchor[] {
  try {
    return [trustAnchor(id, certificate)];
  } catch (error) {
    if (error instanceof DtlsError) return [];
    throw error;
  }
}
