import { eq, sql } from 'drizzle-orm';
import type { Clock, Timer } from '../../clock.ts';
import { overlayModel, type ObjectDefinition, type ObjectModel, type ResourceDefinition } from '../../lwm2m/index.ts';
import { objectDefinitions, type Store } from '../../store/index.ts';
import type { TenantId } from '../access/index.ts';
import type { Log } from '../common/index.ts';

/** How often the tables are looked at: what another process changed is seen here within this time. */
const ROUND_MS = 30_000;

/** A tenant's own definitions as they were read, laid over the registry. */
interface Overlay {
  /** Of the uploads it was read from. */
  readonly fingerprint: string;
  readonly versions: ReadonlySet<string>;
  readonly model: ObjectModel;
}

/**
 * By which definitions the devices of each tenant are understood: the OMA registry, and over it the tenant's own. They
 * are all in memory, for they are asked for each reading.
 */
export class ObjectModels {
  readonly #store: Store;
  readonly #registry: ObjectModel;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #overlays = new Map<TenantId, Overlay>();
  readonly #views = new Map<TenantId, ObjectModel>();
  #timer: Timer | null = null;
  /** Reads run one after the other, so that an older one never ends last. */
  #reading: Promise<void> = Promise.resolve();

  constructor(parts: { store: Store; registry: ObjectModel; clock: Clock; log: Log }) {
    this.#store = parts.store;
    this.#registry = parts.registry;
    this.#clock = parts.clock;
    this.#log = parts.log;
  }

  /** The tenant's model, always as it is now: whoever keeps it sees each change at once. */
  of(tenantId: TenantId): ObjectModel {
    const known = this.#views.get(tenantId);
    if (known) return known;
    const view = new PresentModel(() => this.#overlays.get(tenantId)?.model ?? this.#registry);
    this.#views.set(tenantId, view);
    return view;
  }

  /** True for a definition of the tenant's own, false for one of the registry. */
  isOwn(tenantId: TenantId, definition: ObjectDefinition): boolean {
    return this.#overlays.get(tenantId)?.versions.has(versionKey(definition)) ?? false;
  }

  /** Reads what there is, and from now on what changes. */
  async start(): Promise<void> {
    await this.renew();
    this.#later();
  }

  async stop(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    await this.idle();
  }

  /** Resolves when nothing is being read. */
  idle(): Promise<void> {
    return this.#reading;
  }

  /** Resolves when every change that was committed before is in force. */
  renew(tenantId?: TenantId): Promise<void> {
    const read = this.#reading.then(() => this.#read(tenantId));
    this.#reading = read.catch(() => {});
    return read;
  }

  #later(): void {
    this.#timer = this.#clock.after(ROUND_MS, () => {
      const round = this.renew().catch((error: unknown) =>
        this.#log.warn({ err: error }, `object definitions can't be read: the definitions read before stay in force`),
      );
      void round.then(() => this.#timer && this.#later());
    });
  }

  async #read(tenantId: TenantId | undefined): Promise<void> {
    // The fingerprints go first: what changes between them and the rows is found by the next round.
    const fingerprints = await this.#fingerprints(tenantId);
    for (const known of tenantId === undefined ? this.#overlays.keys() : [tenantId]) {
      if (!fingerprints.has(known)) this.#overlays.delete(known);
    }
    for (const [changed, fingerprint] of fingerprints) {
      if (this.#overlays.get(changed)?.fingerprint === fingerprint) continue;
      const own = await this.#definitions(changed);
      this.#overlays.set(changed, {
        fingerprint,
        versions: new Set(own.map(versionKey)),
        model: overlayModel(own, this.#registry),
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
    // The column holds ids of tenants only.
    return new Map(rows.map((row) => [row.tenantId as TenantId, row.fingerprint]));
  }

  async #definitions(tenantId: TenantId): Promise<ObjectDefinition[]> {
    const rows = await this.#store.asTenant(tenantId, (tx) =>
      tx.select({ definition: objectDefinitions.definition }).from(objectDefinitions),
    );
    // What OwnDefinitions wrote had come from parseObjectXml.
    return rows.map(({ definition }) => definition as ObjectDefinition);
  }
}

/** A model that is looked up anew for every question. */
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
