import { complexityFromQuery } from '@pothos/plugin-complexity';
import { Kind, type DocumentNode, type GraphQLSchema } from 'graphql';
import type { Context } from './context.ts';

export interface Cost {
  /** Fields, counted once for each item that their lists may hold. */
  readonly complexity: number;
  /** How deep selections are nested. */
  readonly depth: number;
}

/**
 * What an operation costs, before it runs. The document has been validated against the schema. Throws a GraphQLError for
 * variables that do not fit, and FleetError for arguments that break a rule.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  options: { operationName?: string | null; variables?: Record<string, unknown> | null; context: Context },
): Cost {
  const { operationName, variables, context } = options;
  // The library counts the first operation: leave only the one that will run, and the fragments.
  const definitions = document.definitions.filter(
    (definition) =>
      definition.kind !== Kind.OPERATION_DEFINITION || !operationName || definition.name?.value === operationName,
  );
  const { complexity, depth } = complexityFromQuery(
    { ...document, definitions },
    { schema, ctx: context, variables: variables ?? {} },
  );
  return { complexity, depth };
}
