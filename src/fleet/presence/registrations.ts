import { and, eq, getTableColumns, inArray, notInArray, sql } from 'drizzle-orm';
import type { ObjectModel, Registration, RegistrationEnd, RestoredState } from '../../lwm2m/index.ts';
import { devices, observations, profiles, registrations, type Store, type Transaction } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { Batcher } from '../common/index.ts';
import {
  type DeviceStatus,
  type DeviceStatusChange,
  type StatusReason,
  deviceKey,
  parseDeviceKey,
  type DeviceKey,
} from '../devices/index.ts';
import { recordTreeSize, type RegisteredSize, type TelemetrySink } from '../readings/index.ts';
import { awakeTimeOf, measuredAwakeOf } from './awake-time.ts';
import { observationOfRow, registrationOfRow, rowOfRegistration } from './registration-row.ts';
import type { LiveDevice } from './roster.ts';
import { toStatusEvent } from './status-event.ts';

/** A change of a device's registration or status. */
export type PresenceChange = {
  readonly key: DeviceKey;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly status: Exclude<DeviceStatus, 'NEVER_SEEN'>;
  readonly reason: StatusReason;
} & (
  | { readonly kind: 'registered' | 'updated'; readonly registration: Registration }
  | { readonly kind: 'ended'; readonly registration: Registration; readonly end: RegistrationEnd }
  /** The device fell silent, fell asleep, awoke or lost its connection: its registration does not change. */
  | { readonly kind: 'status' }
);

/** The result of a stored change: the device as it is now, and the change of its status; null: the same status. */
export interface StoredChange {
  readonly device: Pick<LiveDevice, 'endpoint' | 'profileId' | 'measuredAwake'>;
  readonly change: DeviceStatusChange | null;
}

/** The state of an earlier run: for the LwM2M server, and for the roster. */
export interface Restored {
  readonly state: RestoredState;
  readonly devices: readonly LiveDevice[];
}

/**
 * Keeps registrations and the status of devices in the database. One transaction stores changes that arrive at about
 * the same time, together with their `device.status` events.
 */
export class Registrations {
  readonly #store: Store;
  readonly #sink: TelemetrySink;
  readonly #batcher: Batcher<PresenceChange, StoredChange | null>;
  /** The largest size of a registration that was recorded, by tenant: most changes need no statement for it. */
  readonly #largest = new Map<string, RegisteredSize>();

