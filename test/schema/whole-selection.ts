import {
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  isRequiredArgument,
  type GraphQLField,
  type GraphQLNamedType,
} from 'graphql';
import { schema } from '../../schema/index.ts';

/** Values of required arguments, and of arguments that make pages small. */
export type ArgumentsOf = (coordinate: string, field: GraphQLField<unknown, unknown>) => string;

/**
 * Selects every field of a type and of all types that it refers to. Of a type that refers back to itself, only the leaf
 * fields are selected. `selected` gets the coordinates of the selected fields.
 */
export function wholeSelection(
  type: GraphQLNamedType,
  argumentsOf: ArgumentsOf,
  selected: Set<string>,
  above: readonly string[] = [],
): string {
  if (isLeafType(type)) return '';
  if (isAbstractType(type)) {
    const members = schema.getPossibleTypes(type).map((member) => {
      // Members of a union can have fields with the same name and different types; aliases keep them apart.
      const fields = wholeSelection(member, argumentsOf, selected, above).slice(1, -1);
      return `... on ${member.name} { ${aliased(member.name, fields)} }`;
    });
    return `{ __typename ${members.join(' ')} }`;
  }
  if (!isObjectType(type)) throw new Error(`${type.name} can't be selected`);
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const of = getNamedType(field.type);
    if (above.includes(type.name) && !isLeafType(of)) return [];
    const coordinate = `${type.name}.${field.name}`;
    const inner = wholeSelection(of, argumentsOf, selected, [...above, type.name]);
    // A type that refers back to itself may have no leaf fields.
    if (inner === '{  }') return [];
    selected.add(coordinate);
    return [`${field.name}${given(coordinate, field, argumentsOf)} ${inner}`];
  });
  return `{ ${fields.join('\n')} }`;
}

function given(coordinate: string, field: GraphQLField<unknown, unknown>, argumentsOf: ArgumentsOf): string {
  const written = argumentsOf(coordinate, field);
  const missing = field.args.filter((argument) => isRequiredArgument(argument) && !written.includes(argument.name));
  if (missing.length > 0) throw new Error(`${coordinate} wants ${missing.map(({ name }) => name).join(', ')}`);
  return written === '' ? '' : `(${written})`;
}

/** The fields of a selection, with aliases that begin with the type's name. */
function aliased(type: string, fields: string): string {
  let depth = 0;
  return fields
    .split('\n')
    .map((line) => {
      const top = depth === 0;
      for (const character of line) depth += character === '{' ? 1 : character === '}' ? -1 : 0;
      return top && line.trim() !== '' ? `${type}_${line.trim().replace(/\W.*/s, '')}: ${line.trim()}` : line;
    })
    .join('\n');
}
