import type { ObjectDefinition, ObjectModel } from '../lwm2m/index.ts';
import type { TenantId } from './access.ts';
import { FleetError } from './error.ts';
import type { Definitions } from './fleet.ts';
import { pageOf, windowOf } from './paging.ts';

/** The object definitions that a tenant sees. */
export function createDefinitions(modelOf: (tenantId: TenantId) => ObjectModel): Definitions {
  return {
    get: async (actor, objectId, version) => find(modelOf(actor.tenantId), objectId, version),

    async many(actor, wanted) {
      const model = modelOf(actor.tenantId);
      return wanted.map(({ objectId, version }) => find(model, objectId, version));
    },

    async page(actor, request, search) {
      const window = windowOf(request);
      const found = [...modelOf(actor.tenantId).definitions()].filter((definition) => matches(definition, search));
      const along = window.backward ? found.toReversed() : found;
      const { from } = window;
      const start = from ? along.findIndex((definition) => idOf(definition) === from.id) + 1 : 0;
      if (from && start === 0) {
        const field = [window.backward ? 'before' : 'after'];
        throw new FleetError('VALIDATION', 'no cursor of these definitions', { field });
      }
      const rows = along.slice(start, start + window.size + 1);
      return pageOf(
        rows,
        window,
        (definition) => ({ key: '', id: idOf(definition) }),
        (definition) => definition,
      );
    },
  };
}

function find(model: ObjectModel, objectId: number, version?: string | null): ObjectDefinition | null {
  return model.object(objectId, version ?? undefined) ?? null;
}

function idOf({ id, version }: ObjectDefinition): string {
  return `${id}/${version}`;
}

/** By id, or by a part of the name, case-insensitive. */
function matches(definition: ObjectDefinition, search: string | null | undefined): boolean {
  const text = search?.trim().toLowerCase();
  return !text || String(definition.id) === text || definition.name.toLowerCase().includes(text);
}
