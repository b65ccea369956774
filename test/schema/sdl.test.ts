import { readFile } from 'node:fs/promises';
import {
  buildSchema,
  getNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
  type GraphQLNamedType,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { printedSchema, schema } from '../../schema/index.ts';

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);

interface Described {
  readonly description?: string | null;
}

/** All parts of a type that need a description, with their schema coordinates. */
function* parts(type: GraphQLNamedType): Generator<[string, Described]> {
  yield [type.name, type];
  if (isObjectType(type) || isInterfaceType(type)) {
    for (const field of Object.values(type.getFields())) {
      yield [`${type.name}.${field.name}`, field];
      for (const argument of field.args) yield [`${type.name}.${field.name}(${argument.name}:)`, argument];
    }
  }
  if (isInputObjectType(type)) {
    for (const field of Object.values(type.getFields())) yield [`${type.name}.${field.name}`, field];
  }
  if (isEnumType(type)) for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value];
}

function names(type: string): string[] {
  const object = schema.getType(type);
  return isObjectType(object) ? Object.keys(object.getFields()).sort() : [];
}

describe('the descriptions of the schema', () => {
  it('cover every type, field, argument and enum value', () => {
    const bare = types.flatMap((type) => [...parts(type)]).filter(([, part]) => (part.description ?? '').length < 10);
    expect(bare.map(([coordinate]) => coordinate)).toEqual([]);
  });

  it('have an example for every input field', () => {
    const bare = types
      .filter(isInputObjectType)
      .flatMap((type) => Object.values(type.getFields()).map((field) => [`${type.name}.${field.name}`, field] as const))
      // Enums list their values, scalars have their own examples, and ids come from queries.
      .filter(([, field]) => /^\[?(String|Int|Float|ResourcePath|JSON)\b/.test(String(field.type)))
      .filter(([, field]) => !/[`0-9]/.test(field.description ?? ''));
    expect(bare.map(([coordinate]) => coordinate)).toEqual([]);
  });
});

describe('the schema', () => {
  it('is the same in schema/schema.graphql and in the code', async () => {
    expect(await readFile('schema/schema.graphql', 'utf8')).toBe(printedSchema());
  });

  it('declares @oneOf, and is valid for a tool that builds a schema of it', () => {
    expect(printedSchema()).toMatch(/^directive @oneOf on INPUT_OBJECT$/m);
    expect(printedSchema()).toMatch(/^input CredentialInput @oneOf \{$/m);
    const built = buildSchema(printedSchema());
    expect(built.getType('CredentialInput')).toMatchObject({ isOneOf: true });
  });

  it('has every mutation, query and subscription of the API', () => {
    expect(names('Query')).toEqual(
      expect.arrayContaining([
        'device',
        'deviceProfile',
        'deviceProfiles',
        'devices',
        'node',
        'objectDefinition',
        'objectDefinitions',
        'rpc',
        'viewer',
      ]),
    );
    expect(names('Mutation')).toEqual(
      expect.arrayContaining([
        'callRpc',
        'cancelObservation',
        'cancelRpc',
        'createDeviceProfile',
        'createInstance',
        'deleteDevice',
        'deleteDeviceProfile',
        'deleteInstance',
        'discoverResources',
        'executeResource',
        'observeResources',
        'provisionDevice',
        'readResources',
        'updateDevice',
        'updateDeviceProfile',
        'writeAttributes',
        'writeResources',
      ]),
    );
    expect(names('Subscription')).toEqual([
      'bootstrapChanged',
      'deviceChanged',
      'deviceStatusChanged',
      'resourceChanged',
      'rpcChanged',
      'telemetry',
    ]);
  });

  it('has a result union of payload and errors for every mutation', () => {
    for (const field of Object.values(schema.getMutationType()?.getFields() ?? {})) {
      const name = `${field.name[0]?.toUpperCase()}${field.name.slice(1)}`;
      expect(String(field.type)).toBe(`${name}Result!`);
      const union = schema.getType(`${name}Result`);
      const members = isUnionType(union) ? union.getTypes().map((type) => type.name) : [];
      expect(members).toEqual(
        expect.arrayContaining([
          `${name}Payload`,
          'ValidationError',
          'NotFoundError',
          'ConflictError',
          'ForbiddenError',
        ]),
      );
    }
  });

  it('lists the possible errors of every mutation in its description', () => {
    for (const { name, description } of Object.values(schema.getMutationType()?.getFields() ?? {})) {
      expect(description, name).toMatch(/ Possible errors: (`\w+Error`(, )?)+; `\w+Result` says when\.$/);
    }
  });

  it('has an enum for the code of every error', () => {
    const errors = Object.values(schema.getTypeMap()).filter(
      (type) => (isObjectType(type) || isInterfaceType(type)) && type.name.endsWith('Error'),
    );
    expect(errors.map(({ name }) => name)).toEqual(expect.arrayContaining(['RpcError', 'UserError', 'ConflictError']));
    for (const type of errors) {
      const code = isObjectType(type) || isInterfaceType(type) ? type.getFields()['code'] : undefined;
      expect(isEnumType(code && getNamedType(code.type)), type.name).toBe(true);
    }
  });
});
