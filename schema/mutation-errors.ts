import { isUnionType, getNamedType, type GraphQLSchema } from 'graphql';

/**
 * Appends the possible errors of each mutation to its description. The union of every mutation has the same error types;
 * its description names those that the mutation returns.
 */
export function listErrors(schema: GraphQLSchema): GraphQLSchema {
  for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
    const union = getNamedType(field.type);
    if (!isUnionType(union)) throw new Error(`the result of the mutation ${field.name} is not a union`);
    const members = new Set(union.getTypes().map(({ name }) => name));
    const named = [...(union.description ?? '').matchAll(/`(\w+Error)`:/g)].map(([, name = '']) => name);
    const errors = named.filter((name) => members.has(name)).map((name) => `\`${name}\``);
    field.description = `${field.description ?? ''} Possible errors: ${errors.join(', ')}; \`${union.name}\` says when.`;
  }
  return schema;
}
