import SchemaBuilder from '@pothos/core';
import ComplexityPlugin from '@pothos/plugin-complexity';
import DataloaderPlugin from '@pothos/plugin-dataloader';
import ErrorsPlugin from '@pothos/plugin-errors';
import RelayPlugin from '@pothos/plugin-relay';
import ScopeAuthPlugin from '@pothos/plugin-scope-auth';
import ValidationPlugin from '@pothos/plugin-validation';
import { FleetError, type ResourceState } from '../src/fleet/index.ts';
import type { Context } from './context.ts';
import { decodeNodeId, encodeGlobalId } from './global-id.ts';
import { pageSize } from './page.ts';

/** A resource's value as JSON: one value, or resource instance id → value. */
type ResourceJson = NonNullable<ResourceState['value']>;

export interface SchemaTypes {
  Context: Context;
  DefaultFieldNullability: false;
  DefaultNodeNullability: false;
  DefaultEdgesNullability: { list: false; items: false };
  Scalars: {
    ID: { Input: string; Output: string };
    UUID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: unknown; Output: unknown };
    ResourcePath: { Input: string; Output: string };
    ResourceValue: { Input: ResourceJson; Output: ResourceJson };
  };
  AuthScopes: { operator: boolean; admin: boolean };
}

/**
 * The plugins wrap each other in this order, the first outermost: what the authorization or the validation refuses is
 * still inside the errors plugin, and becomes a member of a mutation's result.
 */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [RelayPlugin, ErrorsPlugin, ScopeAuthPlugin, ComplexityPlugin, ValidationPlugin, DataloaderPlugin],
  defaultFieldNullability: false,
  relay: {
    encodeGlobalID: (type, id) => encodeGlobalId(type, String(id)),
    decodeGlobalID: decodeNodeId,
    idFieldOptions: {
      description:
        'The global id: opaque, stable, and unique over all types. `node(id:)` takes it, and every argument that wants the id of this type.',
    },
    nodeTypeOptions: { description: 'Whatever has a global id, and can be fetched by it with `node(id:)`.' },
    nodeQueryOptions: {
      description:
        'The device, profile or RPC with this global id; null when there is none in the caller’s tenant. Example: `node(id: "RGV2aWNlOmQ3YjFjMGUyLTNmNWEtNGE0ZS05YzU1LThmMWRlMmEwYjZjNw") { ... on Device { endpoint } }`.',
      args: { id: { description: 'A global id, as the `id` field of a Node gave it.' } },
    },
    nodesQueryOptions: false,
    pageInfoTypeOptions: { description: 'Where a page lies in its list (Relay cursor connections).' },
    cursorType: 'String',
    hasNextPageFieldOptions: { description: 'Whether there are more items after this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether there are items before this page.' },
    startCursorFieldOptions: { description: 'The cursor of the first item, for `before`; null on an empty page.' },
    endCursorFieldOptions: { description: 'The cursor of the last item, for `after`; null on an empty page.' },
    cursorFieldOptions: { description: 'Where this item lies in the list: opaque, for `after` and `before`.' },
    nodeFieldOptions: { description: 'The item at this place of the list.', nullable: false },
    // The connection itself counts its page; counting the list again would multiply twice.
    edgesFieldOptions: {
      description: 'The items with their cursors.',
      nullable: { list: false, items: false },
      complexity: { field: 1, multiplier: 1 },
    },
    nodesOnConnection: {
      description: 'The items without their cursors: the `node` of each of `edges`, in the same order.',
      complexity: { field: 1, multiplier: 1 },
    },
    pageInfoFieldOptions: { description: 'Where this page lies in the list.' },
    firstArgOptions: {
      description:
        'How many items from the start (or after `after`), 1 to 200. 50 when neither first nor last is given.',
    },
    afterArgOptions: { description: 'Items after this cursor; goes with first.' },
    lastArgOptions: {
      description: 'How many items from the end (or before `before`), 1 to 200; not together with first.',
    },
    beforeArgOptions: { description: 'Items before this cursor; goes with last.' },
    defaultConnectionFieldOptions: { complexity: (args) => ({ field: 1, multiplier: pageSize(args) }) },
    clientMutationId: 'omit',
    mutationInputArgOptions: { description: 'What is asked.', required: true },
  },
  errors: { directResult: true, unsafelyHandleInputErrors: true },
  scopeAuth: {
    // Whoever has a token at all is a viewer; each role can do what the one before it can.
    authScopes: ({ actor: { role } }) => ({ operator: role !== 'viewer', admin: role === 'admin' }),
    authorizeOnSubscribe: true,
    unauthorizedError: (_parent, { actor }, info) =>
      new FleetError('FORBIDDEN', `${info.parentType.name}.${info.fieldName} is not for the role ${actor.role}`),
  },
  validation: {
    validationError: ({ issues }) => {
      const [issue] = issues;
      const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
      // Fields are paths into the input object, as the fleet tells them too.
      const field = path[0] === 'input' ? path.slice(1) : path;
      return new FleetError('VALIDATION', `${field.join('.')}: ${issue?.message ?? 'does not fit'}`, { field });
    },
  },
});

export type InputFields = PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>;
