import {
  getNamedType,
  getNullableType,
  isInputObjectType,
  isInterfaceType,
  isListType,
  isObjectType,
  type GraphQLArgument,
  type GraphQLInputField,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';

/** Cursors and ids are checked by what they name. */
const NAMED = /\((?:after|before)\)$/;

/** Every argument and input field, by its coordinate. */
function* inputs(): Generator<[string, GraphQLArgument | GraphQLInputField]> {
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith('__')) continue;
    if (isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) yield [`${type.name}.${field.name}`, field];
    } else if (isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields()))
        for (const argument of field.args) yield [`${type.name}.${field.name}(${argument.name})`, argument];
    }
  }
}

describe('the limits in the SDL', () => {
  it('are stated for every text, number and list', () => {
    const bare = [...inputs()].filter(([coordinate, { type, description }]) => {
      const limited = isListType(getNullableType(type)) || ['String', 'Int'].includes(getNamedType(type).name);
      return limited && !NAMED.test(coordinate) && !/Limits: |\b\d+ (?:to|or) \d+/.test(description ?? '');
    });
    expect(bare.map(([coordinate]) => coordinate)).toEqual([]);
  });

  it('are stated once', () => {
    const twice = [...inputs()].filter(([, { description }]) =>
      /(?:at most|\d+ to) \d+.*Limits: /.test(description ?? ''),
    );
    expect(twice.map(([coordinate]) => coordinate)).toEqual([]);
  });
});
