import { and, count, eq, inArray } from 'drizzle-orm';
import { devices, observations, profiles, registrations, type Store, type Transaction } from '../store/index.ts';
import type { Actor, DeviceId } from './access.ts';
import { requireRole } from './authority.ts';
import type { IssuedCredential } from './credential.ts';
import type { CredentialBook } from './credentials.ts';
import type { AwakeTimes } from './awake-times.ts';
import type { Device, RunningObservation } from './device.ts';
import { conditionOf, orderingOf } from './device-filter.ts';
import { deviceOfRow, type DeviceRow } from './device-row.ts';
import { FleetError } from './error.ts';
import type { Devices } from './fleet.ts';
import type { Observing } from './observing.ts';
import { pageOf, windowOf } from './paging.ts';
import { checkAwakeTime } from './profile-rules.ts';
import { checkName, checkTags, type Provisioning } from './provisioning.ts';
import { deviceRegistrationOfRow, observationOfRow } from './registration-row.ts';
import { deviceKey, type Roster } from './roster.ts';
import { readTree } from './tree.ts';
import { isUuid } from './uuid.ts';

export interface DevicesParts {
  readonly store: Store;
  readonly roster: Roster;
  readonly observing: Observing;
  readonly awakeTimes: AwakeTimes;
  readonly provisioning: Provisioning;
  readonly credentials: CredentialBook;
  /** Ends what runs for a device before it is deleted. */
  readonly retire: (device: Device, actor: Actor) => Promise<void>;
}

const DEFAULT_ORDER = { field: 'ENDPOINT', direction: 'ASC' } as const;

