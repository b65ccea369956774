import { and, gte, lte, or, sql } from 'drizzle-orm';
import type { Clock, Timer } from '../clock.ts';
import type { EventBus } from '../events/index.ts';
import { apiKeys, credentials, factoryCredentials, type Store, type Transaction } from '../store/index.ts';
import type { DeviceId, TenantId } from './access/index.ts';
import type { Log } from './common/index.ts';
import type { FleetEvents } from './events.ts';

/** The longest time that a connection stays open after a revocation that this process did not hear of. */
const INTERVAL_MS = 30_000;
/** How far back a check looks: the clocks of the processes differ, and a transaction commits after its time. */
const MARGIN_MS = 300_000;

/** Finds what other processes revoked. */
export interface Revocations {
  /**
   * Publishes on this process's bus the end of every API key and credential that ended since the last check, and
   * `trustChanged` for each tenant whose trust anchors or revoked certificates changed. Events may repeat what was
   * published before.
   */
  check(): Promise<void>;
  stop(): void;
}

/**
 * Checks every 30 seconds what was revoked: the long-lived connections of this process end also when the message of
 * another process was lost. Call `check` too when messages may have been missed. The number of rows of a check is that
 * of the revocations of the last minutes.
 */
export function createRevocations(options: {
  readonly store: Store;
  readonly bus: EventBus<FleetEvents>;
  readonly clock: Clock;
  readonly log: Log;
}): Revocations {
  const { store, bus, clock, log } = options;
  let checkedAt = clock.now();
  let running: Promise<void> | null = null;
  let timer: Timer;
  let stopped = false;
  /** What the last check published: the margin makes each check find it again. */
  let announced = new Set<string>();
  /** Null before the first check. */
  let trust: ReadonlyMap<string, string> | null = null;

  async function run(): Promise<void> {
    const now = clock.now();
    const from = new Date(checkedAt - MARGIN_MS);
    const ended = await store.asSystem(async (tx) => ({
      keys: await tx
        .select({ id: apiKeys.id, tenantId: apiKeys.tenantId })
        .from(apiKeys)
        .where(gte(apiKeys.revokedAt, from)),
      credentials: await tx
        .select({ id: credentials.id, tenantId: credentials.tenantId, deviceId: credentials.deviceId })
        .from(credentials)
        .where(
          or(
            gte(credentials.revokedAt, from),
            and(gte(credentials.expiresAt, from), lte(credentials.expiresAt, new Date(now))),
          ),
        ),
      factory: await tx
        .select({ id: factoryCredentials.id, tenantId: factoryCredentials.tenantId })
        .from(factoryCredentials)
        .where(gte(factoryCredentials.revokedAt, from)),
      trust: await trustOf(tx),
    }));
    const before = announced;
    announced = new Set();
    const isNew = (id: string): boolean => {
      announced.add(id);
      return !before.has(id);
    };
    // The columns contain only tenant ids and device ids.
    for (const { id, tenantId } of ended.keys) {
      const tenant = tenantId as TenantId;
      if (isNew(id)) bus.publish('keyRevoked', tenant, { tenantId: tenant, keyId: id });
    }
    for (const row of [...ended.credentials, ...ended.factory.map((one) => ({ ...one, deviceId: null }))]) {
      const tenantId = row.tenantId as TenantId;
      const deviceId = row.deviceId as DeviceId | null;
      if (isNew(row.id)) bus.publish('credentialEnded', tenantId, { tenantId, deviceId, credentialId: row.id });
    }
    const changed = trust && [...ended.trust, ...trust].filter(([id]) => trust?.get(id) !== ended.trust.get(id));
    for (const id of new Set(changed?.map(([tenantId]) => tenantId as TenantId))) {
      bus.publish('trustChanged', id, { tenantId: id, counts: false });
    }
    trust = ended.trust;
    checkedAt = now;
  }

  const check = async (): Promise<void> => {
    running ??= run()
      .catch((error: unknown) => log.error({ err: error }, 'could not check what was revoked; trying again'))
      .finally(() => (running = null));
    return running;
  };
  const later = (): void => {
    timer = clock.after(INTERVAL_MS, async () => {
      await check();
      if (!stopped) later();
    });
  };
  later();
  return {
    check,
    stop() {
      stopped = true;
      timer.cancel();
    },
  };
}

/** A digest of each tenant's trust anchors and revoked certificates: a removed anchor leaves no row to find. */
async function trustOf(tx: Transaction): Promise<ReadonlyMap<string, string>> {
  const { rows } = await tx.execute<{ tenant: string; digest: string }>(sql`
    select tenant_id as tenant, md5(string_agg(id::text, ',' order by id)) as digest
      from (select tenant_id, id from trust_anchors union all select tenant_id, id from revoked_certificates) as trust
     group by tenant_id`);
  return new Map(rows.map(({ tenant, digest }) => [tenant, digest]));
}