  constructor(store: Store, sink: TelemetrySink) {
    this.#store = store;
    this.#sink = sink;
    this.#batcher = new Batcher({
      lane: (change) => parseDeviceKey(change.key).tenantId,
      key: (change) => change.key,
      largestBatch: 128,
      run: (tenantId, changes) => this.#storeAll(tenantId, changes),
    });
  }

  /** Resolves when the change is committed; with null if the device does not exist (any more). */
  store(change: PresenceChange): Promise<StoredChange | null> {
    return this.#batcher.add(change);
  }

  /** Resolves when every change added so far is stored or refused. */
  idle(): Promise<void> {
    return this.#batcher.idle();
  }

  /** Returns how many changes wait and how many are being stored. */
  snapshot(): { waiting: number; running: number } {
    return this.#batcher.snapshot();
  }

  /** Stores the times of devices' last messages; an older time never replaces a newer one. */
  async storeLastSeen(tenantId: TenantId, seen: readonly { deviceId: DeviceId; at: number }[]): Promise<void> {
    const sorted = seen.toSorted((one, other) => (one.deviceId < other.deviceId ? -1 : 1));
    const ids = sorted.map(({ deviceId }) => deviceId);
    const times = sorted.map(({ at }) => new Date(at).toISOString());
    await this.#store.asTenant(tenantId, (tx) =>
      tx.execute(sql`
        update devices set last_seen = seen.at
        from unnest(${sql.param(ids)}::uuid[], ${sql.param(times)}::timestamptz[]) as seen(id, at)
        where devices.id = seen.id and (devices.last_seen is null or devices.last_seen < seen.at)`),
    );
  }

  /**
   * Loads the registrations and observations of an earlier run; `now` decides which measured awake times apply. It also
   * returns registrations that expired meanwhile: the LwM2M server ends them, because it knows the grace period. It leaves
   * out each row that it can't read and calls `unreadable` for it, so that one bad row does not keep the server from
   * starting.
   */
  async restore(
    modelOf: (tenantId: TenantId) => ObjectModel,
    now: number,
    unreadable: (error: unknown) => void,
  ): Promise<Restored> {
    const [rows, running] = await this.#store.asSystem(async (tx) => [
      await tx
        .select({ registration: registrations, device: devices, profileAwakeTime: profiles.awakeTime })
        .from(registrations)
        .innerJoin(devices, eq(devices.id, registrations.deviceId))
        .innerJoin(profiles, eq(profiles.id, devices.profileId)),
      await tx.select().from(observations),
    ]);
    const awakeMs = new Map<DeviceKey, number>();
    const restored = readable(rows, unreadable, ({ registration: row, device, profileAwakeTime }): LiveDevice => {
      const registration = registrationOfRow(row, device.endpoint);
      const awakeTime = awakeTimeOf(device, profileAwakeTime, now);
      if (awakeTime !== null) awakeMs.set(registration.deviceKey, awakeTime * 1000);
      return {
        ...parseDeviceKey(registration.deviceKey),
        key: registration.deviceKey,
        endpoint: device.endpoint,
        profileId: device.profileId,
        registration,
        status: device.status === 'NEVER_SEEN' ? 'ONLINE' : device.status,
        lastSeen: device.lastSeen?.getTime() ?? registration.updatedAt,
        composite: 'UNKNOWN',
        measuredAwake: measuredAwakeOf(device),
        asleepAfter: null,
      };
    });
    const current = new Set(restored.map(({ registration }) => registration.id));
    return {
      state: {
        registrations: restored.map(({ key, registration, tenantId }) => {
          const awake = awakeMs.get(key);
          return { registration, model: modelOf(tenantId), ...(awake === undefined ? {} : { awakeMs: awake }) };
        }),
        observations: readable(
          running.filter((row) => current.has(row.registrationId)),
          unreadable,
          observationOfRow,
        ),
      },
      devices: restored,
    };
  }

  async #storeAll(tenantId: string, changes: readonly PresenceChange[]): Promise<(StoredChange | null)[]> {
    const [results, afterCommit, recorded] = await this.#store.asTenant(tenantId, async (tx) => {
      const ids = changes.map(({ key }) => parseDeviceKey(key).deviceId).toSorted();
      const known = new Map(
        (await tx.select().from(devices).where(inArray(devices.id, ids)).orderBy(devices.id).for('update')).map(
          (row) => [deviceKey(row.tenantId as TenantId, row.id as DeviceId), row], // written from branded ids
        ),
      );
      const here = changes.filter(({ key }) => known.has(key));
      await storeRegistrations(tx, here);
      await endRegistrations(tx, here);
      const stored = changes.map((change) => {
        const row = known.get(change.key);
        return row ? outcome(change, row) : null;
      });
      await storeStatuses(tx, here);
      const events = stored.flatMap((result, index) => {
        const change = changes[index];
        return result && change ? toStatusEvent(result.transition) : [];
      });
      const after = events.length > 0 ? await this.#sink.enqueueStatus(tx, events) : () => {};
      const size = this.#grown(tenantId, here);
      if (size) await recordTreeSize(tx, tenantId, size);
      return [stored, after, size] as const;
    });
    afterCommit();
    if (recorded) this.#largest.set(tenantId, recorded);
    return results.map((result) =>
      result === null
        ? null
        : {
            device: result.device,
            change: result.transition.status === result.transition.previous ? null : result.transition,
          },
    );
  }

  /** The largest size of a registration, with those of the changes; null if none of them is larger than before. */
  #grown(tenantId: string, changes: readonly PresenceChange[]): RegisteredSize | null {
    const before = this.#largest.get(tenantId) ?? { registeredObjects: 0, registeredInstances: 0 };
    let { registeredObjects, registeredInstances } = before;
    for (const change of changes) {
      if (change.kind !== 'registered' && change.kind !== 'updated') continue;
      const { objects } = change.registration;
      const instances = objects.reduce((sum, { instanceIds }) => sum + instanceIds.length, 0);
      registeredObjects = Math.max(registeredObjects, objects.length);
      registeredInstances = Math.max(registeredInstances, instances);
    }
    const same = registeredObjects === before.registeredObjects && registeredInstances === before.registeredInstances;
    return same ? null : { registeredObjects, registeredInstances };
  }
}

