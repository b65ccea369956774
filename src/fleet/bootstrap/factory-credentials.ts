import { randomUUID } from 'node:crypto';
import { and, desc, eq, gt, isNull, sql, or } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import {
  bootstraps,
  credentials,
  factoryCredentials,
  lockUntilEnd,
  profiles,
  StoreError,
  type Store,
} from '../../store/index.ts';
import { type Actor, type DeviceId, type TenantId, requireRole } from '../access/index.ts';
import { FleetError, isUuid, LIMITS, textProblem } from '../common/index.ts';
import {
  type CredentialEvents,
  type PskOnFile,
  checkedIdentity,
  pskKey,
  utf8,
  type Seal,
} from '../credentials/index.ts';
import type { Device, Provisioning } from '../devices/index.ts';
import type { FactoryCredential, NewFactoryCredential } from './bootstrap.ts';

type FactoryRow = typeof factoryCredentials.$inferSelect;

const MOST_CREDENTIALS = 100;
const MOST_DEVICES = 1_000_000;
const LONGEST_PATTERN = 252;

/** Look-ups of factory credentials for a handshake and a Bootstrap-Request, before the tenant is known. */
export interface FactoryLookUp {
  /** By the exact bytes of a PSK identity; null if no valid credential has it. */
  psk(identity: Uint8Array): Promise<PskOnFile | null>;
  /** By id; null if the credential does not exist, was revoked or has expired. */
  credential(id: string): Promise<(FactoryCredential & { readonly tenantId: TenantId }) | null>;
}

/** Creates the look-ups of factory credentials. */
export function createFactoryLookUp({ store, clock, seal }: { store: Store; clock: Clock; seal: Seal }): FactoryLookUp {
  const counting = () =>
    and(isNull(factoryCredentials.revokedAt), gt(factoryCredentials.expiresAt, new Date(clock.now())));
  return {
    async psk(bytes) {
      const identity = utf8(bytes);
      if (identity === null) return null;
      const [row] = await store.asSystem((tx) =>
        tx
          .select()
          .from(factoryCredentials)
          .where(and(eq(factoryCredentials.identity, identity), counting())),
      );
      if (!row) return null;
      return { key: seal.open(row.sealedKey, factoryContext(row.id)), credential: row.id, since: row.createdAt };
    },

    async credential(id) {
      if (!isUuid(id)) return null;
      const [row] = await store.asSystem((tx) =>
        tx
          .select()
          .from(factoryCredentials)
          .where(and(eq(factoryCredentials.id, id), counting())),
      );
      // The cast is safe: the column was written from a TenantId.
      return row ? { ...credentialOfRow(row), tenantId: row.tenantId as TenantId } : null;
    },
  };
}

/** The services that FactoryCredentials uses. */
export interface FactoryParts {
  readonly store: Store;
  readonly bus: EventBus<CredentialEvents>;
  readonly clock: Clock;
  readonly seal: Seal;
  readonly provisioning: Provisioning;
  readonly defaultProfile: (tenantId: TenantId) => Promise<string>;
}

/**
 * Manages factory credentials, one for a whole production run of devices. A device proves itself with it in its first
 * bootstrap, which creates the device if its endpoint is unknown.
 */
export class FactoryCredentials {
  readonly #parts: FactoryParts;

  constructor(parts: FactoryParts) {
    this.#parts = parts;
  }

