import type { FieldComplexity } from '@pothos/plugin-complexity';
import {
  getArgumentValues,
  getDirectiveValues,
  getNamedType,
  getNullableType,
  getOperationAST,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getVariableValues,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLError,
  type GraphQLField,
  type GraphQLSchema,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
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

/** The cost of an operation, or the errors of its variables. */
export type Measured = { readonly cost: Cost } | { readonly invalid: readonly GraphQLError[] };

interface Operation {
  readonly document: DocumentNode;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly context: Context;
}

interface Weight {
  /** The cost of the field itself. */
  readonly field: number;
  /** The number of items in which the fields below are executed. */
  readonly multiplier: number;
}

const NOTHING: Cost = { complexity: 0, depth: 0 };
const LEAF: Cost = { complexity: 1, depth: 1 };
/** How many errors of variables are reported. */
const MOST_ERRORS = 50;
/** The number of items of a list whose field has no `complexity`. */
const LIST_ITEMS = 10;

/**
 * Calculates the cost of an operation before it runs. The document must be valid for the schema. Rules for arguments are
 * not checked here: the field itself rejects an argument, at its place in the response.
 */
export function costOf(schema: GraphQLSchema, { document, operationName, variables, context }: Operation): Measured {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  // The executor reports that there is no such operation.
  if (!operation || !root) return { cost: NOTHING };
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
    maxErrors: MOST_ERRORS,
  });
  if (errors) return { invalid: errors };
  const { complexity, depth } = new Measurement(schema, document, coerced, context).of(operation.selectionSet, root);
  return { cost: { complexity: complexity + introspectionCostOf(schema, document, operation), depth } };
}

class Measurement {
  readonly #schema: GraphQLSchema;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #context: Context;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  // A fragment may be spread many times: each selection set is measured once for each type.
  readonly #measured = new Map<SelectionSetNode, Map<GraphQLCompositeType, Cost>>();

  constructor(
    schema: GraphQLSchema,
    { definitions }: DocumentNode,
    variables: Readonly<Record<string, unknown>>,
    context: Context,
  ) {
    this.#schema = schema;
    this.#variables = variables;
    this.#context = context;
    for (const one of definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(one.name.value, one);
  }

  of(set: SelectionSetNode, type: GraphQLCompositeType): Cost {
    const before = this.#measured.get(set)?.get(type);
    if (before) return before;
    let complexity = 0;
    let depth = 0;
    for (const selection of set.selections) {
      if (!this.#included(selection)) continue;
      const one = this.#selection(selection, type);
      complexity += one.complexity;
      depth = Math.max(depth, one.depth);
    }
    const cost = { complexity, depth };
    const ofSet = this.#measured.get(set) ?? new Map<GraphQLCompositeType, Cost>();
    this.#measured.set(set, ofSet.set(type, cost));
    return cost;
  }

  #selection(selection: SelectionNode, type: GraphQLCompositeType): Cost {
    if (selection.kind === Kind.FIELD) return this.#field(selection, type);
    const fragment = selection.kind === Kind.FRAGMENT_SPREAD ? this.#fragments.get(selection.name.value) : selection;
    const condition = fragment?.typeCondition && this.#schema.getType(fragment.typeCondition.name.value);
    if (!fragment) return NOTHING;
    return this.of(fragment.selectionSet, isCompositeType(condition) ? condition : type);
  }

  #field(node: FieldNode, type: GraphQLCompositeType): Cost {
    // `__typename` and introspection have no definition in the type.
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
    if (!field) return LEAF;
    const weight = this.#weightOf(field, node);
    const named = getNamedType(field.type);
    const below = node.selectionSet && isCompositeType(named) ? this.of(node.selectionSet, named) : NOTHING;
    return { complexity: weight.field + weight.multiplier * below.complexity, depth: 1 + below.depth };
  }

  #weightOf(field: GraphQLField<unknown, unknown>, node: FieldNode): Weight {
    const items = isListType(getNullableType(field.type)) ? LIST_ITEMS : 1;
    const option = field.extensions['complexity'] as FieldComplexity<Context, object> | undefined; // of Pothos
    const chosen = typeof option === 'function' ? option(this.#argumentsOf(field, node), this.#context, field) : option;
    if (typeof chosen === 'number') return { field: chosen, multiplier: items };
    return { field: chosen?.field ?? 1, multiplier: Math.max(0, chosen?.multiplier ?? items) };
  }

  #argumentsOf(field: GraphQLField<unknown, unknown>, node: FieldNode): object {
    try {
      return getArgumentValues(field, node, this.#variables);
    } catch {
      // The executor reports the invalid argument.
      return {};
    }
  }

  /** Whether `@skip` and `@include` leave the selection in the operation. */
  #included(selection: SelectionNode): boolean {
    try {
      const skip = getDirectiveValues(GraphQLSkipDirective, selection, this.#variables);
      const include = getDirectiveValues(GraphQLIncludeDirective, selection, this.#variables);
      return skip?.['if'] !== true && include?.['if'] !== false;
    } catch {
      return true;
    }
  }
}
