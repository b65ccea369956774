import { randomUUID } from 'node:crypto';
import { and, desc, eq, gt, isNull, sql, or } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import { bootstraps, credentials, factoryCredentials, profiles, StoreError, type Store } from '../../store/index.ts';
import { type Actor, type DeviceId, type TenantId, requireRole } from '../access/index.ts';
import { FleetError, isUuid } from '../common/index.ts';
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
const LONGEST_NAME = 200;

/** What a handshake and a Bootstrap-Request ask of factory credentials, before anybody knows the tenant. */
export interface FactoryLookUp {
  /** By the exact bytes of a PSK identity; null when none counts. */
  psk(identity: Uint8Array): Promise<PskOnFile | null>;
  /** Null when it no longer counts, or there is none. */
  credential(id: string): Promise<(FactoryCredential & { readonly tenantId: TenantId }) | null>;
}

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
      // The column holds what TenantId names.
      return row ? { ...credentialOfRow(row), tenantId: row.tenantId as TenantId } : null;
    },
  };
}

export interface FactoryParts {
  readonly store: Store;
  readonly bus: EventBus<CredentialEvents>;
  readonly clock: Clock;
  readonly seal: Seal;
  readonly provisioning: Provisioning;
  readonly defaultProfile: (tenantId: TenantId) => Promise<string>;
}

/** Provisioning by claim: what a whole production run of devices proves itself with, once. */
export class FactoryCredentials {
  readonly #parts: FactoryParts;

  constructor(parts: FactoryParts) {
    this.#parts = parts;
  }

  async list(actor: Actor): Promise<readonly FactoryCredential[]> {
    requireRole(actor, 'admin');
    const rows = await this.#parts.store.asTenant(actor.tenantId, (tx) =>
      tx.select().from(factoryCredentials).orderBy(desc(factoryCredentials.createdAt), factoryCredentials.id),
    );
    return rows.map(credentialOfRow);
  }

  async create(actor: Actor, input: NewFactoryCredential): Promise<{ credential: FactoryCredential; keyHex: string }> {
    requireRole(actor, 'admin');
    const { store, clock, seal, defaultProfile } = this.#parts;
    check(input, clock.now());
    const key = pskKey(input.key);
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
        if ((await tx.$count(factoryCredentials, isNull(factoryCredentials.revokedAt))) >= MOST_CREDENTIALS) {
          throw new FleetError('CONFLICT', `a tenant has at most ${MOST_CREDENTIALS} factory credentials`);
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

  /** Its sessions end; the devices that it made stay. */
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
   * The device of the endpoint, made now where there is none; a text says why not. Who knows the shared key could take
   * any endpoint of the pattern, so one that was given a credential of its own, revoked by now or not, is out of its
   * reach, unless it was this factory credential that brought it.
   */
  async claim(
    credential: FactoryCredential & { readonly tenantId: TenantId },
    endpoint: string,
  ): Promise<Device | string> {
    const { store, provisioning } = this.#parts;
    const { tenantId, id, endpointPattern, profileId, mostDevices } = credential;
    if (!matches(endpointPattern, endpoint)) return `the endpoint does not match ${endpointPattern}`;
    const [known] = await provisioning.ofEndpoints(tenantId, [endpoint], false);
    if (known) return (await this.#reaches(id, known)) ? known : 'the device has a credential of its own';
    const made = await store.asTenant(tenantId, (tx) =>
      tx
        .select({ count: sql<number>`count(distinct ${bootstraps.deviceId})::int` })
        .from(bootstraps)
        .where(eq(bootstraps.credentialId, id)),
    );
    if ((made[0]?.count ?? 0) >= mostDevices) return `the factory credential has brought its ${mostDevices} devices`;
    const [device] = await provisioning.ofEndpoints(tenantId, [endpoint], true, profileId);
    return device ?? 'the device could not be made';
  }

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

/** `*` stands for any text. Linear. */
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

function check({ name, endpointPattern, mostDevices, expiresAt }: NewFactoryCredential, now: number): void {
  if (name.length < 1 || name.length > LONGEST_NAME) throw wrong('name', `a name has 1 to ${LONGEST_NAME} characters`);
  if (endpointPattern.length < 1 || endpointPattern.length > LONGEST_PATTERN) {
    throw wrong('endpointPattern', `a pattern has 1 to ${LONGEST_PATTERN} characters`);
  }
  if (!Number.isInteger(mostDevices) || mostDevices < 1 || mostDevices > MOST_DEVICES) {
    throw wrong('mostDevices', `${mostDevices} is not in 1..${MOST_DEVICES}`);
  }
  if (expiresAt.getTime() <= now) throw wrong('expiresAt', `${expiresAt.toISOString()} has passed`);
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
