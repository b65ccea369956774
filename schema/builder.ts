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
import InputPlugin from './input-plugin.ts';
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
 * The plugins wrap each other in this order, the first outermost. The errors plugin therefore catches the errors of
 * authorization and validation and turns them into members of a mutation's result union.
 */
export const builder = new SchemaBuilder<SchemaTypes>({
  plugins: [
    RelayPlugin,
    ErrorsPlugin,
    InputPlugin,
    ScopeAuthPlugin,
    ComplexityPlugin,
    ValidationPlugin,
    DataloaderPlugin,
  ],
  defaultFieldNullability: false,
  relay: {
    encodeGlobalID: (type, id) => encodeGlobalId(type, String(id)),
    decodeGlobalID: decodeNodeId,
    idFieldOptions: {
      description:
        'The global id: opaque, stable, and unique over all types. Pass it to `node(id:)` or to any argument that takes an id of this type.',
    },
    nodeTypeOptions: {
      description: 'A type whose objects can be fetched by global id with `node(id:)`: Device, DeviceProfile, Rpc.',
    },
    nodeQueryOptions: {
      description:
        'Returns the device, profile or RPC with this global id; null if the caller’s tenant has none. Example: `node(id: "RGV2aWNlOmQ3YjFjMGUyLTNmNWEtNGE0ZS05YzU1LThmMWRlMmEwYjZjNw") { ... on Device { endpoint } }`.',
      args: { id: { description: 'A global id: the value of the `id` field of a Device, DeviceProfile or Rpc.' } },
    },
    nodesQueryOptions: false,
    pageInfoTypeOptions: { description: 'Position of a page in its list (Relay cursor connections).' },
    cursorType: 'String',
    hasNextPageFieldOptions: { description: 'True: there are items after this page.' },
    hasPreviousPageFieldOptions: { description: 'True: there are items before this page.' },
    startCursorFieldOptions: {
      description: 'The cursor of the first item; null on an empty page. Pass it as `before` to get the previous page.',
    },
    endCursorFieldOptions: {
      description: 'The cursor of the last item; null on an empty page. Pass it as `after` to get the next page.',
    },
    cursorFieldOptions: {
      description: 'The position of this item in the list, as opaque text. Pass it as `after` or `before`.',
    },
    nodeFieldOptions: { description: 'The item at this position of the list.', nullable: false },
    // The connection already multiplies the cost by its page size; the list must not multiply it again.
    edgesFieldOptions: {
      description: 'The items with their cursors.',
      nullable: { list: false, items: false },
      complexity: { field: 1, multiplier: 1 },
    },
    nodesOnConnection: {
      description: 'The items without their cursors, in the same order as `edges`.',
      complexity: { field: 1, multiplier: 1 },
    },
    pageInfoFieldOptions: { description: 'Cursors of this page, and whether there are pages before and after it.' },
    firstArgOptions: {
      description:
        'Returns the first `first` items of the list, or of the items after `after`: 1 to 200. Absent or null, without last: 50.',
    },
    afterArgOptions: {
      description: 'Returns items after this cursor; use it with `first`. Absent or null: from the start of the list.',
    },
    lastArgOptions: {
      description:
        'Returns the last `last` items of the list, or of the items before `before`: 1 to 200. Not allowed together with `first`. Absent or null: `first` applies.',
    },
    beforeArgOptions: {
      description: 'Returns items before this cursor; use it with `last`. Absent or null: from the end of the list.',
    },
    defaultConnectionFieldOptions: { complexity: (args) => ({ field: 1, multiplier: pageSize(args) }) },
    clientMutationId: 'omit',
    mutationInputArgOptions: { description: 'The input of the mutation.', required: true },
  },
  errors: { directResult: true, unsafelyHandleInputErrors: true },
  scopeAuth: {
    // Every valid token has at least the role viewer. An operator may do all that a viewer may, an admin all that an operator may.
    authScopes: ({ actor: { role } }) => ({ operator: role !== 'viewer', admin: role === 'admin' }),
    authorizeOnSubscribe: true,
    unauthorizedError: (_parent, { actor }, info) =>
      new FleetError('FORBIDDEN', `${info.parentType.name}.${info.fieldName} is not for the role ${actor.role}`),
  },
  validation: {
    validationError: ({ issues }) => {
      const [issue] = issues;
      const path = (issue?.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
      // `field` is a path into the input object, as in the fleet's errors.
      const field = path[0] === 'input' ? path.slice(1) : path;
      return new FleetError('VALIDATION', `${field.join('.')}: ${issue?.message ?? 'is invalid'}`, { field });
    },
  },
});

export type InputFields = PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>;