  /** Returns the tenant's factory credentials, the newest first. */
  async list(actor: Actor): Promise<readonly FactoryCredential[]> {
    requireRole(actor, 'admin');
    const rows = await this.#parts.store.asTenant(actor.tenantId, (tx) =>
      tx.select().from(factoryCredentials).orderBy(desc(factoryCredentials.createdAt), factoryCredentials.id),
    );
    return rows.map(credentialOfRow);
  }

  /**
   * Creates a factory credential and returns its key. Throws VALIDATION for a wrong field, CONFLICT at the limit or if
   * another credential has the identity.
   */
  async create(actor: Actor, input: NewFactoryCredential): Promise<{ credential: FactoryCredential; keyHex: string }> {
    requireRole(actor, 'admin');
    const { store, clock, seal, defaultProfile } = this.#parts;
    check(input, clock.now());
    const key = pskKey(input.key, input.keyLength);
    const id = randomUUID();
    const profileId = input.profileId ?? (await defaultProfile(actor.tenantId));
    const row: FactoryRow = {
      id,
      tenantId: actor.tenantId,
      name: input.name,
      identity: checkedIdentity(input.identity),
      sealedKey: seal.close(key, factoryContext(id)),
      endpointPattern: input.endpointPattern,
      profileId,
      mostDevices: input.mostDevices,
      createdAt: new Date(clock.now()),
      expiresAt: input.expiresAt,
      revokedAt: null,
    };
    await store
      .asTenant(actor.tenantId, async (tx) => {
        const known = isUuid(profileId)
          ? await tx.select({ id: profiles.id }).from(profiles).where(eq(profiles.id, profileId))
          : [];
        if (!known[0]) throw new FleetError('VALIDATION', 'no such profile', { field: ['profileId'] });
        await lockUntilEnd(tx, `factory credentials of ${actor.tenantId}`);
        if ((await tx.$count(factoryCredentials, isNull(factoryCredentials.revokedAt))) >= MOST_CREDENTIALS) {
          throw new FleetError(
            'CONFLICT',
            `the tenant has ${MOST_CREDENTIALS} factory credentials, the limit: revoke one first`,
          );
        }
        await tx.insert(factoryCredentials).values(row);
      })
      .catch((error: unknown) => {
        if (error instanceof StoreError && error.constraint === 'factory_credentials_identity') {
          throw new FleetError('CONFLICT', 'another credential has this identity', {
            field: ['identity'],
            cause: error,
          });
        }
        throw error;
      });
    return { credential: credentialOfRow(row), keyHex: key.toString('hex') };
  }

  /** Revokes a credential and ends its sessions; the devices that it created stay. */
  async revoke(actor: Actor, id: string): Promise<FactoryCredential> {
    requireRole(actor, 'admin');
    const { store, clock, bus } = this.#parts;
    const revokedAt = sql`coalesce(${factoryCredentials.revokedAt}, ${new Date(clock.now()).toISOString()})`;
    const [row] = await store.asTenant(actor.tenantId, async (tx) =>
      isUuid(id)
        ? tx.update(factoryCredentials).set({ revokedAt }).where(eq(factoryCredentials.id, id)).returning()
        : [],
    );
    if (!row) throw new FleetError('NOT_FOUND', 'no such factory credential');
    bus.publish('credentialEnded', actor.tenantId, {
      tenantId: actor.tenantId,
      deviceId: null,
      credentialId: row.id,
    });
    return credentialOfRow(row);
  }

  /**
   * Returns the device of the endpoint, and creates it if there is none; a string is the reason for a refusal. Whoever
   * knows the shared key could claim any endpoint of the pattern. So a factory credential can't claim a device that was
   * given a credential of its own, even a revoked one, unless the device bootstrapped with this factory credential.
   */
  async claim(
    credential: FactoryCredential & { readonly tenantId: TenantId },
    endpoint: string,
  ): Promise<Device | string> {
    const { provisioning } = this.#parts;
    const { tenantId, id, endpointPattern, profileId, mostDevices } = credential;
    if (!matches(endpointPattern, endpoint)) return `the endpoint does not match ${endpointPattern}`;
    const [known] = await provisioning.ofEndpoints(tenantId, [endpoint]);
    if (known) return (await this.#reaches(id, known)) ? known : 'the device has a credential of its own';
    const claimed = await provisioning.claim(tenantId, endpoint, {
      factoryCredentialId: id,
      profileId,
      most: mostDevices,
    });
    if (!claimed) return `the factory credential has reached its limit of ${mostDevices} devices`;
    // Another claim or an admin may have created the device in the meantime.
    return (await this.#reaches(id, claimed)) ? claimed : 'the device has a credential of its own';
  }

  /**
   * True if the factory credential can claim this existing device. A bootstrap credential of the device, even a revoked
   * one, always excludes it. Revoked keys that came from a bootstrap do not matter.
   */
  async #reaches(factoryId: string, { tenantId, id }: Device): Promise<boolean> {
    return this.#parts.store.asTenant(tenantId, async (tx) => {
      const own = await tx
        .select({ purpose: credentials.purpose })
        .from(credentials)
        .where(and(eq(credentials.deviceId, id), or(isNull(credentials.revokedAt), isNull(credentials.bootstrapId))));
      if (own.some(({ purpose }) => purpose === 'bootstrap')) return false;
      const brought = and(
        eq(bootstraps.deviceId, id satisfies DeviceId),
        eq(bootstraps.credentialId, factoryId),
        sql`${bootstraps.status} <> 'REFUSED'`,
      );
      return own.length === 0 || (await tx.$count(bootstraps, brought)) > 0;
    });
  }
}

/** True if the endpoint matches the pattern, in which `*` stands for any text. Takes linear time. */
export function matches(pattern: string, endpoint: string): boolean {
  const [first = '', ...rest] = pattern.split('*');
  const last = rest.pop();
  if (last === undefined) return pattern === endpoint;
  if (!endpoint.startsWith(first) || !endpoint.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = endpoint.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at + last.length <= endpoint.length;
}

/** Throws VALIDATION if a field of the input is wrong. */
function check({ name, endpointPattern, mostDevices, expiresAt }: NewFactoryCredential, now: number): void {
  const problem = textProblem(name, { most: LIMITS.name });
  if (problem !== null) throw wrong('name', problem);
  if (endpointPattern.length < 1 || endpointPattern.length > LONGEST_PATTERN) {
    throw wrong(
      'endpointPattern',
      `the pattern must have 1 to ${LONGEST_PATTERN} characters, not ${endpointPattern.length}`,
    );
  }
  if (!Number.isInteger(mostDevices) || mostDevices < 1 || mostDevices > MOST_DEVICES) {
    throw wrong('mostDevices', `mostDevices must be 1 to ${MOST_DEVICES}, not ${mostDevices}`);
  }
  if (expiresAt.getTime() <= now)
    throw wrong('expiresAt', `expiresAt must be in the future, not ${expiresAt.toISOString()}`);
}

function wrong(field: string, message: string): FleetError {
  return new FleetError('VALIDATION', message, { field: [field] });
}

/** Binds a sealed key to its row. */
export function factoryContext(id: string): string {
  return `factory credential ${id}`;
}

function credentialOfRow(row: FactoryRow): FactoryCredential {
  const { id, name, identity, endpointPattern, profileId, mostDevices, createdAt, expiresAt, revokedAt } = row;
  return { id, name, identity, endpointPattern, profileId, mostDevices, createdAt, expiresAt, revokedAt };
}
