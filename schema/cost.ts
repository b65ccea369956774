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
import { itemsOf, type ListSizes, type SizedList } from './list-size.ts';

export interface Cost {
  /**
   * Number of fields, each multiplied by the number of items that the lists around it may hold. Fields of introspection
   * count with the average number of items.
   */
  readonly complexity: number;
  /** Number of nested selection levels. */
  readonly depth: number;
  /** The field that costs most, as names (or aliases) of fields from the root; at each level the most expensive one. */
  readonly expensive: readonly CostlyField[];
}

/** A field on the most expensive path. */
export interface CostlyField {
  readonly name: string;
  /** The number of items that count for a connection without `first` and `last`; null for any other field. */
  readonly unpaged: number | null;
}

/** The cost of an operation, or the errors of its variables. */
export type Measured = { readonly cost: Cost } | { readonly invalid: readonly GraphQLError[] };

interface Operation {
  readonly document: DocumentNode;
  readonly operationName?: string | null;
  readonly variables?: Readonly<Record<string, unknown>> | null;
  readonly context: Context;
  /** The sizes of the tenant's lists; called only for an operation that selects such a list. */
  readonly sizes: () => Promise<ListSizes>;
}

interface Weight {
  /** The cost of the field itself. */
  readonly field: number;
  /** The number of items in which the fields below are executed. */
  readonly multiplier: number;
}

const NOTHING: Cost = { complexity: 0, depth: 0, expensive: [] };
/** How many errors of variables are reported. */
const MOST_ERRORS = 50;
/** The number of items of a list whose field has no `complexity`. */
const LIST_ITEMS = 10;
const ROUNDING = 1e-6;

/**
 * Calculates the cost of an operation before it runs. The document must be valid for the schema. Rules for arguments are
 * not checked here: the field itself rejects an argument, at its place in the response. Rejects when `sizes` does.
 */
export async function costOf(
  schema: GraphQLSchema,
  { document, operationName, variables, context, sizes }: Operation,
): Promise<Measured> {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  // The executor reports that there is no such operation.
  if (!operation || !root) return { cost: NOTHING };
  const { coerced, errors } = getVariableValues(schema, operation.variableDefinitions ?? [], variables ?? {}, {
    maxErrors: MOST_ERRORS,
  });
  if (errors) return { invalid: errors };
  const measure = (known: ListSizes | null): Measurement => new Measurement(schema, document, coerced, context, known);
  const first = measure(null);
  const assumed = first.of(operation.selectionSet, root);
  const cost = first.needsSizes ? measure(await sizes()).of(operation.selectionSet, root) : assumed;
  // Products of fractions are whole numbers but for the error of floating point.
  const complexity = Math.ceil(cost.complexity - ROUNDING) + introspectionCostOf(schema, document, operation);
  return { cost: { ...cost, complexity } };
}

class Measurement {
  /** Whether a list was met whose size only the tenant's data tell. */
  needsSizes = false;
  readonly #schema: GraphQLSchema;
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #context: Context;
  readonly #sizes: ListSizes | null;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  // A fragment may be spread many times: each selection set is measured once for each type.
  readonly #measured = new Map<SelectionSetNode, Map<GraphQLCompositeType, Cost>>();

  constructor(
    schema: GraphQLSchema,
    { definitions }: DocumentNode,
    variables: Readonly<Record<string, unknown>>,
    context: Context,
    sizes: ListSizes | null,
  ) {
    this.#schema = schema;
    this.#variables = variables;
    this.#context = context;
    this.#sizes = sizes;
    for (const one of definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(one.name.value, one);
  }

  of(set: SelectionSetNode, type: GraphQLCompositeType): Cost {
    const before = this.#measured.get(set)?.get(type);
    if (before) return before;
    let complexity = 0;
    let depth = 0;
    let most: Cost = NOTHING;
    for (const selection of set.selections) {
      if (!this.#included(selection)) continue;
      const one = this.#selection(selection, type);
      complexity += one.complexity;
      depth = Math.max(depth, one.depth);
      if (one.complexity > most.complexity) most = one;
    }
    const cost = { complexity, depth, expensive: most.expensive };
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
    const name = node.alias?.value ?? node.name.value;
    // `__typename` and introspection have no definition in the type.
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[node.name.value] : undefined;
    if (!field) return { complexity: 1, depth: 1, expensive: [{ name, unpaged: null }] };
    const args = this.#argumentsOf(field, node);
    const weight = this.#weightOf(field, args);
    const named = getNamedType(field.type);
    const below = node.selectionSet && isCompositeType(named) ? this.of(node.selectionSet, named) : NOTHING;
    const paged = field.args.some((argument) => argument.name === 'first');
    const unpaged = paged && args['first'] == null && args['last'] == null ? weight.multiplier : null;
    return {
      complexity: weight.field + weight.multiplier * below.complexity,
      depth: 1 + below.depth,
      expensive: [{ name, unpaged }, ...below.expensive],
    };
  }

  #weightOf(field: GraphQLField<unknown, unknown>, args: Readonly<Record<string, unknown>>): Weight {
    const items = isListType(getNullableType(field.type)) ? LIST_ITEMS : 1;
    const option = field.extensions['complexity'] as FieldComplexity<Context, object> | undefined; // of Pothos
    const chosen = typeof option === 'function' ? option(args, this.#context, field) : option;
    if (typeof chosen === 'number') return { field: chosen, multiplier: items };
    const weight = { field: chosen?.field ?? 1, multiplier: Math.max(0, chosen?.multiplier ?? items) };
    const list = field.extensions['items'] as SizedList | undefined; // set where the field is defined
    if (list === undefined) return weight;
    this.needsSizes = true;
    return this.#sizes ? { ...weight, multiplier: itemsOf(list, args, this.#sizes) } : weight;
  }

  #argumentsOf(field: GraphQLField<unknown, unknown>, node: FieldNode): Readonly<Record<string, unknown>> {
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
