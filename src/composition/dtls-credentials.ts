import type { Clock } from '../clock.ts';
import {
  certificateVerifier,
  DtlsError,
  trustAnchor,
  type CertificatePath,
  type Credentials,
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

/** What the fleet has on file, as a handshake asks for it. */
export function dtlsCredentials(lookUp: CredentialLookUp, clock: Clock): Credentials {
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
    psk: (identity) => lookUp.psk(identity),
    rawPublicKey: (spki) => lookUp.publicKey(spki),
    certificate: certificateVerifier(
      {
        anchors: async () => (await anchors()).parsed,
        revoked: async (path) => lookUp.revoked(await tenantsOf(path), path.fingerprints),
        async credential(path) {
          if (path.commonName === null) return null;
          const found = await lookUp.certificate(await tenantsOf(path), path.commonName);
          return found?.credential ?? null;
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
