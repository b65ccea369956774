import { eq, sql } from 'drizzle-orm';
import type { Clock, Timer } from '../../clock.ts';
import { overlayModel, type ObjectDefinition, type ObjectModel, type ResourceDefinition } from '../../lwm2m/index.ts';
import { objectDefinitions, type Store } from '../../store/index.ts';
import type { TenantId } from '../access/index.ts';
import type { Log } from '../common/index.ts';

/** The time between two reads of the table. Changes by another process take effect here within this time. */
const ROUND_MS = 30_000;

/** The registry's definitions and, in front of them, the tenant's own as last read from the database. */
interface Overlay {
  /** Changes with each upload and deletion. */
  readonly fingerprint: string;
  /** When each of the tenant's definitions was uploaded, by `id/version`. */
  readonly uploads: ReadonlyMap<string, Date>;
  readonly model: ObjectModel;
}

/**
 * The object definitions of each tenant: those of the OMA registry, and the tenant's own, which replace the registry's
 * of the same version. All of them are in memory, because each reading looks up a definition.
 */
export class ObjectModels {
  readonly #store: Store;
  readonly #registry: ObjectModel;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #overlays = new Map<TenantId, Overlay>();
  readonly #views = new Map<TenantId, ObjectModel>();
  #timer: Timer | null = null;
  /** The last read. Reads run one after the other, so that an older read never replaces the result of a newer one. */
  #reading: Promise<void> = Promise.resolve();

  constructor(parts: { store: Store; registry: ObjectModel; clock: Clock; log: Log }) {
    this.#store = parts.store;
    this.#registry = parts.registry;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** The model of a tenant. It always returns the present definitions, so callers can keep it. */
  of(tenantId: TenantId): ObjectModel {
    const known = this.#views.get(tenantId);
    if (known) return known;
    const view = new PresentModel(() => this.#overlays.get(tenantId)?.model ?? this.#registry);
    this.#views.set(tenantId, view);
    return view;
  }

  /** When the tenant uploaded the definition; null if it is the registry's. */
  uploadedAt(tenantId: TenantId, definition: ObjectDefinition): Date | null {
    return this.#overlays.get(tenantId)?.uploads.get(versionKey(definition)) ?? null;
  }

  /** Reads all definitions now, and the changed ones every 30 seconds. */
  async start(): Promise<void> {
    await this.renew();
    this.#later();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.idle();
  }

  /** Resolves when no read is running. */
  idle(): Promise<void> {
    return this.#reading;
  }

  /**
   * Reads the changed definitions, of one tenant or of all. Resolves when all changes that are committed now are in
   * use.
   */
  renew(tenantId?: TenantId): Promise<void> {
    const read = this.#reading.then(() => this.#read(tenantId));
    this.#reading = read.catch(() => {});
    return read;
  }

  #later(): void {
    this.#timer = this.#clock.after(ROUND_MS, () => {
      const round = this.renew().catch((error: unknown) =>
        this.#log.warn({ err: error }, `object definitions can't be read: the definitions read before stay in use`),
      );
      void round.then(() => this.#timer && this.#later());
    });
  }

  async #read(tenantId: TenantId | undefined): Promise<void> {
    // Reads the fingerprints before the rows: if rows change in between, the next read finds a new fingerprint.
    const fingerprints = await this.#fingerprints(tenantId);
    for (const known of tenantId === undefined ? this.#overlays.keys() : [tenantId]) {
      if (!fingerprints.has(known)) this.#overlays.delete(known);
    }
    for (const [changed, fingerprint] of fingerprints) {
      if (this.#overlays.get(changed)?.fingerprint === fingerprint) continue;
      const own = await this.#definitions(changed);
      this.#overlays.set(changed, {
        fingerprint,
        uploads: new Map(own.map(({ definition, uploadedAt }) => [versionKey(definition), uploadedAt])),
        model: overlayModel(
          own.map(({ definition }) => definition),
          this.#registry,
        ),
      });
    }
  }

  async #fingerprints(tenantId: TenantId | undefined): Promise<Map<TenantId, string>> {
    const rows = await this.#store.asSystem((tx) =>
      tx
        .select({
          tenantId: objectDefinitions.tenantId,
          fingerprint: sql<string>`md5(string_agg(${objectDefinitions.id}::text, ' ' order by ${objectDefinitions.id}))`,
        })
        .from(objectDefinitions)
        .where(tenantId && eq(objectDefinitions.tenantId, tenantId))
        .groupBy(objectDefinitions.tenantId),
    );
    // The column contains only tenant ids.
    return new Map(rows.map((row) => [row.tenantId as TenantId, row.fingerprint]));
  }

  async #definitions(tenantId: TenantId): Promise<{ definition: ObjectDefinition; uploadedAt: Date }[]> {
    const rows = await this.#store.asTenant(tenantId, (tx) =>
      tx
        .select({ definition: objectDefinitions.definition, uploadedAt: objectDefinitions.uploadedAt })
        .from(objectDefinitions),
    );
    // OwnDefinitions wrote it, from the result of parseObjectXml.
    return rows.map((row) => ({ ...row, definition: row.definition as ObjectDefinition }));
  }
}

/** A model that passes each call to the tenant's present model. */
class PresentModel implements ObjectModel {
  readonly #present: () => ObjectModel;

  constructor(present: () => ObjectModel) {
    this.#present = present;
  }

  object(objectId: number, version?: string): ObjectDefinition | undefined {
    return this.#present().object(objectId, version);
  }

  resource(objectId: number, resourceId: number, version?: string): ResourceDefinition | undefined {
    return this.#present().resource(objectId, resourceId, version);
  }

  definitions(): Iterable<ObjectDefinition> {
    return this.#present().definitions();
  }
}

function versionKey({ id, version }: ObjectDefinition): string {
  return `${id}/${version}`;
}
