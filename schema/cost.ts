import { complexityFromQuery } from '@pothos/plugin-complexity';
import { Kind, type DocumentNode, type GraphQLSchema } from 'graphql';
import type { Context } from './context.ts';
import { introspectionCostOf } from './introspection-cost.ts';

export interface Cost {
  /**
   * Number of fields, each multiplied by the number of items that the lists around it may hold. Fields of introspection
   * count with the average number of items.
   */
  readonly complexity: number;
  /** Number of nested selection levels. */
  readonly depth: number;
}

/**
 * Calculates the cost of an operation before it runs. The document must be valid for the schema. Throws a GraphQLError
 * for invalid variables and a FleetError for invalid arguments.
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  options: { operationName?: string | null; variables?: Record<string, unknown> | null; context: Context },
): Cost {
  const { operationName, variables, context } = options;
  // The library measures the first operation of a document: keep only the operation that will run, and the fragments.
  const definitions = document.definitions.filter(
    (definition) =>
      definition.kind !== Kind.OPERATION_DEFINITION || !operationName || definition.name?.value === operationName,
  );
  const measured = { ...document, definitions };
  const { complexity, depth } = complexityFromQuery(measured, { schema, ctx: context, variables: variables ?? {} });
  return { complexity: complexity + introspectionCostOf(schema, measured), depth };
}
