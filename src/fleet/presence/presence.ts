import type { Clock, Timer } from '../../clock.ts';
import type { EventBus } from '../../events/index.ts';
import type { Registration, RegistrationEnd } from '../../lwm2m/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { FleetError, type Log } from '../common/index.ts';
import { type DeviceEvents, parseDeviceKey, type DeviceKey } from '../devices/index.ts';
import type { DeviceProfile, ProfileBook } from '../profiles/index.ts';
import type { PresenceChange, Registrations, StoredChange } from './registrations.ts';
import type { LiveDevice, Roster } from './roster.ts';

/** The services that Presence uses. */
export interface PresenceParts {
  readonly roster: Roster;
  readonly registrations: Registrations;
  readonly profiles: ProfileBook;
  readonly bus: EventBus<DeviceEvents>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The time between two rounds, and the most times of last messages that one statement stores. */
const ROUND_MS = 5_000;
const LARGEST_FLUSH = 5_000;

/**
 * Keeps the status of each device: online, asleep or offline. It stores a change of a registration before the change
 * takes effect. It keeps the time of a device's last message in memory and stores it in rounds, so that a message does
 * not wait for the database.
 */
export class Presence {
  readonly #parts: PresenceParts;
  /** The devices that sent a message since the last round. */
  readonly #unstored = new Set<DeviceKey>();
  #round: Timer | null = null;
  #rounding: Promise<void> = Promise.resolve();

