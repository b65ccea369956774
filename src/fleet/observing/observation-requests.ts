import { and, eq } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import { observationKey, Path, type NotificationAttributes } from '../../lwm2m/index.ts';
import { observationRequests, type Store } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { FleetError } from '../common/index.ts';
import { deviceKey, parseDeviceKey, type DeviceKey } from '../devices/index.ts';
import { MOST_OBSERVATIONS, type RequestedObservation } from './wanted.ts';

/**
 * Keeps the observations that were requested by mutation, in the database and in memory. All of them are in memory,
 * because they are few compared with the devices.
 */
export class ObservationRequests {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #requests = new Map<DeviceKey, Map<string, RequestedObservation>>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Reads the requests of all devices into memory. Call once, at the start. */
  async load(): Promise<void> {
    const rows = await this.#store.asSystem((tx) => tx.select().from(observationRequests));
    for (const row of rows) {
      // The casts are safe: ids were written from branded ids, attributes from NotificationAttributes.
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

  /** Stores a request; it replaces one for the same paths. Throws CONFLICT at `MOST_OBSERVATIONS`. */
  async add(key: DeviceKey, request: RequestedObservation): Promise<void> {
    if (this.of(key).length >= MOST_OBSERVATIONS) {
      throw new FleetError(
        'CONFLICT',
        `the device has ${MOST_OBSERVATIONS} requested observations, the limit: cancel one first`,
      );
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

  /** Deletes the request with this observation key, if there is one. */
  async remove(key: DeviceKey, name: string): Promise<void> {
    if (!this.#requests.get(key)?.delete(name)) return;
    const { tenantId, deviceId } = parseDeviceKey(key);
    await this.#store.asTenant(tenantId, (tx) =>
      tx
        .delete(observationRequests)
        .where(and(eq(observationRequests.deviceId, deviceId), eq(observationRequests.key, name))),
    );
  }

  /** Drops a deleted device's requests from memory; their rows were deleted with the device. */
  forget(key: DeviceKey): void {
    this.#requests.delete(key);
  }

  #remember(key: DeviceKey, name: string, request: RequestedObservation): void {
    const known = this.#requests.get(key) ?? new Map<string, RequestedObservation>();
    this.#requests.set(key, known.set(name, request));
  }
}
