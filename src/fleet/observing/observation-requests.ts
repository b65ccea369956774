import { and, eq } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import { observationKey, Path, type NotificationAttributes } from '../../lwm2m/index.ts';
import { observationRequests, type Store } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { FleetError } from '../common/index.ts';
import { deviceKey, parseDeviceKey, type DeviceKey } from '../devices/index.ts';
import { MOST_OBSERVATIONS, type RequestedObservation } from './wanted.ts';

/** The observations that somebody asked for, of all devices: few beside the devices, so they are all in memory. */
export class ObservationRequests {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #requests = new Map<DeviceKey, Map<string, RequestedObservation>>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  async load(): Promise<void> {
    const rows = await this.#store.asSystem((tx) => tx.select().from(observationRequests));
    for (const row of rows) {
      // Ids in rows were written from branded ones, attributes from NotificationAttributes.
      this.#remember(deviceKey(row.tenantId as TenantId, row.deviceId as DeviceId), row.key, {
        paths: row.paths.map((path) => Path.parsePrefixed(path)),
        attributes: row.attributes as NotificationAttributes | null,
        contentFormat: row.contentFormat,
      });
    }
  }

  of(key: DeviceKey): readonly RequestedObservation[] {
    return [...(this.#requests.get(key)?.values() ?? [])];
  }

  async add(key: DeviceKey, request: RequestedObservation): Promise<void> {
    if (this.of(key).length >= MOST_OBSERVATIONS) {
      throw new FleetError('CONFLICT', `a device can have at most ${MOST_OBSERVATIONS} requested observations`);
    }
    const name = observationKey(request.paths);
    this.#remember(key, name, request);
    const { tenantId, deviceId } = parseDeviceKey(key);
    const { attributes, contentFormat } = request;
    await this.#store.asTenant(tenantId, (tx) =>
      tx
        .insert(observationRequests)
        .values({
          deviceId,
          tenantId,
          key: name,
          paths: request.paths.map(String),
          attributes,
          contentFormat,
          createdAt: new Date(this.#clock.now()),
        })
        .onConflictDoUpdate({
          target: [observationRequests.deviceId, observationRequests.key],
          set: { attributes, contentFormat },
        }),
    );
  }

  async remove(key: DeviceKey, name: string): Promise<void> {
    if (!this.#requests.get(key)?.delete(name)) return;
    const { tenantId, deviceId } = parseDeviceKey(key);
    await this.#store.asTenant(tenantId, (tx) =>
      tx
        .delete(observationRequests)
        .where(and(eq(observationRequests.deviceId, deviceId), eq(observationRequests.key, name))),
    );
  }

  /** The device was deleted, and its rows with it. */
  forget(key: DeviceKey): void {
    this.#requests.delete(key);
  }

  #remember(key: DeviceKey, name: string, request: RequestedObservation): void {
    const known = this.#requests.get(key) ?? new Map<string, RequestedObservation>();
    this.#requests.set(key, known.set(name, request));
  }
}
