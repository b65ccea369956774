import { eq } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import { devices, type Store } from '../../store/index.ts';
import { type Actor, requireRole } from '../access/index.ts';
import { changedFields, checkNotStale, FleetError, isUuid, nextEdit, Turns } from '../common/index.ts';
import {
  checkName,
  checkTags,
  type Device,
  type DeviceEvents,
  deviceKey,
  type DevicePart,
  type DeviceRow,
  profileFor,
} from '../devices/index.ts';
import type { Observing } from '../observing/index.ts';
import type { AwakeTimes, Roster } from '../presence/index.ts';
import { checkAwakeTime, type ProfileBook } from '../profiles/index.ts';

/** The fields of a device that people change. An undefined field stays as it is. */
export interface DeviceChanges {
  /** Null removes the name. */
  readonly name?: string | null | undefined;
  /** The complete new list. Null removes all tags. */
  readonly tags?: readonly string[] | null | undefined;
  /** Null: the tenant's default profile. */
  readonly profileId?: string | null | undefined;
  /** Seconds. Null: the profile decides. */
  readonly awakeTime?: number | null | undefined;
}

/** The columns of these fields. */
type Editable = Pick<DeviceRow, Exclude<DevicePart, 'registration'>>;

/** The modules that `createDeviceEdit` calls. */
export interface DeviceEditParts {
  readonly store: Store;
  readonly roster: Roster;
  readonly observing: Observing;
  readonly awakeTimes: AwakeTimes;
  readonly profiles: ProfileBook;
  readonly bus: EventBus<DeviceEvents>;
  readonly clock: Clock;
}

/** Creates the function that edits a device; see `Devices.update`. */
export function createDeviceEdit(
  parts: DeviceEditParts,
  deviceOf: (row: DeviceRow) => Device,
): (actor: Actor, id: string, changes: DeviceChanges, ifUpdatedAt?: Date | null) => Promise<Device> {
  const { store, roster, observing, awakeTimes, profiles, bus, clock } = parts;
  // One edit of a device after the other, so that the last one in the database is also the last one that is applied.
  const turns = new Turns();

  /** Writes the edit, while the row is locked. */
  async function write(actor: Actor, id: string, changes: DeviceChanges, ifUpdatedAt: Date | null | undefined) {
    return store.asTenant(actor.tenantId, async (tx) => {
      const [row] = isUuid(id) ? await tx.select().from(devices).where(eq(devices.id, id)).for('update') : [];
      if (!row) throw new FleetError('NOT_FOUND', 'no such device');
      checkNotStale('the device', row, ifUpdatedAt);
      const { name, tags, profileId, awakeTime } = changes;
      const next: Partial<Editable> = {
        ...(name !== undefined && { name }),
        ...(tags !== undefined && { tags: [...new Set(tags ?? [])] }),
        ...(profileId !== undefined && {
          profileId: await profileFor(tx, profiles, actor.tenantId, profileId),
        }),
        ...(awakeTime !== undefined && { awakeTime }),
      };
      const changed = changedFields<Editable>(row, next);
      if (changed.length === 0) return { row, changed };
      const written = { ...next, ...nextEdit(row, changed, clock.now()) };
      await tx.update(devices).set(written).where(eq(devices.id, row.id));
      return { row: { ...row, ...written }, changed };
    });
  }

  function publish({ tenantId, id: deviceId, updatedAt }: Device, changed: readonly DevicePart[]): void {
    bus.publish('deviceChanged', deviceKey(tenantId, deviceId), { tenantId, deviceId, changed, at: updatedAt });
  }

  /** Applies the edit to the registered device. */
  async function apply(device: Device): Promise<void> {
    const live = roster.get(deviceKey(device.tenantId, device.id));
    if (live && live.profileId !== device.profileId) {
      live.profileId = device.profileId;
      observing.reconcile(live.key);
    }
    await awakeTimes.deviceChanged(device);
  }

  return async (actor, id, changes, ifUpdatedAt) => {
    requireRole(actor, 'admin');
    if (changes.name != null) checkName(changes.name);
    if (changes.tags != null) checkTags(changes.tags);
    checkAwakeTime(changes.awakeTime);
    return turns.take(id.toLowerCase(), async () => {
      const { row, changed } = await write(actor, id, changes, ifUpdatedAt);
      const device = deviceOf(row);
      await apply(device);
      if (changed.length > 0) publish(device, changed);
      return device;
    });
  };
}