  constructor(parts: PresenceParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#round = this.#parts.clock.after(ROUND_MS, () => {
      this.#rounding = this.round().finally(() => {
        if (this.#round) this.start();
      });
    });
  }

  async stop(): Promise<void> {
    this.#round?.cancel();
    this.#round = null;
    await this.#rounding;
    await this.#flush();
  }

  async registered(registration: Registration): Promise<void> {
    const key = registration.deviceKey;
    const at = registration.registeredAt;
    const stored = await this.#store({
      kind: 'registered',
      key,
      at,
      status: 'ONLINE',
      reason: 'registered',
      registration,
    });
    // The device was deleted after its admission: it must register again.
    if (!stored) throw new FleetError('NOT_FOUND', 'the device was deleted while it registered');
    const { endpoint, profileId, measuredAwake } = stored.device;
    const { roster } = this.#parts;
    roster.set({
      ...parseDeviceKey(key),
      key,
      endpoint,
      profileId,
      registration,
      status: 'ONLINE',
      lastSeen: at,
      composite: 'UNKNOWN',
      measuredAwake,
      asleepAfter: null,
    });
  }

  async updated(registration: Registration): Promise<void> {
    const key = registration.deviceKey;
    const at = registration.updatedAt;
    await this.#store({ kind: 'updated', key, at, status: 'ONLINE', reason: 'updated', registration });
    const live = this.#parts.roster.get(key);
    if (!live) return;
    live.registration = registration;
    live.status = 'ONLINE';
    live.lastSeen = Math.max(live.lastSeen, at);
  }

  /** Stores a new session or address of the device; its status stays. */
  async moved(registration: Registration): Promise<void> {
    const { roster, clock } = this.#parts;
    const key = registration.deviceKey;
    const live = roster.get(key);
    if (!live) return;
    live.registration = registration;
    await this.#store({
      kind: 'updated',
      key,
      at: clock.now(),
      status: live.status,
      reason: 'updated',
      registration,
    });
  }

  /** Sets the device offline: its TCP or TLS connection has ended. */
  disconnected(key: DeviceKey): void {
    const live = this.#parts.roster.get(key);
    if (live && live.status !== 'OFFLINE') this.#become(live, 'OFFLINE', 'disconnected');
  }

  async ended(registration: Registration, end: RegistrationEnd): Promise<void> {
    const key = registration.deviceKey;
    const reason = end === 'expired' ? 'expired' : 'deregistered';
    const at = this.#parts.clock.now();
    await this.#store({ kind: 'ended', key, at, status: 'OFFLINE', reason, registration, end });
    if (this.#parts.roster.get(key)?.registration.id === registration.id) this.#parts.roster.delete(key);
  }

  /** Notes a message of the device, of any kind. A silent device becomes online again. */
  heard(key: DeviceKey, at: number): void {
    const live = this.#parts.roster.get(key);
    if (!live) return;
    live.lastSeen = Math.max(live.lastSeen, at);
    this.#unstored.add(key);
    if (live.status === 'OFFLINE') this.#become(live, 'ONLINE', 'updated');
  }

  /** Notes that the device fell asleep or awoke. Returns true if this changed its status. */
  sleeping(key: DeviceKey, asleep: boolean): boolean {
    const live = this.#parts.roster.get(key);
    const status = asleep ? 'SLEEPING' : 'ONLINE';
    if (!live || live.status === status) return false;
    this.#become(live, status, asleep ? 'asleep' : 'awake');
    return true;
  }

  /** Stores the times of last messages and sets silent devices offline. Runs every 5 seconds. */
  async round(): Promise<void> {
    try {
      await this.#flush();
      await this.#findSilent();
    } catch (error) {
      // The next round stores the same times.
      this.#parts.log.error({ err: error }, 'a presence round failed: the next one tries again');
    }
  }

  #become(
    live: LiveDevice,
    status: LiveDevice['status'],
    reason: 'updated' | 'asleep' | 'awake' | 'silent' | 'disconnected',
  ): void {
    live.status = status;
    const change: PresenceChange = { kind: 'status', key: live.key, at: this.#parts.clock.now(), status, reason };
    void this.#store(change).catch((error: unknown) => {
      this.#parts.log.error({ device: live.key, status, err: error }, 'the status of a device could not be stored');
    });
  }

  async #store(change: PresenceChange): Promise<StoredChange | null> {
    const stored = await this.#parts.registrations.store(change);
    const { bus } = this.#parts;
    if (stored?.change) bus.publish('deviceStatusChanged', stored.change.tenantId, stored.change);
    if (stored && change.kind !== 'status') {
      const { key } = change;
      bus.publish('deviceChanged', key, {
        ...parseDeviceKey(key),
        changed: ['registration'],
        at: new Date(change.at),
      });
    }
    return stored;
  }

  async #flush(): Promise<void> {
    const keys = [...this.#unstored];
    this.#unstored.clear();
    const byTenant = new Map<TenantId, { deviceId: DeviceId; at: number }[]>();
    for (const key of keys) {
      const live = this.#parts.roster.get(key);
      if (!live) continue;
      const seen = byTenant.get(live.tenantId) ?? [];
      seen.push({ deviceId: live.deviceId, at: live.lastSeen });
      byTenant.set(live.tenantId, seen);
    }
    try {
      for (const [tenantId, seen] of byTenant) {
        for (let from = 0; from < seen.length; from += LARGEST_FLUSH) {
          await this.#parts.registrations.storeLastSeen(tenantId, seen.slice(from, from + LARGEST_FLUSH));
        }
      }
    } catch (error) {
      for (const key of keys) this.#unstored.add(key);
      throw error;
    }
  }

  /**
   * Sets devices offline that sent no message for the `offlineAfter` of their profile. For a sleeping device, the time
   * counts from when it should have sent one: an Update within its lifetime, or a message of any kind within the
   * `expectedInterval` of its profile.
   */
  async #findSilent(): Promise<void> {
    const { roster, profiles, clock } = this.#parts;
    const limits = new Map<string, DeviceProfile>();
    for (const { tenantId, profileId } of roster.values()) {
      if (!limits.has(profileId)) limits.set(profileId, await profiles.of(tenantId, profileId));
    }
    const now = clock.now();
    for (const live of roster.values()) {
      const profile = limits.get(live.profileId);
      if (profile?.offlineAfter == null || live.status === 'OFFLINE') continue;
      const quiet = live.status === 'SLEEPING' ? longestSleep(live.registration, profile) : 0;
      if (live.lastSeen + (quiet + profile.offlineAfter) * 1000 < now) this.#become(live, 'OFFLINE', 'silent');
    }
  }
}

/** The seconds in which a sleeping device should send a message; a lifetime of 0 is endless. */
function longestSleep({ lifetime }: Registration, { expectedInterval }: DeviceProfile): number {
  return Math.min(lifetime === 0 ? Infinity : lifetime, expectedInterval ?? Infinity);
}
