import { randomUUID } from 'node:crypto';
import { and, asc, eq, isNull, sql } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import { apiKeys, lockUntilEnd, settings, type Store } from '../../store/index.ts';
import { FleetError, isUuid, LIMITS, textProblem } from '../common/index.ts';
import type { AccessEvents } from './access-events.ts';
import type { Actor, Role, TenantId } from './actor.ts';
import { ADMIN_TOKEN_SETTING } from './admin-token.ts';
import { requireRole } from './roles.ts';
import { DEFAULT_TENANT } from './tenants.ts';
import { hashOfToken, makeToken } from './token.ts';
import { ValidTokens } from './valid-tokens.ts';

/** Authenticates tokens and manages the API keys of a tenant. */
export interface Access {
  /**
   * Resolves with the actor of an API key or of the admin token; null if the token is unknown or revoked. Executes at
   * most one SQL statement, which compares hashes: its duration reveals nothing about the token. A token that was valid
   * in the last 5 seconds and was not revoked needs none; an admin token that was replaced is valid for this time.
   */
  authenticate(token: string): Promise<Actor | null>;
  /** Creates an API key. The token is returned only here; the database stores its hash. Requires the role admin. */
  createKey(actor: Actor, input: { name: string; role: Actor['role'] }): Promise<{ id: string; token: string }>;
  /** The API keys of the tenant that are not revoked, the oldest first. Requires the role admin. */
  keys(actor: Actor): Promise<readonly { id: string; name: string; role: Actor['role']; createdAt: Date }[]>;
  /**
   * Revokes an API key and publishes `keyRevoked`, which ends the subscriptions of the key. Requires the role admin.
   */
  revokeKey(actor: Actor, id: string): Promise<void>;
}

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];
/** Most API keys of a tenant. Revoked keys do not count. */
const MOST_KEYS = 200;
/** The longest API key and TREELINE_ADMIN_TOKEN, in characters. Longer tokens are rejected without a query. */
export const LONGEST_TOKEN = 256;

/** Creates the Access of a store. */
export function createAccess(store: Store, bus: EventBus<AccessEvents>, clock: Clock): Access {
  const valid = new ValidTokens(bus, clock);

  /** This runs as system, because the tenant is unknown until the token is found. */
  async function find(hash: string): Promise<Actor | null> {
    const [found] = await store.asSystem((tx) =>
      tx
        .select({ keyId: sql<string | null>`${apiKeys.id}::text`, tenantId: apiKeys.tenantId, role: apiKeys.role })
        .from(apiKeys)
        .where(and(eq(apiKeys.tokenHash, hash), isNull(apiKeys.revokedAt)))
        .unionAll(
          tx
            .select({ keyId: sql<null>`null`, tenantId: sql<string>`${DEFAULT_TENANT}`, role: sql<'admin'>`'admin'` })
            .from(settings)
            .where(and(eq(settings.key, ADMIN_TOKEN_SETTING), eq(settings.value, hash))),
        ),
    );
    return found ? actorOf(found) : null;
  }
  return {
    async authenticate(token) {
      if (token.length === 0 || token.length > LONGEST_TOKEN) return null;
      const hash = hashOfToken(token);
      return valid.actorOf(hash, () => find(hash));
    },

    async createKey(actor, input) {
      requireRole(actor, 'admin');
      const name = input.name.trim();
      const problem = textProblem(name, { most: LIMITS.name });
      if (problem !== null) throw new FleetError('VALIDATION', problem, { field: ['name'] });
      if (!ROLES.includes(input.role)) {
        throw new FleetError('VALIDATION', `the role must be one of ${ROLES.join(', ')}`, { field: ['role'] });
      }
      const id = randomUUID();
      const token = makeToken();
      await store.asTenant(actor.tenantId, async (tx) => {
        await lockUntilEnd(tx, `API keys of ${actor.tenantId}`);
        if ((await tx.$count(apiKeys, isNull(apiKeys.revokedAt))) >= MOST_KEYS) {
          throw new FleetError('CONFLICT', `the tenant has ${MOST_KEYS} API keys, the limit: revoke one first`);
        }
        await tx.insert(apiKeys).values({
          id,
          tenantId: actor.tenantId,
          name,
          role: input.role,
          tokenHash: hashOfToken(token),
          createdAt: new Date(clock.now()),
        });
      });
      return { id, token };
    },

    async keys(actor) {
      requireRole(actor, 'admin');
      return store.asTenant(actor.tenantId, (tx) =>
        tx
          .select({ id: apiKeys.id, name: apiKeys.name, role: apiKeys.role, createdAt: apiKeys.createdAt })
          .from(apiKeys)
          .where(isNull(apiKeys.revokedAt))
          .orderBy(asc(apiKeys.createdAt), asc(apiKeys.id)),
      );
    },

    async revokeKey(actor, id) {
      requireRole(actor, 'admin');
      const revoked = isUuid(id)
        ? await store.asTenant(actor.tenantId, (tx) =>
            tx
              .update(apiKeys)
              .set({ revokedAt: new Date(clock.now()) })
              .where(and(eq(apiKeys.id, id), isNull(apiKeys.revokedAt)))
              .returning({ id: apiKeys.id }),
          )
        : [];
      const [key] = revoked;
      if (!key) throw new FleetError('NOT_FOUND', 'no such key');
      valid.revoke(key.id);
      bus.publish('keyRevoked', actor.tenantId, { tenantId: actor.tenantId, keyId: key.id });
    },
  };
}

function actorOf(found: { keyId: string | null; tenantId: string; role: Role }): Actor {
  return {
    tenantId: found.tenantId as TenantId, // the column contains only tenant ids
    role: found.role,
    subject: found.keyId === null ? 'admin-token' : `key:${found.keyId}`,
    keyId: found.keyId,
  };
}
