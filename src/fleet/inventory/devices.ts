import { and, count, eq, inArray } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import { devices, observations, registrations, type Store, type Transaction } from '../../store/index.ts';
import { type Actor, type DeviceId, requireRole } from '../access/index.ts';
import {
  FleetError,
  LARGEST_PAGE,
  pageOf,
  windowOf,
  isUuid,
  type PageRequest,
  type Page,
  storable,
} from '../common/index.ts';
import type { IssuedCredential, CredentialBook, NewCredential } from '../credentials/index.ts';
import {
  type Device,
  type DeviceEvents,
  deviceOfRow,
  type DeviceRow,
  type NewDevice,
  type Provisioning,
  deviceKey,
} from '../devices/index.ts';
import type { DeviceObservation, Observing, WantedState } from '../observing/index.ts';
import {
  type AwakeTimes,
  deviceRegistrationOfRow,
  observationOfRow,
  type Roster,
  type DeviceRegistration,
} from '../presence/index.ts';
import type { ProfileBook } from '../profiles/index.ts';
import { largestTree, readTree, type ResourceState, type TreeSelector } from '../readings/index.ts';
import { createDeviceEdit, type DeviceChanges } from './device-edit.ts';
import { conditionOf, orderingOf, type DeviceFilter, type DeviceOrder } from './device-filter.ts';

/** The devices of a tenant, as the API reads and changes them. */
export interface Devices {
  get(actor: Actor, by: { id: string } | { endpoint: string }): Promise<Device | null>;
  /** Returns the devices in the order of `ids`, with null for an id that the tenant does not have. */
  many(actor: Actor, ids: readonly string[]): Promise<(Device | null)[]>;
  page(actor: Actor, request: PageRequest, filter?: DeviceFilter, order?: DeviceOrder): Promise<Page<Device>>;
  count(actor: Actor, filter?: DeviceFilter): Promise<number>;
  /** Returns bounds of what a query can return, for its cost. */
  sizes(actor: Actor): Promise<DeviceSizes>;
  /** Returns whether the device matches the filter; `deviceStatusChanged(filter)` calls it for each event. */
  matches(actor: Actor, deviceId: DeviceId, filter: DeviceFilter): Promise<boolean>;
  registrations(actor: Actor, deviceIds: readonly DeviceId[]): Promise<Map<DeviceId, DeviceRegistration>>;
  /** Runs one statement for any number of devices and selectors; an empty list of selectors selects everything. */
  resources(
    actor: Actor,
    deviceIds: readonly DeviceId[],
    selectors: readonly TreeSelector[],
  ): Promise<Map<DeviceId, ResourceState[]>>;
  observations(actor: Actor, deviceIds: readonly DeviceId[]): Promise<Map<DeviceId, DeviceObservation[]>>;
  /** The observations that should run on the registered ones of these devices, with their state. */
  wantedObservations(actor: Actor, deviceIds: readonly DeviceId[]): Promise<Map<DeviceId, WantedState[]>>;
  provision(actor: Actor, input: NewDevice): Promise<Device>;
  /** Creates a device and its first credential, both or neither. */
  provisionSecured(
    actor: Actor,
    input: NewDevice,
    security: NewCredential,
  ): Promise<{ readonly device: Device; readonly issued: IssuedCredential }>;
  /**
   * Changes the given fields of a device; an undefined field stays. `ifUpdatedAt`: throws CONFLICT, with the fields that
   * were changed, unless the device was last changed at this time.
   */
  update(actor: Actor, id: string, changes: DeviceChanges, ifUpdatedAt?: Date | null): Promise<Device>;
  /** Ends the device's registration, cancels its RPCs and deletes all its data. */
  delete(actor: Actor, id: string): Promise<Device>;
}

/** Bounds of what the tenant has. */
export interface DeviceSizes {
  /** The number of devices, at most the size of the largest page. */
  readonly devices: number;
  /** The most objects, object instances and resources that any one device had so far. */
  readonly objects: number;
  readonly instances: number;
  readonly resources: number;
}

/** The modules that `createDevices` calls. */
export interface DevicesParts {
  readonly store: Store;
  readonly roster: Roster;
  readonly observing: Observing;
  readonly awakeTimes: AwakeTimes;
  readonly provisioning: Provisioning;
  readonly profiles: ProfileBook;
  readonly credentials: CredentialBook;
  readonly bus: EventBus<DeviceEvents>;
  readonly clock: Clock;
  /** Ends the registration, RPCs and observations of a device before it is deleted. */
  readonly retire: (device: Device, actor: Actor) => Promise<void>;
}

const DEFAULT_ORDER = { field: 'ENDPOINT', direction: 'ASC' } as const;

/** Creates the part of the fleet that reads and changes a tenant's devices. */
export function createDevices(parts: DevicesParts): Devices {
  const { store, roster, observing, provisioning, credentials, bus, clock, retire } = parts;
  const deviceOf = (row: DeviceRow): Device => withPresence(deviceOfRow(row), roster);

  function publishDeletion({ tenantId, id: deviceId, endpoint, status, lastSeen }: Device): void {
    bus.publish('deviceDeleted', deviceKey(tenantId, deviceId), { tenantId, deviceId, endpoint });
    bus.publish('deviceStatusChanged', tenantId, {
      tenantId,
      deviceId,
      endpoint,
      status: status === 'NEVER_SEEN' ? 'NEVER_SEEN' : 'OFFLINE',
      previous: status,
      reason: 'deleted',
      lastSeen,
      at: new Date(clock.now()),
    });
  }

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
      const wanted = 'id' in by ? eq(devices.id, by.id) : eq(devices.endpoint, storable(by.endpoint));
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
      const window = windowOf(request, 'devices', order, filter ?? null);
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

    sizes: ({ tenantId }) =>
      store.asTenant(tenantId, async (tx) => {
        const some = await tx.select({ id: devices.id }).from(devices).limit(LARGEST_PAGE);
        return { devices: some.length, ...(await largestTree(tx)) };
      }),

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
      return new Map(rows.map((row) => [row.deviceId as DeviceId, deviceRegistrationOfRow(row)])); // the column was written from a DeviceId
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
      const running = new Map<DeviceId, DeviceObservation[]>();
      const reasons = new Map<DeviceId, Awaited<ReturnType<Observing['reasonsOf']>>>();
      for (const row of rows) {
        const observation = observationOfRow(row);
        const deviceId = row.deviceId as DeviceId; // the column was written from a DeviceId
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

    async wantedObservations(actor, deviceIds) {
      // The key has the actor's tenant, so that another tenant's device is not found.
      const wanted = deviceIds.map(
        async (id) => [id, await observing.wantedOf(deviceKey(actor.tenantId, id))] as const,
      );
      return new Map(await Promise.all(wanted));
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

    update: createDeviceEdit(parts, deviceOf),

    async delete(actor, id) {
      requireRole(actor, 'admin');
      const device = await find(actor, id);
      await retire(device, actor);
      const deleted = await store.asTenant(actor.tenantId, (tx) =>
        tx.delete(devices).where(eq(devices.id, device.id)).returning(),
      );
      // Somebody else may have deleted it in the meantime.
      if (!deleted[0]) throw new FleetError('NOT_FOUND', 'no such device');
      publishDeletion(deviceOfRow(deleted[0]));
      return device;
    },
  };
}

/** Overrides status and lastSeen by those in memory, which are newer than the stored ones until the next flush. */
function withPresence(device: Device, roster: Roster): Device {
  const live = roster.get(deviceKey(device.tenantId, device.id));
  if (!live) return device;
  return { ...device, status: live.status, lastSeen: new Date(live.lastSeen) };
}
