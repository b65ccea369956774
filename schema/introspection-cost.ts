import {
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isUnionType,
  Kind,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';

/** How many items a list of the introspection has on average, by its field. */
type Sizes = Readonly<Record<string, number>>;

/** Half of the types are wrapped in a list or a non-null type once more. */
const WRAPPED = 0.5;

const known = new WeakMap<GraphQLSchema, Sizes>();

/**
 * The cost of the introspection in an operation: the number of fields below `__schema` and `__type`, each multiplied by
 * the average number of items of the lists around it. The document is valid for the schema.
 */
export function introspectionCostOf(
  schema: GraphQLSchema,
  { definitions }: DocumentNode,
  operation: OperationDefinitionNode,
): number {
  const sizes = known.get(schema) ?? sizesOf(schema);
  known.set(schema, sizes);
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const one of definitions) if (one.kind === Kind.FRAGMENT_DEFINITION) fragments.set(one.name.value, one);
  // A fragment may be spread many times: each selection set is counted once.
  const counted = new Map<SelectionSetNode, number>();

  const cost = (set: SelectionSetNode, isRoot: boolean): number => {
    const before = counted.get(set);
    if (before !== undefined) return before;
    let sum = 0;
    for (const selection of set.selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.name.value;
        if (isRoot && name !== '__schema' && name !== '__type') continue;
        const below = selection.selectionSet ? cost(selection.selectionSet, false) : 0;
        sum += (sizes[name] ?? 1) * (1 + below);
      } else {
        const inner =
          selection.kind === Kind.INLINE_FRAGMENT
            ? selection.selectionSet
            : fragments.get(selection.name.value)?.selectionSet;
        if (inner) sum += cost(inner, isRoot);
      }
    }
    counted.set(set, sum);
    return sum;
  };
  return Math.ceil(cost(operation.selectionSet, true));
}

function sizesOf(schema: GraphQLSchema): Sizes {
  const types = Object.values(schema.getTypeMap());
  const total = { fields: 0, args: 0, inputFields: 0, enumValues: 0, possibleTypes: 0, interfaces: 0 };
  for (const type of types) {
    if (isObjectType(type) || isInterfaceType(type)) {
      const fields = Object.values(type.getFields());
      total.fields += fields.length;
      for (const { args } of fields) total.args += args.length;
      total.interfaces += type.getInterfaces().length;
    }
    if (isInterfaceType(type) || isUnionType(type)) total.possibleTypes += schema.getPossibleTypes(type).length;
    if (isInputObjectType(type)) total.inputFields += Object.keys(type.getFields()).length;
    if (isEnumType(type)) total.enumValues += type.getValues().length;
  }
  return {
    types: types.length,
    directives: schema.getDirectives().length,
    fields: total.fields / types.length,
    args: total.args / Math.max(1, total.fields),
    inputFields: total.inputFields / types.length,
    enumValues: total.enumValues / types.length,
    possibleTypes: total.possibleTypes / types.length,
    interfaces: total.interfaces / types.length,
    ofType: WRAPPED,
  };
}
