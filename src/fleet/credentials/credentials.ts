import { randomBytes, randomUUID } from 'node:crypto';
import { and, eq, gt, inArray, isNull, sql } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import {
  credentials,
  devices,
  lockUntilEnd,
  revokedCertificates,
  StoreError,
  trustAnchors,
  type Store,
  type Transaction,
} from '../../store/index.ts';
import { type Actor, type DeviceId, type TenantId, requireRole } from '../access/index.ts';
import { FleetError, isUuid } from '../common/index.ts';
import type {
  CredentialEvents,
  CredentialKind,
  CredentialPurpose,
  DeviceCredential,
  IssuedCredential,
  NewCredential,
  TrustAnchor,
} from './credential.ts';
import { counts, keyContext } from './look-up.ts';
import { anchorCertificate, checkedIdentity, checkedSubject, pskKey, publicKeyFingerprint, sha256 } from './rules.ts';
import type { Seal } from './seal.ts';

/**
 * Manages the credentials and trust anchors of a tenant. All methods require the role admin. A secret is returned only
 * by the call that generated or stored it.
 */
export interface Credentials {
  /** The credentials of each device, also revoked and expired ones, the newest first. */
  list(actor: Actor, deviceIds: readonly DeviceId[]): Promise<Map<DeviceId, DeviceCredential[]>>;
  /** Adds a credential to a device and publishes `credentialCreated`. */
  create(actor: Actor, deviceId: string, input: NewCredential): Promise<IssuedCredential>;
  /** Creates a PSK with a new identity. The old PSK stays valid for `overlapSeconds`; then its sessions end. */
  rotate(actor: Actor, id: string, input: { overlapSeconds: number }): Promise<IssuedCredential>;
  /** Revokes a credential. Its sessions end at once. */
  revoke(actor: Actor, id: string): Promise<DeviceCredential>;
  /** The trust anchors of the tenant, the oldest first. */
  anchors(actor: Actor): Promise<readonly TrustAnchor[]>;
  /** `certificate`: as PEM or as DER in base64. Throws CONFLICT if it is a trust anchor already, or is revoked. */
  addAnchor(actor: Actor, input: { name: string; certificate: string }): Promise<TrustAnchor>;
  removeAnchor(actor: Actor, id: string): Promise<TrustAnchor>;
  /**
   * Revokes a certificate of a device or of a trust anchor: it is invalid from now on, whatever its dates are.
   * `fingerprint`: the SHA-256 of the certificate in hex.
   */
  revokeCertificate(actor: Actor, input: { fingerprint: string; reason: string }): Promise<void>;
}

/** The credentials as the fleet itself uses them: Credentials, and methods that need no actor. */
export interface CredentialBook extends Credentials {
  /**
   * Adds a credential to a device within the transaction. The device may be new in the same transaction. Throws
   * VALIDATION if the input is invalid; CONFLICT if the device has too many credentials or the identity is taken.
   */
  issue(tx: Transaction, device: CredentialOwner, input: NewCredential): Promise<IssuedCredential>;
  /**
   * Starts the timers of rotations from before this start again: sessions survive a restart, and must end when the old
   * key expires. Call it once, after the subscribers to `credentialEnded` are there.
   */
  resume(): Promise<void>;
}

/** The device that gets a credential. */
export interface CredentialOwner {
  readonly tenantId: string;
  readonly id: string;
  readonly endpoint: string;
}

/** 90 days in seconds. */
const LONGEST_OVERLAP = 90 * 86_400;
/** Most valid credentials of a device. */
const MOST_PER_DEVICE = 16;
/** Most trust anchors of a tenant. */
const MOST_ANCHORS = 64;
/** Most rotations that `resume` starts timers for: those that expire first. */
const MOST_RESUMED = 1_000;

type CredentialRow = typeof credentials.$inferSelect;

