import type { ObjectDefinition } from '../../lwm2m/index.ts';
import type { Actor } from '../access/index.ts';
import { badCursor, pageOf, windowOf, type PageRequest, type Page } from '../common/index.ts';
import type { ObjectModels } from './object-models.ts';
import type { OwnDefinitions } from './own-definitions.ts';

/** An object definition and where it comes from. */
export interface KnownDefinition extends ObjectDefinition {
  /** TENANT: the tenant uploaded it; it replaces the registry's definition of the same object and version. */
  readonly source: 'REGISTRY' | 'TENANT';
  /** When the tenant uploaded it; null for a definition of the registry. */
  readonly updatedAt: Date | null;
}

/** The object definitions of a tenant: those of the OMA registry and its own. */
export interface Definitions {
  /** The definition of an object, or null. Without `version`: the newest version. */
  get(actor: Actor, objectId: number, version?: string | null): Promise<KnownDefinition | null>;
  /** Resolves with a definition or null for each of `wanted`, in the same order. Executes no SQL statement. */
  many(
    actor: Actor,
    wanted: readonly { readonly objectId: number; readonly version: string | null }[],
  ): Promise<(KnownDefinition | null)[]>;
  /**
   * A page of the definitions whose id equals `search` or whose name contains it. Without `search`: of all definitions.
   */
  page(actor: Actor, request: PageRequest, search?: string | null): Promise<Page<KnownDefinition>>;
  /**
   * Stores all objects of an OMA object definition file, or none. The definitions are in use when the promise resolves.
   * `ifUpdatedAt`: throws CONFLICT unless each definition that is replaced was uploaded at this time. Requires the role
   * admin.
   */
  upload(actor: Actor, xml: string, ifUpdatedAt?: Date | null): Promise<readonly KnownDefinition[]>;
  /** Deletes a definition that the tenant uploaded; the registry's can't be deleted. Requires the role admin. */
  delete(actor: Actor, objectId: number, version: string): Promise<KnownDefinition>;
}

/** Creates the Definitions on top of the models in memory and the store of the tenants' own definitions. */
export function createDefinitions(models: ObjectModels, own: OwnDefinitions): Definitions {
  const known = ({ tenantId }: Actor, definition: ObjectDefinition): KnownDefinition => {
    const updatedAt = models.uploadedAt(tenantId, definition);
    return { ...definition, source: updatedAt ? 'TENANT' : 'REGISTRY', updatedAt };
  };
  const find = (actor: Actor, objectId: number, version: string | null | undefined): KnownDefinition | null => {
    const definition = models.of(actor.tenantId).object(objectId, version ?? undefined);
    return definition ? known(actor, definition) : null;
  };

  return {
    get: async (actor, objectId, version) => find(actor, objectId, version),

    many: async (actor, wanted) => wanted.map(({ objectId, version }) => find(actor, objectId, version)),

    async page(actor, request, search) {
      const window = windowOf(request, 'object definitions', search ?? null);
      const found = [...models.of(actor.tenantId).definitions()].filter((definition) => matches(definition, search));
      const along = window.backward ? found.toReversed() : found;
      const { from } = window;
      const start = from ? along.findIndex((definition) => idOf(definition) === from.id) + 1 : 0;
      if (from && start === 0) {
        throw badCursor(window.backward);
      }
      const rows = along.slice(start, start + window.size + 1);
      return pageOf(
        rows,
        window,
        (definition) => ({ key: '', id: idOf(definition) }),
        (definition) => known(actor, definition),
      );
    },

    async upload(actor, xml, ifUpdatedAt) {
      const uploaded = await own.upload(actor, xml, ifUpdatedAt);
      return uploaded.map((definition) => ({ ...definition, source: 'TENANT' }));
    },

    async delete(actor, objectId, version) {
      return { ...(await own.delete(actor, objectId, version)), source: 'TENANT' };
    },
  };
}

function idOf({ id, version }: ObjectDefinition): string {
  return `${id}/${version}`;
}

/** True if the id equals `search`, or the name contains it, ignoring case. */
function matches(definition: ObjectDefinition, search: string | null | undefined): boolean {
  const text = search?.trim().toLowerCase();
  return !text || String(definition.id) === text || definition.name.toLowerCase().includes(text);
}
