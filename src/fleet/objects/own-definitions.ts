import { and, count, eq, or, sql, sum } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import { Lwm2mError, parseObjectXml, type ObjectDefinition } from '../../lwm2m/index.ts';
import { lockUntilEnd, objectDefinitions, type Store, type Transaction } from '../../store/index.ts';
import { type Actor, requireRole } from '../access/index.ts';
import { checkNotStale, FleetError, laterThan, staleEdit } from '../common/index.ts';
import type { ObjectModels } from './object-models.ts';

/** The limits of one tenant, because all definitions are in memory. */
const MOST_DEFINITIONS = 200;
const MOST_CHARACTERS = 4 * 1024 * 1024;

/**
 * The columns that an upload replaces. A new id changes the tenant's fingerprint, so other processes read the change.
 */
const REPLACED = {
  id: sql`default`,
  definition: sql`excluded.definition`,
  size: sql`excluded.size`,
  uploadedAt: sql`excluded.uploaded_at`,
};

/** A definition that a tenant uploaded. */
export interface OwnDefinition extends ObjectDefinition {
  /** When it was uploaded. */
  readonly updatedAt: Date;
}

/** Stores the object definitions that tenants upload. A change is in use when its promise resolves. */
export class OwnDefinitions {
  readonly #store: Store;
  readonly #models: ObjectModels;
  readonly #clock: Clock;

  constructor(store: Store, models: ObjectModels, clock: Clock) {
    this.#store = store;
    this.#models = models;
    this.#clock = clock;
  }

  /**
   * Stores all objects of an OMA object definition file, or none. Replaces a definition of the same object and version.
   * Throws VALIDATION with the line and the element, or with the limit that would be exceeded. `ifUpdatedAt`: throws
   * CONFLICT unless each definition that is replaced was uploaded at this time.
   */
  async upload(actor: Actor, xml: string, ifUpdatedAt?: Date | null): Promise<readonly OwnDefinition[]> {
    requireRole(actor, 'admin');
    const definitions = definitionsOf(xml);
    const uploadedAt = await this.#store.asTenant(actor.tenantId, async (tx) => {
      await lockUntilEnd(tx, `object definitions of ${actor.tenantId}`);
      const replaced = await replacedBy(tx, definitions);
      checkReplaced(replaced, ifUpdatedAt);
      const last = Math.max(0, ...replaced.map(({ updatedAt }) => updatedAt.getTime()));
      const at = laterThan(new Date(last), this.#clock.now());
      const rows = definitions.map((definition) => ({
        tenantId: actor.tenantId,
        objectId: definition.id,
        version: definition.version,
        definition,
        size: JSON.stringify(definition).length,
        uploadedAt: at,
      }));
      const { tenantId, objectId, version } = objectDefinitions;
      await tx
        .insert(objectDefinitions)
        .values(rows)
        .onConflictDoUpdate({
          target: [tenantId, objectId, version],
          set: REPLACED,
        });
      await checkBounds(tx);
      return at;
    });
    await this.#models.renew(actor.tenantId);
    return definitions.map((definition) => ({ ...definition, updatedAt: uploadedAt }));
  }

  /** Deletes a definition and resolves with it. Throws NOT_FOUND if the tenant did not upload it. */
  async delete(actor: Actor, objectId: number, version: string): Promise<OwnDefinition> {
    requireRole(actor, 'admin');
    const [deleted] = await this.#store.asTenant(actor.tenantId, (tx) =>
      tx
        .delete(objectDefinitions)
        .where(and(eq(objectDefinitions.objectId, objectId), eq(objectDefinitions.version, version)))
        .returning(),
    );
    if (!deleted) {
      throw new FleetError('NOT_FOUND', `the tenant has no definition of its own of object ${objectId} ${version}`);
    }
    await this.#models.renew(actor.tenantId);
    // `upload` wrote it.
    return { ...(deleted.definition as ObjectDefinition), updatedAt: deleted.uploadedAt };
  }
}

type Replaced = Pick<OwnDefinition, 'id' | 'version' | 'updatedAt'>;

/** The tenant's definitions that an upload of these replaces. */
async function replacedBy(tx: Transaction, definitions: readonly ObjectDefinition[]): Promise<Replaced[]> {
  const { objectId, version } = objectDefinitions;
  const same = definitions.map((one) => and(eq(objectId, one.id), eq(version, one.version)));
  return tx
    .select({ id: objectId, version, updatedAt: objectDefinitions.uploadedAt })
    .from(objectDefinitions)
    .where(or(...same));
}

/** Throws CONFLICT unless all of them were uploaded at `ifUpdatedAt`; null or undefined accepts any. */
function checkReplaced(replaced: readonly Replaced[], ifUpdatedAt: Date | null | undefined): void {
  if (ifUpdatedAt == null) return;
  if (replaced.length === 0) throw staleEdit('the definition was deleted', [], null);
  const stale = replaced.filter(({ updatedAt }) => updatedAt.getTime() !== ifUpdatedAt.getTime());
  const [first] = stale;
  if (!first) return;
  const times = stale.map(({ id, version, updatedAt }) => [`${id}/${version}`, updatedAt.toISOString()]);
  checkNotStale('the definition', { updatedAt: first.updatedAt, fieldTimes: Object.fromEntries(times) }, ifUpdatedAt);
}

function definitionsOf(xml: string): readonly ObjectDefinition[] {
  let definitions: readonly ObjectDefinition[];
  try {
    definitions = parseObjectXml(xml);
  } catch (error) {
    if (error instanceof Lwm2mError) throw wrong(error.message, error);
    throw error;
  }
  if (definitions.length > MOST_DEFINITIONS)
    throw wrong(`at most ${MOST_DEFINITIONS} definitions are allowed, not ${definitions.length}`);
  const seen = new Set<string>();
  for (const { id, version } of definitions) {
    if (seen.has(`${id}/${version}`)) throw wrong(`object ${id} ${version} is defined twice`);
    seen.add(`${id}/${version}`);
  }
  return definitions;
}

/** Checks the limits of the tenant after an upload. If this throws, the upload is rolled back. */
async function checkBounds(tx: Transaction): Promise<void> {
  const [total] = await tx.select({ number: count(), size: sum(objectDefinitions.size) }).from(objectDefinitions);
  if (!total) return;
  if (total.number > MOST_DEFINITIONS) {
    throw wrong(
      `the tenant would have ${total.number} definitions of its own; at most ${MOST_DEFINITIONS} are allowed`,
    );
  }
  if (Number(total.size) > MOST_CHARACTERS) {
    throw wrong(`the tenant’s definitions would take ${total.size} characters; at most ${MOST_CHARACTERS} are allowed`);
  }
}

function wrong(message: string, cause?: unknown): FleetError {
  return new FleetError('VALIDATION', message, { field: ['xml'], cause });
}
