import { and, count, eq, sql, sum } from 'drizzle-orm';
import type { Clock } from '../../clock.ts';
import { Lwm2mError, parseObjectXml, type ObjectDefinition } from '../../lwm2m/index.ts';
import { objectDefinitions, type Store, type Transaction } from '../../store/index.ts';
import { type Actor, requireRole } from '../access/index.ts';
import { FleetError } from '../common/index.ts';
import type { ObjectModels } from './object-models.ts';

/** Of one tenant: all are in memory. */
const MOST_DEFINITIONS = 200;
const MOST_CHARACTERS = 4 * 1024 * 1024;

/** A new id too, which is what other processes see the change by. */
const REPLACED = {
  id: sql`default`,
  definition: sql`excluded.definition`,
  size: sql`excluded.size`,
  uploadedAt: sql`excluded.uploaded_at`,
};

/** Keeps the definitions that a tenant makes itself; each change is in force when it resolves. */
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
   * Stores the objects of an OMA object definition file, all or none; a version that is there already is replaced.
   * Throws VALIDATION that names line and element, or the bound that it goes beyond.
   */
  async upload(actor: Actor, xml: string): Promise<readonly ObjectDefinition[]> {
    requireRole(actor, 'admin');
    const definitions = definitionsOf(xml);
    const uploadedAt = new Date(this.#clock.now());
    const rows = definitions.map((definition) => ({
      tenantId: actor.tenantId,
      objectId: definition.id,
      version: definition.version,
      definition,
      size: JSON.stringify(definition).length,
      uploadedAt,
    }));
    await this.#store.asTenant(actor.tenantId, async (tx) => {
      const { tenantId, objectId, version } = objectDefinitions;
      await tx
        .insert(objectDefinitions)
        .values(rows)
        .onConflictDoUpdate({
          target: [tenantId, objectId, version],
          set: REPLACED,
        });
      await checkBounds(tx);
    });
    await this.#models.renew(actor.tenantId);
    return definitions;
  }

  /** Resolves with the definition as it was; throws NOT_FOUND where the tenant has none of its own. */
  async delete(actor: Actor, objectId: number, version: string): Promise<ObjectDefinition> {
    requireRole(actor, 'admin');
    const [deleted] = await this.#store.asTenant(actor.tenantId, (tx) =>
      tx
        .delete(objectDefinitions)
        .where(and(eq(objectDefinitions.objectId, objectId), eq(objectDefinitions.version, version)))
        .returning({ definition: objectDefinitions.definition }),
    );
    if (!deleted) {
      throw new FleetError('NOT_FOUND', `the tenant has no definition of its own of object ${objectId} ${version}`);
    }
    await this.#models.renew(actor.tenantId);
    // What `upload` wrote.
    return deleted.definition as ObjectDefinition;
  }
}

function definitionsOf(xml: string): readonly ObjectDefinition[] {
  let definitions: readonly ObjectDefinition[];
  try {
    definitions = parseObjectXml(xml);
  } catch (error) {
    if (error instanceof Lwm2mError) throw wrong(error.message, error);
    throw error;
  }
  if (definitions.length > MOST_DEFINITIONS) throw wrong(`at most ${MOST_DEFINITIONS} definitions`);
  const seen = new Set<string>();
  for (const { id, version } of definitions) {
    if (seen.has(`${id}/${version}`)) throw wrong(`object ${id} ${version} is defined twice`);
    seen.add(`${id}/${version}`);
  }
  return definitions;
}

/** With the upload in: it is taken back when this throws. Two at once may go beyond by one of them. */
async function checkBounds(tx: Transaction): Promise<void> {
  const [total] = await tx.select({ number: count(), size: sum(objectDefinitions.size) }).from(objectDefinitions);
  if (!total) return;
  if (total.number > MOST_DEFINITIONS) {
    throw wrong(`the tenant would have ${total.number} definitions of its own, at most ${MOST_DEFINITIONS} are kept`);
  }
  if (Number(total.size) > MOST_CHARACTERS) {
    throw wrong(`the tenant’s definitions would take ${total.size} characters, at most ${MOST_CHARACTERS} are kept`);
  }
}

function wrong(message: string, cause?: unknown): FleetError {
  return new FleetError('VALIDATION', message, { field: ['xml'], cause });
}
