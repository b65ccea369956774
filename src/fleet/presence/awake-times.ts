import { and, eq, isNotNull, or } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import type { AwakeProbe, Lwm2mServer } from '../../lwm2m/index.ts';
import { devices, type Store } from '../../store/index.ts';
import type { TenantId } from '../access/index.ts';
import type { Log } from '../common/index.ts';
import { type Device, type DeviceKey, deviceKey, deviceOfRow } from '../devices/index.ts';
import type { ProfileBook } from '../profiles/index.ts';
import { awakeTimeOf, isCurrent } from './awake-time.ts';
import type { LiveDevice, MeasuredAwake, Roster } from './roster.ts';

/** The services that AwakeTimes uses. */
export interface AwakeTimesParts {
  readonly store: Store;
  readonly lwm2m: () => Pick<Lwm2mServer, 'setAwakeTime'>;
  readonly roster: Roster;
  readonly profiles: ProfileBook;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Determines how long the server assumes a device in queue mode to be awake after a message (`awakeTimeOf`), and
 * measures it: a device that does not answer twice, without an answer after as long a silence in between, sleeps after
 * the longer of the two silences. An answer after that silence, or a week, ends the measured time.
 */
export class AwakeTimes {
  readonly #parts: AwakeTimesParts;
  readonly #writes = new Set<Promise<void>>();

  constructor(parts: AwakeTimesParts) {
    this.#parts = parts;
    parts.profiles.onChange((tenantId, profileId) => {
      this.#profileChanged(tenantId, profileId).catch((error: unknown) =>
        parts.log.error({ err: error, profileId }, `the awake time of a changed profile could not be applied`),
      );
    });
  }

  /** Returns the awake time in seconds; null: the server's default applies. */
  async of(device: Pick<Device, 'tenantId' | 'profileId' | 'awakeTime' | 'measuredAwakeTime' | 'awakeMeasuredAt'>) {
    const { awakeTime } = await this.#parts.profiles.of(device.tenantId, device.profileId);
    return awakeTimeOf(device, awakeTime, this.#parts.clock.now());
  }

  /** Applies the awake time after the device's own time, its measured time or its profile changed. */
  async deviceChanged(device: Device): Promise<void> {
    this.#set(deviceKey(device.tenantId, device.id), await this.of(device));
  }

  /** Notes what a request showed of the device. */
  probed(key: DeviceKey, { quietMs, answered }: AwakeProbe): void {
    const live = this.#parts.roster.get(key);
    if (!live) return;
    const { asleepAfter, measuredAwake } = live;
    if (answered) {
      if (asleepAfter !== null && quietMs >= asleepAfter * 1000) live.asleepAfter = null;
      if (measuredAwake && quietMs >= measuredAwake.seconds * 1000) this.#measured(live, null);
      return;
    }
    const seconds = Math.max(1, Math.floor(quietMs / 1000));
    live.asleepAfter = Math.min(asleepAfter ?? Infinity, seconds);
    if (asleepAfter === null) return;
    const at = this.#parts.clock.now();
    const longer = Math.max(asleepAfter, seconds);
    const isKnown = measuredAwake && isCurrent(measuredAwake, at) && measuredAwake.seconds <= longer;
    if (!isKnown) this.#measured(live, { seconds: longer, at });
  }

  /** The device sent an Update: ends a measured time that is a week old. */
  updated(key: DeviceKey): void {
    const live = this.#parts.roster.get(key);
    if (live?.measuredAwake && !isCurrent(live.measuredAwake, this.#parts.clock.now())) this.#measured(live, null);
  }

  /** Resolves when the measured times are stored. */
  async idle(): Promise<void> {
    await Promise.all(this.#writes);
  }

  #measured(live: LiveDevice, measured: MeasuredAwake | null): void {
    live.measuredAwake = measured;
    const write = this.#store(live, measured)
      .catch((error: unknown) =>
        this.#parts.log.error({ device: live.key, err: error }, 'a measured awake time could not be stored'),
      )
      .finally(() => this.#writes.delete(write));
    this.#writes.add(write);
  }

  async #store({ tenantId, deviceId }: LiveDevice, measured: MeasuredAwake | null): Promise<void> {
    const [row] = await this.#parts.store.asTenant(tenantId, (tx) =>
      tx
        .update(devices)
        .set({
          measuredAwakeTime: measured?.seconds ?? null,
          awakeMeasuredAt: measured && new Date(measured.at),
        })
        .where(eq(devices.id, deviceId))
        .returning(),
    );
    if (row) await this.deviceChanged(deviceOfRow(row));
  }

  async #profileChanged(tenantId: TenantId, profileId: string): Promise<void> {
    const { store, profiles, roster, clock } = this.#parts;
    if (roster.withProfile(profileId).next().done) return;
    const { awakeTime } = await profiles.of(tenantId, profileId);
    const own = await store.asTenant(tenantId, (tx) =>
      tx
        .select()
        .from(devices)
        .where(
          and(eq(devices.profileId, profileId), or(isNotNull(devices.awakeTime), isNotNull(devices.measuredAwakeTime))),
        ),
    );
    const exceptions = new Map<string, number | null>(
      own.map((device) => [device.id, awakeTimeOf(device, awakeTime, clock.now())]),
    );
    for (const { key, deviceId } of roster.withProfile(profileId)) {
      this.#set(key, exceptions.has(deviceId) ? (exceptions.get(deviceId) ?? null) : awakeTime);
    }
  }

  #set(key: string, seconds: number | null): void {
    this.#parts.lwm2m().setAwakeTime(key, seconds === null ? null : seconds * 1000);
  }
}
