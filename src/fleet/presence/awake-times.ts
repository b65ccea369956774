import { and, eq, isNotNull } from 'drizzle-orm';
import type { Lwm2mServer } from '../../lwm2m/index.ts';
import { devices, type Store } from '../../store/index.ts';
import type { TenantId } from '../access/index.ts';
import type { Log } from '../common/index.ts';
import { type Device, deviceKey } from '../devices/index.ts';
import type { ProfileBook } from '../profiles/index.ts';
import type { Roster } from './roster.ts';

/** The services that AwakeTimes uses. */
export interface AwakeTimesParts {
  readonly store: Store;
  readonly lwm2m: () => Pick<Lwm2mServer, 'setAwakeTime'>;
  readonly roster: Roster;
  readonly profiles: ProfileBook;
  readonly log: Log;
}

/**
 * Determines how long the server assumes a device in queue mode to be awake after a message: the awake time of the
 * device, else that of its profile, else the server's default.
 */
export class AwakeTimes {
  readonly #parts: AwakeTimesParts;

  constructor(parts: AwakeTimesParts) {
    this.#parts = parts;
    parts.profiles.onChange((tenantId, profileId) => {
      this.#profileChanged(tenantId, profileId).catch((error: unknown) =>
        parts.log.error({ err: error, profileId }, `the awake time of a changed profile could not be applied`),
      );
    });
  }

  /** Returns the awake time in seconds; null: the server's default applies. */
  async of({ tenantId, profileId, awakeTime }: Pick<Device, 'tenantId' | 'profileId' | 'awakeTime'>) {
    return awakeTime ?? (await this.#parts.profiles.of(tenantId, profileId)).awakeTime;
  }

  /** Applies the awake time after the device's own time or its profile changed. */
  async deviceChanged(device: Device): Promise<void> {
    this.#set(deviceKey(device.tenantId, device.id), await this.of(device));
  }

  async #profileChanged(tenantId: TenantId, profileId: string): Promise<void> {
    const { store, profiles, roster } = this.#parts;
    if (roster.withProfile(profileId).next().done) return;
    const { awakeTime } = await profiles.of(tenantId, profileId);
    const own = await store.asTenant(tenantId, (tx) =>
      tx
        .select({ id: devices.id })
        .from(devices)
        .where(and(eq(devices.profileId, profileId), isNotNull(devices.awakeTime))),
    );
    const exceptions = new Set<string>(own.map(({ id }) => id));
    for (const { key, deviceId } of roster.withProfile(profileId)) {
      if (!exceptions.has(deviceId)) this.#set(key, awakeTime);
    }
  }

  #set(key: string, seconds: number | null): void {
    this.#parts.lwm2m().setAwakeTime(key, seconds === null ? null : seconds * 1000);
  }
}