export function createCredentials({
  store,
  clock,
  bus,
  seal,
}: {
  store: Store;
  clock: Clock;
  bus: EventBus<CredentialEvents>;
  seal: Seal;
}): CredentialBook {
  const now = (): Date => new Date(clock.now());
  const ended = (tenantId: TenantId, { id, deviceId }: { readonly id: string; readonly deviceId: string }): void =>
    bus.publish('credentialEnded', tenantId, {
      tenantId,
      deviceId: deviceId as DeviceId, // the column contains only device ids
      credentialId: id,
    });

  /** The length of a PSK's key in bytes. */
  function pskBytes({ id, sealedKey }: CredentialRow): number {
    if (sealedKey === null) throw new Error(`the PSK ${id} has no key`);
    return seal.open(sealedKey, keyContext(id)).length;
  }

  /** Inserts a credential. Throws CONFLICT if another credential of any tenant has the same identity. */
  async function insert(
    tx: Transaction,
    device: { tenantId: string; id: string },
    { kind, purpose = 'lwm2m' }: { readonly kind: CredentialKind; readonly purpose?: CredentialPurpose },
    identity: string,
    key: Uint8Array | null,
  ): Promise<CredentialRow> {
    const id = randomUUID();
    const row = {
      id,
      tenantId: device.tenantId,
      deviceId: device.id,
      kind,
      purpose,
      identity,
      sealedKey: key && seal.close(key, keyContext(id)),
      createdAt: now(),
      expiresAt: null,
      revokedAt: null,
      bootstrapId: null,
      usedAt: null,
    };
    // A conflict must not be an SQL error: an error would abort the transaction.
    const made = await tx.insert(credentials).values(row).onConflictDoNothing().returning({ id: credentials.id });
    if (made.length > 0) return row;
    throw new FleetError('CONFLICT', 'another credential has this identity', { field: ['identity'] });
  }

  /** Throws CONFLICT if the device has as many valid credentials as a device can have. */
  async function checkRoom(tx: Transaction, deviceId: string): Promise<void> {
    await lockUntilEnd(tx, `credentials of ${deviceId}`);
    const present = await tx.$count(credentials, and(eq(credentials.deviceId, deviceId), counts(now())));
    if (present >= MOST_PER_DEVICE) {
      throw new FleetError('CONFLICT', `a device has at most ${MOST_PER_DEVICE} credentials`);
    }
  }

  async function issue(tx: Transaction, device: CredentialOwner, input: NewCredential): Promise<IssuedCredential> {
    await checkRoom(tx, device.id);
    if (input.kind === 'psk') {
      const key = pskKey(input.key, input.keyLength);
      const put = (identity: string): Promise<CredentialRow> => insert(tx, device, input, identity, key);
      // The default identity is the endpoint. If another credential has it, maybe of another tenant, a suffix is added.
      const wanted = input.identity ?? null;
      const row = await put(checkedIdentity(wanted ?? device.endpoint)).catch((error: unknown) => {
        if (wanted !== null || !(error instanceof FleetError) || error.code !== 'CONFLICT') throw error;
        return put(successorOf(device.endpoint));
      });
      return { credential: credentialOfRow(row), secret: { identity: row.identity, keyHex: key.toString('hex') } };
    }
    const identity =
      input.kind === 'rpk' ? publicKeyFingerprint(input.publicKey) : checkedSubject(input.subject ?? device.endpoint);
    return { credential: credentialOfRow(await insert(tx, device, input, identity, null)), secret: null };
  }

  return {
    issue,

    async resume() {
      const rotated = await store.asSystem((tx) =>
        tx
          .select({
            id: credentials.id,
            tenantId: credentials.tenantId,
            deviceId: credentials.deviceId,
            expiresAt: credentials.expiresAt,
          })
          .from(credentials)
          // Credentials that have expired already can't open a session.
          .where(and(gt(credentials.expiresAt, now()), isNull(credentials.revokedAt)))
          .orderBy(credentials.expiresAt)
          .limit(MOST_RESUMED),
      );
      for (const one of rotated) {
        const left = (one.expiresAt?.getTime() ?? 0) - clock.now();
        // The column contains only tenant ids.
        clock.after(Math.max(0, left), () => ended(one.tenantId as TenantId, one));
      }
    },

    async list(actor, deviceIds) {
      requireRole(actor, 'admin');
      const found = new Map<DeviceId, DeviceCredential[]>(deviceIds.map((id) => [id, []]));
      if (deviceIds.length === 0) return found;
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx
          .select()
          .from(credentials)
          .where(inArray(credentials.deviceId, [...deviceIds]))
          .orderBy(sql`${credentials.createdAt} desc`, credentials.id),
      );
      for (const row of rows) found.get(row.deviceId as DeviceId)?.push(credentialOfRow(row));
      return found;
    },

    async create(actor, deviceId, input) {
      requireRole(actor, 'admin');
      const make = async (tx: Transaction): Promise<IssuedCredential> => {
        const [device] = isUuid(deviceId) ? await tx.select().from(devices).where(eq(devices.id, deviceId)) : [];
        if (!device) throw new FleetError('NOT_FOUND', 'no such device');
        return issue(tx, device, input);
      };
      const issued = await store.asTenant(actor.tenantId, make);
      bus.publish('credentialCreated', actor.tenantId, {
        tenantId: actor.tenantId,
        deviceId: issued.credential.deviceId,
      });
      return issued;
    },

    async rotate(actor, id, { overlapSeconds }) {
      requireRole(actor, 'admin');
      if (!Number.isInteger(overlapSeconds) || overlapSeconds < 0 || overlapSeconds > LONGEST_OVERLAP) {
        throw new FleetError('VALIDATION', `overlapSeconds must be 0 to ${LONGEST_OVERLAP}, not ${overlapSeconds}`, {
          field: ['overlapSeconds'],
        });
      }
      const issued = await store.asTenant(actor.tenantId, async (tx) => {
        const old = await byId(tx, id);
        if (old.kind !== 'psk')
          throw new FleetError(
            'VALIDATION',
            'only a PSK can be rotated: create a new credential and revoke the old one',
            {
              field: ['id'],
            },
          );
        if (old.revokedAt !== null || old.expiresAt !== null)
          throw new FleetError('CONFLICT', 'the credential was revoked, has expired or was already rotated');
        await tx
          .update(credentials)
          .set({ expiresAt: new Date(clock.now() + overlapSeconds * 1000) })
          .where(eq(credentials.id, old.id));
        await checkRoom(tx, old.deviceId);
        // The new key needs its own identity, because both keys are valid during the overlap.
        const identity = successorOf(old.identity);
        // A device that can't hold long keys must be able to hold the new one.
        const key = randomBytes(pskBytes(old));
        const row = await insert(tx, { tenantId: old.tenantId, id: old.deviceId }, old, identity, key);
        return { credential: credentialOfRow(row), secret: { identity, keyHex: key.toString('hex') } };
      });
      clock.after(overlapSeconds * 1000, () => ended(actor.tenantId, { id, deviceId: issued.credential.deviceId }));
      return issued;
    },

    async revoke(actor, id) {
      requireRole(actor, 'admin');
      const row = await store.asTenant(actor.tenantId, async (tx) => {
        const present = await byId(tx, id);
        if (present.revokedAt !== null) return present;
        const revokedAt = now();
        await tx.update(credentials).set({ revokedAt }).where(eq(credentials.id, present.id));
        return { ...present, revokedAt };
      });
      ended(actor.tenantId, row);
      return credentialOfRow(row);
    },

    async anchors(actor) {
      requireRole(actor, 'admin');
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx.select().from(trustAnchors).orderBy(trustAnchors.createdAt),
      );
      return rows;
    },

    async addAnchor(actor, { name, certificate: text }) {
      requireRole(actor, 'admin');
      const certificate = anchorCertificate(text);
      const row = {
        id: randomUUID(),
        tenantId: actor.tenantId,
        name,
        certificate: certificate.raw,
        subject: certificate.subject.replaceAll('\n', ', '),
        fingerprint: sha256(certificate.raw),
        notAfter: new Date(certificate.validTo),
        createdAt: now(),
      };
      await store
        .asTenant(actor.tenantId, async (tx) => {
          await lockUntilEnd(tx, trustOf(actor.tenantId));
          if ((await tx.$count(trustAnchors)) >= MOST_ANCHORS)
            throw new FleetError('CONFLICT', `a tenant has at most ${MOST_ANCHORS} trust anchors`);
          if ((await tx.$count(revokedCertificates, eq(revokedCertificates.fingerprint, row.fingerprint))) > 0)
            throw new FleetError('CONFLICT', `the certificate ${row.fingerprint} is revoked`, {
              field: ['certificate'],
            });
          await tx.insert(trustAnchors).values(row);
        })
        .catch((error: unknown) => {
          if (error instanceof StoreError && error.constraint === 'trust_anchors_fingerprint') {
            throw new FleetError('CONFLICT', 'this certificate is already a trust anchor', {
              field: ['certificate'],
              cause: error,
            });
          }
          throw error;
        });
      bus.publish('trustChanged', actor.tenantId, { tenantId: actor.tenantId, counts: true });
      return row;
    },

    async removeAnchor(actor, id) {
      requireRole(actor, 'admin');
      const [row] = await store.asTenant(actor.tenantId, async (tx) =>
        isUuid(id) ? tx.delete(trustAnchors).where(eq(trustAnchors.id, id)).returning() : [],
      );
      if (!row) throw new FleetError('NOT_FOUND', 'no such trust anchor');
      bus.publish('trustChanged', actor.tenantId, { tenantId: actor.tenantId, counts: false });
      return row;
    },

    async revokeCertificate(actor, { fingerprint, reason }) {
      requireRole(actor, 'admin');
      const hex = fingerprint.replaceAll(':', '').toLowerCase();
      if (!/^[0-9a-f]{64}$/.test(hex)) {
        throw new FleetError(
          'VALIDATION',
          `${JSON.stringify(fingerprint.slice(0, 100))} is not a SHA-256 digest in hex (64 digits)`,
          {
            field: ['fingerprint'],
          },
        );
      }
      const made = await store.asTenant(actor.tenantId, async (tx) => {
        await lockUntilEnd(tx, trustOf(actor.tenantId));
        return tx
          .insert(revokedCertificates)
          .values({
            id: randomUUID(),
            tenantId: actor.tenantId,
            fingerprint: hex,
            reason: reason.slice(0, 500),
            revokedAt: now(),
          })
          .onConflictDoNothing()
          .returning({ id: revokedCertificates.id });
      });
      if (made.length === 0) return;
      bus.publish('trustChanged', actor.tenantId, { tenantId: actor.tenantId, counts: false });
    },
  };
}

/** The lock of a tenant's trust anchors and revoked certificates: a certificate must not become both. */
function trustOf(tenantId: TenantId): string {
  return `trust of ${tenantId}`;
}

async function byId(tx: Transaction, id: string): Promise<CredentialRow> {
  const [row] = isUuid(id) ? await tx.select().from(credentials).where(eq(credentials.id, id)).for('update') : [];
  if (!row) throw new FleetError('NOT_FOUND', 'no such credential');
  return row;
}

/**
 * Returns the identity with a new random suffix: `sensor-1` becomes `sensor-1#9f86d081`. A present suffix is replaced.
 */
function successorOf(identity: string): string {
  return checkedIdentity(`${identity.slice(0, 100).replace(/#[0-9a-f]{8}$/, '')}#${randomBytes(4).toString('hex')}`);
}

function credentialOfRow({
  id,
  deviceId,
  kind,
  purpose,
  identity,
  createdAt,
  expiresAt,
  revokedAt,
}: CredentialRow): DeviceCredential {
  // The column contains only device ids.
  return { id, deviceId: deviceId as DeviceId, kind, purpose, identity, createdAt, expiresAt, revokedAt };
}