function readable<Row, T>(rows: readonly Row[], unreadable: (error: unknown) => void, read: (row: Row) => T): T[] {
  return rows.flatMap((row) => {
    try {
      return [read(row)];
    } catch (error) {
      unreadable(error);
      return [];
    }
  });
}

function outcome(
  change: PresenceChange,
  row: typeof devices.$inferSelect,
): { device: StoredChange['device']; transition: DeviceStatusChange } {
  const ids = parseDeviceKey(change.key);
  return {
    device: { endpoint: row.endpoint, profileId: row.profileId, measuredAwake: measuredAwakeOf(row) },
    transition: {
      ...ids,
      endpoint: row.endpoint,
      status: change.status,
      previous: row.status,
      reason: change.reason,
      lastSeen: lastSeenAfter(change) ?? row.lastSeen,
      at: new Date(change.at),
    },
  };
}

/** Returns the time of the device's last message; null if no message caused the change: an expiry, silence or sleep. */
function lastSeenAfter(change: PresenceChange): Date | null {
  const byMessage =
    change.reason !== 'expired' &&
    change.reason !== 'silent' &&
    change.reason !== 'asleep' &&
    change.reason !== 'disconnected';
  return byMessage ? new Date(change.at) : null;
}

async function storeRegistrations(tx: Transaction, changes: readonly PresenceChange[]): Promise<void> {
  const present = changes.flatMap((change) =>
    change.kind === 'registered' || change.kind === 'updated' ? [change.registration] : [],
  );
  if (present.length === 0) return;
  const rows = present.map(rowOfRegistration).toSorted((one, other) => (one.deviceId < other.deviceId ? -1 : 1));
  const { deviceId: _key, tenantId: _tenant, writtenAttributes, ...columns } = getTableColumns(registrations);
  const set = Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, sql`excluded.${sql.identifier(column.name)}`]),
  );
  // A new registration has none; an Update keeps those of the registration.
  set['writtenAttributes'] = sql`case when ${registrations.id} = excluded.id then ${writtenAttributes} end`;
  await tx.insert(registrations).values(rows).onConflictDoUpdate({ target: registrations.deviceId, set });
  const renewed = changes.flatMap((change) => (change.kind === 'registered' ? [change.registration] : []));
  if (renewed.length === 0) return;
  // Core 1.2 §6.4.2: observations end with the registration in which they were started.
  await tx.delete(observations).where(
    and(
      inArray(
        observations.deviceId,
        renewed.map((registration) => parseDeviceKey(registration.deviceKey).deviceId),
      ),
      notInArray(
        observations.registrationId,
        renewed.map((registration) => registration.id),
      ),
    ),
  );
}

async function endRegistrations(tx: Transaction, changes: readonly PresenceChange[]): Promise<void> {
  const ended = changes.flatMap((change) => (change.kind === 'ended' ? [change.registration.id] : []));
  if (ended.length === 0) return;
  await tx.delete(registrations).where(inArray(registrations.id, ended));
  await tx.delete(observations).where(inArray(observations.registrationId, ended));
}

async function storeStatuses(tx: Transaction, changes: readonly PresenceChange[]): Promise<void> {
  if (changes.length === 0) return;
  const rows = changes
    .map((change) => ({ id: parseDeviceKey(change.key).deviceId, status: change.status, seen: lastSeenAfter(change) }))
    .toSorted((one, other) => (one.id < other.id ? -1 : 1));
  await tx.execute(sql`
    update devices set status = now.status, last_seen = greatest(devices.last_seen, now.seen)
    from unnest(
      ${sql.param(rows.map(({ id }) => id))}::uuid[],
      ${sql.param(rows.map(({ status }) => status))}::text[],
      ${sql.param(rows.map(({ seen }) => seen?.toISOString() ?? null))}::timestamptz[]
    ) as now(id, status, seen)
    where devices.id = now.id`);
}
