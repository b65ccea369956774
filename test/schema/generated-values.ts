import {
  getNullableType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isRequiredArgument,
  isRequiredInputField,
  type GraphQLArgument,
  type GraphQLInputObjectType,
  type GraphQLInputType,
} from 'graphql';

/**
 * The values that a world offers, by coordinate: `Query.rpc(id)` for an argument, `DeleteDeviceInput.id` for a field of
 * an input, `deviceId` for that field of every input that requires it. Each is made anew for every call, so that a call
 * may use it up.
 */
export type OfferedValues = Readonly<Record<string, () => unknown>>;

let made = 0;

const SCALARS: Readonly<Record<string, () => unknown>> = {
  Boolean: () => false,
  DateTime: () => '2100-01-01T00:00:00Z',
  Float: () => 1,
  // The UUID of nothing.
  ID: () => '00000000-0000-4000-8000-000000000000',
  Int: () => 1,
  JSON: () => ({}),
  ResourcePath: () => '/3303/0',
  ResourceValue: () => 1,
  String: () => `text-${++made}`,
};

/** The values of a field's arguments: those that the world offers, and by their types those that are required. */
export async function argumentValues(
  coordinate: string,
  args: readonly GraphQLArgument[],
  offered: OfferedValues,
): Promise<ReadonlyMap<GraphQLArgument, unknown>> {
  const values = new Map<GraphQLArgument, unknown>();
  for (const argument of args) {
    const offer = offered[`${coordinate}(${argument.name})`];
    if (offer) values.set(argument, await offer());
    else if (isRequiredArgument(argument)) values.set(argument, await valueOf(argument.type, offered));
  }
  return values;
}

/** A value of the type: for an input object its required fields, and those that the world offers. */
export async function valueOf(type: GraphQLInputType, offered: OfferedValues): Promise<unknown> {
  if (isNonNullType(type)) return valueOf(getNullableType(type), offered);
  if (isListType(type)) return [await valueOf(type.ofType, offered)];
  if (isInputObjectType(type)) return inputObject(type, offered);
  if (isEnumType(type)) return type.getValues()[0]?.name;
  const make = SCALARS[type.name];
  if (!make)
    throw new Error(`no value of the scalar ${type.name}: add one to SCALARS of test/schema/generated-values.ts`);
  return make();
}

async function inputObject(type: GraphQLInputObjectType, offered: OfferedValues): Promise<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [index, field] of Object.values(type.getFields()).entries()) {
    // Of a oneOf input, the first field.
    const wanted = type.isOneOf ? index === 0 : isRequiredInputField(field);
    const offer = offered[`${type.name}.${field.name}`] ?? (wanted ? offered[field.name] : undefined);
    if (offer) values[field.name] = await offer();
    else if (wanted) values[field.name] = await valueOf(field.type, offered);
  }
  return values;
}
