import type { ObjectDefinition } from '../../lwm2m/index.ts';
import type { Actor } from '../access/index.ts';
import { FleetError, pageOf, windowOf, type PageRequest, type Page } from '../common/index.ts';
import type { ObjectModels } from './object-models.ts';
import type { OwnDefinitions } from './own-definitions.ts';

export interface KnownDefinition extends ObjectDefinition {
  /** TENANT: one of the tenant's own, which wins over the registry's of the same version. */
  readonly source: 'REGISTRY' | 'TENANT';
}

export interface Definitions {
  get(actor: Actor, objectId: number, version?: string | null): Promise<KnownDefinition | null>;
  /** In the order of `wanted`; no statement. */
  many(
    actor: Actor,
    wanted: readonly { readonly objectId: number; readonly version: string | null }[],
  ): Promise<(KnownDefinition | null)[]>;
  page(actor: Actor, request: PageRequest, search?: string | null): Promise<Page<KnownDefinition>>;
  /** The objects of an OMA object definition file, all or none; they are in force when it resolves. */
  upload(actor: Actor, xml: string): Promise<readonly KnownDefinition[]>;
  /** Only of the tenant's own. */
  delete(actor: Actor, objectId: number, version: string): Promise<KnownDefinition>;
}

/** The object definitions that a tenant sees: those of the OMA registry and its own. */
export function createDefinitions(models: ObjectModels, own: OwnDefinitions): Definitions {
  const known = ({ tenantId }: Actor, definition: ObjectDefinition): KnownDefinition => ({
    ...definition,
    source: models.isOwn(tenantId, definition) ? 'TENANT' : 'REGISTRY',
  });
  const find = (actor: Actor, objectId: number, version: string | null | undefined): KnownDefinition | null => {
    const definition = models.of(actor.tenantId).object(objectId, version ?? undefined);
    return definition ? known(actor, definition) : null;
  };

  return {
    get: async (actor, objectId, version) => find(actor, objectId, version),

    many: async (actor, wanted) => wanted.map(({ objectId, version }) => find(actor, objectId, version)),

    async page(actor, request, search) {
      const window = windowOf(request);
      const found = [...models.of(actor.tenantId).definitions()].filter((definition) => matches(definition, search));
      const along = window.backward ? found.toReversed() : found;
      const { from } = window;
      const start = from ? along.findIndex((definition) => idOf(definition) === from.id) + 1 : 0;
      if (from && start === 0) {
        const field = [window.backward ? 'before' : 'after'];
        throw new FleetError('VALIDATION', 'invalid cursor: it must come from this list', { field });
      }
      const rows = along.slice(start, start + window.size + 1);
      return pageOf(
        rows,
        window,
        (definition) => ({ key: '', id: idOf(definition) }),
        (definition) => known(actor, definition),
      );
    },

    async upload(actor, xml) {
      const uploaded = await own.upload(actor, xml);
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

/** By id, or by a part of the name, case-insensitive. */
function matches(definition: ObjectDefinition, search: string | null | undefined): boolean {
  const text = search?.trim().toLowerCase();
  return !text || String(definition.id) === text || definition.name.toLowerCase().includes(text);
}
