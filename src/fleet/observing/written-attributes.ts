import { isNotNull, sql } from 'drizzle-orm';
import type { NotificationAttributes } from '../../lwm2m/index.ts';
import { registrations, type Store } from '../../store/index.ts';
import type { DeviceId, TenantId } from '../access/index.ts';
import { Batcher, type Log } from '../common/index.ts';
import { deviceKey, type DeviceKey } from '../devices/index.ts';
import type { LiveDevice } from '../presence/index.ts';
import type { Observed } from './observed.ts';

/** The attributes that a device accepted in this registration, by path. */
export type Written = ReadonlyMap<string, NotificationAttributes>;

interface Change {
  readonly tenantId: TenantId;
  readonly registrationId: string;
  readonly written: Written;
}

/**
 * Keeps the attributes that devices accepted (Write-Attributes, Core 1.2 §6.3.4) with their registrations, so that a
 * restart of the server does not write them again. A new registration has none.
 */
export class WrittenAttributes {
  readonly #store: Store;
  readonly #log: Log;
  readonly #batcher: Batcher<Change, void>;

  constructor(store: Store, log: Log) {
    this.#store = store;
    this.#log = log;
    this.#batcher = new Batcher<Change, void>({
      lane: ({ tenantId }) => tenantId,
      key: ({ registrationId }) => registrationId,
      async run(tenantId, changes) {
        const ids = changes.map(({ registrationId }) => registrationId);
        const values = changes.map(({ written }) => jsonOf(written));
        await store.asTenant(tenantId, (tx) =>
          tx.execute(sql`
            update registrations set written_attributes = now.written::json
            from unnest(${sql.param(ids)}::text[], ${sql.param(values)}::text[]) as now(id, written)
            where registrations.id = now.id`),
        );
        return changes.map(() => undefined);
      },
    });
  }

  /** Resolves with those of an earlier run. */
  async load(): Promise<(readonly [DeviceKey, Written])[]> {
    const { tenantId, deviceId, writtenAttributes } = registrations;
    const rows = await this.#store.asSystem((tx) =>
      tx.select({ tenantId, deviceId, writtenAttributes }).from(registrations).where(isNotNull(writtenAttributes)),
    );
    // The casts are safe: ids were written from branded ids, and `jsonOf` wrote the JSON.
    return rows.map((row) => [
      deviceKey(row.tenantId as TenantId, row.deviceId as DeviceId),
      new Map(Object.entries(row.writtenAttributes as Record<string, NotificationAttributes>)),
    ]);
  }

  /**
   * Saves those of the device's present registration if they changed. If that fails, they are saved with the next
   * change; after a restart, what was not saved is written to the device again.
   */
  saveChanges({ key, tenantId, registration }: LiveDevice, observed: Pick<Observed, 'written' | 'unsaved'>): void {
    if (!observed.unsaved) return;
    observed.unsaved = false;
    const written = new Map(observed.written);
    this.#batcher.add({ tenantId, registrationId: registration.id, written }).catch((error: unknown) => {
      observed.unsaved = true;
      this.#log.warn({ device: key, err: error }, 'the attributes that a device accepted could not be saved');
    });
  }

  /** Resolves when everything saved so far is stored or refused. */
  idle(): Promise<void> {
    return this.#batcher.idle();
  }
}

function jsonOf(written: Written): string | null {
  return written.size === 0 ? null : JSON.stringify(Object.fromEntries(written));
}