/** What a tenant sees of its devices. */
export function createDevices(parts: DevicesParts): Devices {
  const { store, roster, observing, awakeTimes, provisioning, credentials, retire } = parts;
  const deviceOf = (row: DeviceRow): Device => withPresence(deviceOfRow(row), roster);

  async function find(actor: Actor, id: string): Promise<Device> {
    const rows = isUuid(id)
      ? await store.asTenant(actor.tenantId, (tx) => tx.select().from(devices).where(eq(devices.id, id)))
      : [];
    if (!rows[0]) throw new FleetError('NOT_FOUND', 'no such device');
    return deviceOf(rows[0]);
  }

  return {
    async get(actor, by) {
      if ('id' in by && !isUuid(by.id)) return null;
      const wanted = 'id' in by ? eq(devices.id, by.id) : eq(devices.endpoint, by.endpoint.replaceAll('\0', '\uFFFD'));
      const rows = await store.asTenant(actor.tenantId, (tx) => tx.select().from(devices).where(wanted));
      return rows[0] ? deviceOf(rows[0]) : null;
    },

    async many(actor, ids) {
      const wanted = ids.filter(isUuid);
      if (wanted.length === 0) return ids.map(() => null);
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx.select().from(devices).where(inArray(devices.id, wanted)),
      );
      const byId = new Map(rows.map((row) => [row.id, deviceOf(row)]));
      return ids.map((id) => byId.get(id.toLowerCase()) ?? null);
    },

    async page(actor, request, filter, order = DEFAULT_ORDER) {
      const window = windowOf(request);
      const { beyond, orderBy, cursor } = orderingOf(order, window);
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx
          .select()
          .from(devices)
          .where(and(conditionOf(tx, filter), beyond))
          .orderBy(...orderBy)
          .limit(window.size + 1),
      );
      return pageOf(rows, window, cursor, deviceOf);
    },

    async count(actor, filter) {
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx.select({ count: count() }).from(devices).where(conditionOf(tx, filter)),
      );
      return rows[0]?.count ?? 0;
    },

    async matches(actor, deviceId, filter) {
      if (!isUuid(deviceId)) return false;
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx
          .select({ id: devices.id })
          .from(devices)
          .where(and(eq(devices.id, deviceId), conditionOf(tx, filter))),
      );
      return rows.length > 0;
    },

    async registrations(actor, deviceIds) {
      const wanted = deviceIds.filter(isUuid);
      if (wanted.length === 0) return new Map();
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx.select().from(registrations).where(inArray(registrations.deviceId, wanted)),
      );
      return new Map(rows.map((row) => [row.deviceId as DeviceId, deviceRegistrationOfRow(row)])); // from a DeviceId
    },

    resources: (actor, deviceIds, selectors) =>
      store.asTenant(actor.tenantId, (tx) => readTree(tx, deviceIds.filter(isUuid), selectors)),

    async observations(actor, deviceIds) {
      const wanted = deviceIds.filter(isUuid);
      if (wanted.length === 0) return new Map();
      const rows = await store.asTenant(actor.tenantId, (tx) =>
        tx
          .select()
          .from(observations)
          .where(inArray(observations.deviceId, wanted))
          .orderBy(observations.startedAt, observations.token),
      );
      const running = new Map<DeviceId, RunningObservation[]>();
      const reasons = new Map<DeviceId, Awaited<ReturnType<Observing['reasonsOf']>>>();
      for (const row of rows) {
        const observation = observationOfRow(row);
        const deviceId = row.deviceId as DeviceId; // from a DeviceId
        const why = reasons.get(deviceId) ?? (await observing.reasonsOf(observation.deviceKey));
        reasons.set(deviceId, why);
        const list = running.get(deviceId) ?? [];
        list.push({
          id: `${deviceId}/${observation.token}`,
          deviceId,
          paths: row.paths,
          composite: observation.composite,
          reasons: why(observation.paths),
          startedAt: row.startedAt,
        });
        running.set(deviceId, list);
      }
      return running;
    },

    async provision(actor, input) {
      const { device } = await provisioning.provision(actor, input, async () => null);
      return device;
    },

    async provisionSecured(actor, input, security) {
      const issue = (tx: Transaction, device: Device): Promise<IssuedCredential> =>
        credentials.issue(tx, device, security);
      const { device, made } = await provisioning.provision(actor, input, issue);
      return { device, issued: made };
    },

    async update(actor, id, changes) {
      requireRole(actor, 'admin');
      if (changes.name != null) checkName(changes.name);
      if (changes.tags != null) checkTags(changes.tags);
      checkAwakeTime(changes.awakeTime);
      const present = await find(actor, id);
      const rows = await store.asTenant(actor.tenantId, async (tx) => {
        const { profileId } = changes;
        if (profileId != null) {
          const known = isUuid(profileId)
            ? await tx.select({ id: profiles.id }).from(profiles).where(eq(profiles.id, profileId))
            : [];
          if (known.length === 0) throw new FleetError('VALIDATION', 'no such profile', { field: ['profileId'] });
        }
        return tx
          .update(devices)
          .set({
            name: changes.name === undefined ? present.name : changes.name,
            tags: changes.tags ? [...new Set(changes.tags)] : [...present.tags],
            profileId: profileId ?? present.profileId,
            awakeTime: changes.awakeTime === undefined ? present.awakeTime : changes.awakeTime,
          })
          .where(eq(devices.id, present.id))
          .returning();
      });
      if (!rows[0]) throw new FleetError('NOT_FOUND', 'no such device');
      const device = deviceOf(rows[0]);
      const live = roster.get(deviceKey(device.tenantId, device.id));
      if (live && live.profileId !== device.profileId) {
        live.profileId = device.profileId;
        observing.reconcile(live.key);
      }
      await awakeTimes.deviceChanged(device);
      return device;
    },

    async delete(actor, id) {
      requireRole(actor, 'admin');
      const device = await find(actor, id);
      await retire(device, actor);
      await store.asTenant(actor.tenantId, (tx) => tx.delete(devices).where(eq(devices.id, device.id)));
      return device;
    },
  };
}

/** What was heard since the last flush is only in memory. */
function withPresence(device: Device, roster: Roster): Device {
  const live = roster.get(deviceKey(device.tenantId, device.id));
  if (!live) return device;
  return { ...device, status: live.status, lastSeen: new Date(live.lastSeen) };
}
