import { and, eq, gt, inArray, isNull, or, type SQL } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import {
  credentials,
  devices,
  revokedCertificates,
  trustAnchors,
  type Store,
  type Transaction,
} from '../../store/index.ts';
import type { DeviceId } from '../access/index.ts';
import { isUuid } from '../common/index.ts';
import type { CredentialHolder, CredentialPurpose } from './credential.ts';
import { sha256, utf8 } from './rules.ts';
import type { Seal } from './seal.ts';

/** Checks the credentials of a Register. */
export interface CredentialGate {
  /** The devices of credentials, by credential id. Expired and revoked credentials are left out. */
  holders(credentials: readonly string[]): Promise<ReadonlyMap<string, CredentialHolder>>;
  /**
   * Which of the devices must authenticate: those that have, or had, a credential (at the bootstrap server: a
   * credential for bootstrap).
   */
  secured(tx: Transaction, deviceIds: readonly DeviceId[]): Promise<ReadonlySet<DeviceId>>;
}

/** A PSK from the database. */
export interface PskOnFile {
  readonly key: Uint8Array;
  /** The id of the credential. */
  readonly credential: string;
  /** When it was created. */
  readonly since: Date;
}

/**
 * Finds credentials for a handshake and a Register, when the tenant is not known yet. All methods but `secured` return
 * only credentials that are valid now.
 */
export interface CredentialLookUp extends CredentialGate {
  /** The PSK with this identity, which must be the same byte for byte. */
  psk(identity: Uint8Array): Promise<PskOnFile | null>;
  /** The RPK credential with this public key, given as a DER SubjectPublicKeyInfo. */
  publicKey(spki: Uint8Array): Promise<{ readonly credential: string } | null>;
  /**
   * The trust anchors of all tenants, with their DER certificates. Anchors that their own tenant revoked are left out.
   */
  anchors(): Promise<readonly { readonly id: string; readonly tenantId: string; readonly certificate: Uint8Array }[]>;
  /**
   * The credential with this common name in one of the tenants, and which of the fingerprints (SHA-256 in hex) its
   * tenant revoked. If several tenants have a credential with this name, the oldest credential is returned.
   */
  certificate(
    tenantIds: readonly string[],
    subject: string,
    fingerprints: readonly string[],
  ): Promise<{ readonly credential: string; readonly revoked: readonly string[] } | null>;
}

/** The SQL condition for credentials that are valid at `now`: not revoked, and not after the overlap of a rotation. */
export function counts(now: Date): SQL | undefined {
  return and(isNull(credentials.revokedAt), or(isNull(credentials.expiresAt), gt(credentials.expiresAt, now)));
}

/** The context that binds a sealed key to its row. */
export function keyContext(credentialId: string): string {
  return `credential ${credentialId}`;
}

/** Creates a look-up for the credentials of one purpose. */
export function createCredentialLookUp({
  store,
  clock,
  seal,
  purpose = 'lwm2m',
}: {
  store: Store;
  clock: Clock;
  seal: Seal;
  purpose?: CredentialPurpose;
}): CredentialLookUp {
  const counting = (): SQL | undefined => and(eq(credentials.purpose, purpose), counts(new Date(clock.now())));
  return {
    async psk(identity) {
      const text = utf8(identity);
      if (text === null) return null;
      const [row] = await store.asSystem((tx) =>
        tx
          .select()
          .from(credentials)
          .where(and(eq(credentials.kind, 'psk'), eq(credentials.identity, text), counting())),
      );
      if (!row?.sealedKey) return null;
      return { key: seal.open(row.sealedKey, keyContext(row.id)), credential: row.id, since: row.createdAt };
    },

    async publicKey(spki) {
      const [row] = await store.asSystem((tx) =>
        tx
          .select({ id: credentials.id })
          .from(credentials)
          .where(and(eq(credentials.kind, 'rpk'), eq(credentials.identity, sha256(spki)), counting())),
      );
      return row ? { credential: row.id } : null;
    },

    anchors: () =>
      store.asSystem((tx) =>
        tx
          .select({ id: trustAnchors.id, tenantId: trustAnchors.tenantId, certificate: trustAnchors.certificate })
          .from(trustAnchors)
          .leftJoin(
            revokedCertificates,
            and(
              eq(revokedCertificates.tenantId, trustAnchors.tenantId),
              eq(revokedCertificates.fingerprint, trustAnchors.fingerprint),
            ),
          )
          .where(isNull(revokedCertificates.id)),
      ),

    certificate: (tenantIds, subject, fingerprints) =>
      store.asSystem(async (tx) => {
        const [found] = await tx
          .select({ id: credentials.id, tenantId: credentials.tenantId })
          .from(credentials)
          .where(
            and(
              inArray(credentials.tenantId, [...tenantIds]),
              eq(credentials.kind, 'x509'),
              eq(credentials.identity, subject),
              counting(),
            ),
          )
          .orderBy(credentials.createdAt, credentials.id)
          .limit(1);
        if (!found) return null;
        const revoked = await tx
          .select({ fingerprint: revokedCertificates.fingerprint })
          .from(revokedCertificates)
          .where(
            and(
              eq(revokedCertificates.tenantId, found.tenantId),
              inArray(revokedCertificates.fingerprint, [...fingerprints]),
            ),
          );
        return { credential: found.id, revoked: revoked.map(({ fingerprint }) => fingerprint) };
      }),

    async holders(ids) {
      const rows = await store.asSystem((tx) =>
        tx
          .select({
            credentialId: credentials.id,
            tenantId: devices.tenantId,
            deviceId: devices.id,
            endpoint: devices.endpoint,
          })
          .from(credentials)
          .innerJoin(devices, eq(devices.id, credentials.deviceId))
          .where(and(inArray(credentials.id, ids.filter(isUuid)), counting())),
      );
      // The column contains only device ids.
      return new Map(rows.map((row) => [row.credentialId, { ...row, deviceId: row.deviceId as DeviceId }]));
    },

    async secured(tx, deviceIds) {
      // A device with a bootstrap credential must authenticate to the LwM2M server too. A revoked or expired credential
      // counts here: otherwise a device would be open to anyone after its stolen credential was revoked.
      const ofPurpose = purpose === 'bootstrap' ? eq(credentials.purpose, purpose) : undefined;
      const rows = await tx
        .selectDistinct({ deviceId: credentials.deviceId })
        .from(credentials)
        .where(and(inArray(credentials.deviceId, [...deviceIds]), ofPurpose));
      return new Set(rows.map(({ deviceId }) => deviceId as DeviceId)); // as above
    },
  };
}
