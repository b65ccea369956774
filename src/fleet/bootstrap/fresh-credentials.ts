import { createHash, randomBytes } from 'node:crypto';
import { and, desc, eq, isNotNull, isNull, lt, lte, ne } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import type { Registration } from '../../lwm2m/index.ts';
import { credentials, type Store, type Transaction } from '../../store/index.ts';
import { isUuid } from '../common/index.ts';
import { type CredentialEvents, counts, type CredentialBook } from '../credentials/index.ts';
import { type Device, parseDeviceKey } from '../devices/index.ts';
import type { FreshPsk } from './bootstrap-template.ts';

/** The most valid unused keys of a device: after interrupted bootstraps, it may have received any of the last ones. */
const MOST_UNUSED = 4;
/** The most bytes of an endpoint name in a PSK identity, which has at most 128 bytes. */
const LONGEST_NAMED = 100;

/**
 * Creates and ends the keys of bootstraps. A new key does not replace the device's older ones at once: which key the
 * device holds is known only when it registers. Then the older keys of bootstraps end. A key that an admin created is
 * valid until an admin revokes it.
 */
export class FreshCredentials {
  readonly #store: Store;
  readonly #bus: EventBus<CredentialEvents>;
  readonly #clock: Clock;
  readonly #book: CredentialBook;

  constructor(store: Store, bus: EventBus<CredentialEvents>, clock: Clock, book: CredentialBook) {
    this.#store = store;
    this.#bus = bus;
    this.#clock = clock;
    this.#book = book;
  }

  /** Creates the PSK, with a key of `keyLength` bytes, that the bootstrap writes to the device. */
  async make(tx: Transaction, device: Device, bootstrapId: string, keyLength: number): Promise<FreshPsk> {
    await this.#dropUnused(tx, device);
    const { credential, secret } = await this.#book.issue(tx, device, {
      kind: 'psk',
      identity: `${named(device.endpoint)}#${randomBytes(4).toString('hex')}`,
      keyLength,
    });
    if (secret === null) throw new Error('the new PSK was issued without its key');
    await tx.update(credentials).set({ bootstrapId }).where(eq(credentials.id, credential.id));
    return { identity: secret.identity, key: Buffer.from(secret.keyHex, 'hex') };
  }

  /** Ends the keys of the device's older bootstraps when it registers for the first time with a newer one. */
  async registered({ deviceKey, peer }: Registration, previous: Registration | null): Promise<void> {
    const used = peer.security?.credential;
    if (used === undefined || !isUuid(used) || used === previous?.peer.security?.credential) return;
    const { tenantId, deviceId } = parseDeviceKey(deviceKey);
    const now = new Date(this.#clock.now());
    const ended = await this.#store.asTenant(tenantId, async (tx) => {
      const [first] = await tx
        .update(credentials)
        .set({ usedAt: now })
        .where(
          and(
            eq(credentials.id, used),
            eq(credentials.deviceId, deviceId),
            isNotNull(credentials.bootstrapId),
            isNull(credentials.usedAt),
          ),
        )
        .returning();
      if (!first) return [];
      return tx
        .update(credentials)
        .set({ revokedAt: now })
        .where(
          and(
            eq(credentials.deviceId, deviceId),
            eq(credentials.kind, 'psk'),
            eq(credentials.purpose, 'lwm2m'),
            isNotNull(credentials.bootstrapId),
            ne(credentials.id, first.id),
            lt(credentials.createdAt, first.createdAt),
            counts(now),
          ),
        )
        .returning({ id: credentials.id });
    });
    for (const { id } of ended) {
      this.#bus.publish('credentialEnded', tenantId, { tenantId, deviceId, credentialId: id });
    }
  }

  /** Revokes the device's oldest unused keys, so that the next key is at most the fourth. */
  async #dropUnused(tx: Transaction, { id }: Device): Promise<void> {
    const now = new Date(this.#clock.now());
    const unused = and(
      eq(credentials.deviceId, id),
      isNotNull(credentials.bootstrapId),
      isNull(credentials.usedAt),
      counts(now),
    );
    const [oldest] = await tx
      .select({ createdAt: credentials.createdAt })
      .from(credentials)
      .where(unused)
      .orderBy(desc(credentials.createdAt))
      .offset(MOST_UNUSED - 1)
      .limit(1);
    if (!oldest) return;
    // An unused key has no session to end.
    await tx
      .update(credentials)
      .set({ revokedAt: now })
      .where(and(unused, lte(credentials.createdAt, oldest.createdAt)));
  }
}

/** Returns the endpoint name, or its SHA-256 digest in hex if the name is too long for an identity. */
function named(endpoint: string): string {
  if (Buffer.byteLength(endpoint) <= LONGEST_NAMED) return endpoint;
  return createHash('sha256').update(endpoint).digest('hex');
}
