import {
  getNamedType,
  isInputObjectType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isUnionType,
  type GraphQLArgument,
  type GraphQLInputField,
  type GraphQLInputType,
  type GraphQLNamedType,
  type GraphQLObjectType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';
import { useStore } from '../store/database.ts';
import { argumentValues, valueOf } from './generated-values.ts';
import { populatedWorld, type PopulatedWorld } from './populated-world.ts';
import { objectType, objectTypes, send } from './role-walk.ts';

/** A nullable argument or input field, and an operation that reaches it. */
interface Place {
  readonly coordinate: string;
  readonly description: string;
  readonly type: GraphQLObjectType;
  readonly field: string;
  readonly argument: GraphQLArgument;
  /** The way from the argument's value to the input field; empty for the argument itself. */
  readonly way: readonly GraphQLInputField[];
}

/** Every nullable argument and input field of the schema, once. A field of a oneOf input can't be null. */
function* nullablePlaces(): Generator<Place> {
  const seen = new Set<string>();
  function* within(start: Omit<Place, 'coordinate' | 'description'>, type: GraphQLInputType): Generator<Place> {
    const named = getNamedType(type);
    if (!isInputObjectType(named) || seen.has(named.name)) return;
    seen.add(named.name);
    for (const field of Object.values(named.getFields())) {
      const place = { ...start, way: [...start.way, field] };
      if (!isNonNullType(field.type) && !named.isOneOf) {
        yield { ...place, coordinate: `${named.name}.${field.name}`, description: field.description ?? '' };
      }
      yield* within(place, field.type);
    }
  }
  for (const type of objectTypes) {
    for (const field of Object.values(type.getFields())) {
      for (const argument of field.args) {
        const place = { type, field: field.name, argument, way: [] };
        const coordinate = `${type.name}.${field.name}(${argument.name})`;
        if (!isNonNullType(argument.type)) yield { ...place, coordinate, description: argument.description ?? '' };
        yield* within(place, argument.type);
      }
    }
  }
}

const places = [...nullablePlaces()];
const same = places.filter(({ description }) => /Absent or null[:,]/.test(description));
const different = places.filter(({ description }) => /Absent: .*Null(?: or `\[\]`)?: /.test(description));

const store = useStore();
let world: PopulatedWorld;
/** The RPC that causes the events of `rpcChanged`. Its last events must not reach the next subscription. */
let reading: Promise<unknown> = Promise.resolve();

beforeAll(async () => {
  const populated = await populatedWorld(store());
  const { api, events, offered } = populated;
  const read = 'mutation ($id: ID!) { readResources(input: { deviceId: $id, paths: ["/3/0/9"] }) { __typename } }';
  // Without an id, a subscription has no first event with the present state.
  world = {
    ...populated,
    events: { ...events, rpcChanged: () => void (reading = api.data(read, { id: offered['deviceId']?.() })) },
  };
});
afterAll(() => world.api.stop());

/** Selects the leaf fields of a type and of the objects in it, without fields that need arguments. */
function selection(type: GraphQLNamedType, levels: number): string {
  if (isLeafType(type)) return '';
  if (isUnionType(type) || isInterfaceType(type)) {
    const members = schema.getPossibleTypes(type);
    // Members have fields with the same name and different types: each gets the errors' fields or its own.
    const own = members.filter(({ name }) => !name.endsWith('Error'));
    const parts = own.map((member) => `... on ${member.name} ${selection(member, levels)}`);
    return `{ __typename ... on UserError { message } ${parts.join(' ')} }`;
  }
  if (!isObjectType(type)) throw new Error(`${type.name} can't be selected`);
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const of = getNamedType(field.type);
    if (field.args.some(isRequiredArgument) || (levels === 0 && !isLeafType(of))) return [];
    return [`${field.name} ${selection(of, levels - 1)}`];
  });
  return `{ __typename ${fields.join(' ')} }`;
}

/** Sends the operation of the place, with `value` there; undefined leaves it out. */
async function outcome(place: Place, value: unknown): Promise<unknown> {
  await reading;
  const { type, field, argument, way } = place;
  const { offered } = world;
  const definition = type.getFields()[field];
  if (!definition) throw new Error(`${type.name} has no field ${field}`);
  const values = new Map(await argumentValues(`${type.name}.${field}`, definition.args, offered));
  const given = values.get(argument) ?? (way.length > 0 ? await valueOf(argument.type, offered) : undefined);
  const placed = await changed(given, argument.type, way, value);
  if (placed === undefined) values.delete(argument);
  else values.set(argument, placed);
  const variables = Object.fromEntries([...values].map(([{ name }, one]) => [name, one]));
  const declared = [...values.keys()].map((one) => `$${one.name}: ${String(one.type)}`);
  const passed = [...values.keys()].map(({ name }) => `${name}: $${name}`);
  const call = `${field}${passed.length > 0 ? `(${passed.join(', ')})` : ''} ${selection(getNamedType(definition.type), 2)}`;
  const root = ['Query', 'Mutation', 'Subscription'].includes(type.name);
  if (!root && type.name !== 'Device') throw new Error(`say here how to reach ${type.name}`);
  const query = `${root ? type.name.toLowerCase() : 'query'}${declared.length > 0 ? `(${declared.join(', ')})` : ''} {
    ${root ? call : `device(endpoint: "urn:whole") { ${call} }`} }`;
  const { data, errors } = await send(
    { query, variables },
    { type: root ? type : objectType('Query'), field },
    'admin',
    world,
  );
  return { data, errors };
}

/** The value with `leaf` at the end of the way. */
async function changed(
  value: unknown,
  type: GraphQLInputType,
  way: readonly GraphQLInputField[],
  leaf: unknown,
): Promise<unknown> {
  const [field, ...rest] = way;
  if (!field) return leaf;
  if (isNonNullType(type)) return changed(value, type.ofType, way, leaf);
  if (isListType(type)) {
    const [item] = Array.isArray(value) && value.length > 0 ? value : [await valueOf(type.ofType, world.offered)];
    return [await changed(item, type.ofType, way, leaf)];
  }
  const named = getNamedType(type);
  const known: Record<string, unknown> = { ...(value as object) };
  const before = known[field.name] ?? (rest.length > 0 ? await valueOf(field.type, world.offered) : undefined);
  const after = await changed(before, field.type, rest, leaf);
  // A oneOf input has only the field on the way.
  const others = isInputObjectType(named) && named.isOneOf ? {} : known;
  const { [field.name]: _, ...without } = others;
  return after === undefined ? without : { ...without, [field.name]: after };
}

/** Without what differs from call to call: ids, keys, times, numbered names. */
function comparable(result: unknown): unknown {
  const text = JSON.stringify(result, (key, value: unknown) => {
    if (key === 'extensions') return undefined;
    if (typeof value === 'number' && /Ms$|[iI]nstanceId$/.test(key)) return 0;
    if (typeof value !== 'string') return value;
    return /^\S{20,}$/.test(value) || /^\d{4}-\d\d-\d\dT/.test(value) ? '<opaque>' : value.replaceAll(/\d+/g, '0');
  });
  return JSON.parse(text);
}

describe('every nullable argument and input field', () => {
  it('has a description that says what an absent value and null do', () => {
    const known = new Set([...same, ...different]);
    expect(places.filter((place) => !known.has(place)).map(({ coordinate }) => coordinate)).toEqual([]);
    expect(places.length).toBeGreaterThan(150);
  });
});

describe('null is the same as an absent value', () => {
  it.each(same.map((place) => [place.coordinate, place] as const))('for %s', async (_coordinate, place) => {
    const absent = comparable(await outcome(place, undefined));
    expect(JSON.stringify(absent)).not.toContain('INTERNAL_SERVER_ERROR');
    expect(comparable(await outcome(place, null))).toEqual(absent);
  });
});

interface Edited {
  readonly [field: string]: unknown;
}

/** Does the mutation and resolves with its result. */
async function mutate(mutation: string, input: object, payload: string): Promise<Edited> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}`;
  const query = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) {
    __typename ... on ${type}Payload { ${payload} } ... on UserError { message } ... on ValidationError { field } } }`;
  const data = await world.api.data<Record<string, Edited>>(query, { input });
  return data[mutation] ?? {};
}

const DEVICE = 'edited: device { id name tags awakeTime profile { isDefault } }';
const PROFILE =
  'edited: profile { id name mappings { metric } methods { name } offlineAfter expectedInterval awakeTime }';
let made = 0;

/** An object with a value in every field. */
const FULL: Readonly<Record<string, () => Promise<Edited>>> = {
  UpdateDeviceInput: async () => {
    const own = await mutate('createDeviceProfile', { name: `null ${++made}` }, PROFILE);
    const { id: profileId } = own['edited'] as Edited;
    const fields = { name: 'Boiler', tags: ['roof'], awakeTime: 60, profileId };
    return mutate('provisionDevice', { endpoint: `urn:null:${made}`, ...fields }, DEVICE);
  },
  UpdateDeviceProfileInput: () =>
    mutate(
      'createDeviceProfile',
      {
        name: `null ${++made}`,
        mappings: [{ path: '/3303/0/5700', metric: 'temperature' }],
        methods: [{ name: 'zero', operation: 'EXECUTE', path: '/3303/0/5605' }],
        offlineAfter: 600,
        expectedInterval: 3_600,
        awakeTime: 60,
      },
      PROFILE,
    ),
};

/** What null makes of a field that has a value; a ValidationError where a value is needed. */
const CLEARED: Readonly<Record<string, object>> = {
  'UpdateDeviceInput.name': { name: null },
  'UpdateDeviceInput.tags': { tags: [] },
  'UpdateDeviceInput.awakeTime': { awakeTime: null },
  'UpdateDeviceInput.profileId': { profile: { isDefault: true } },
  'UpdateDeviceProfileInput.name': { field: ['name'] },
  'UpdateDeviceProfileInput.mappings': { mappings: [] },
  'UpdateDeviceProfileInput.methods': { methods: [] },
  'UpdateDeviceProfileInput.offlineAfter': { offlineAfter: null },
  'UpdateDeviceProfileInput.expectedInterval': { expectedInterval: null },
  'UpdateDeviceProfileInput.awakeTime': { awakeTime: null },
};

const attributes = different.filter(({ coordinate }) => coordinate.startsWith('NotificationAttributesInput.'));

describe('null takes away', () => {
  it('the value of each field whose description says so', () => {
    const others = different.filter((place) => !attributes.includes(place));
    expect(others.map(({ coordinate }) => coordinate).toSorted()).toEqual(Object.keys(CLEARED).toSorted());
  });

  it.each(Object.entries(CLEARED))('%s, and an absent value leaves it', async (coordinate, cleared) => {
    const [input = '', field = ''] = coordinate.split('.');
    const update = `u${input.slice(1, -'Input'.length)}`;
    const payload = input === 'UpdateDeviceInput' ? DEVICE : PROFILE;
    const full = (await FULL[input]?.())?.['edited'] as Edited;
    const { id } = full;
    expect((await mutate(update, { id }, payload))['edited']).toEqual(full);
    const result = await mutate(update, { id, [field]: null }, payload);
    if ('field' in cleared) expect(result).toMatchObject({ __typename: 'ValidationError', ...cleared });
    else expect(result['edited']).toEqual({ ...full, ...cleared });
  });

  it.each(attributes.map(({ way }) => way.at(-1)?.name ?? ''))('the attribute %s of a device', async (name) => {
    const { deviceId } = world.offered;
    const other = name === 'pmax' ? { pmin: 1 } : { pmax: 600 };
    const write = (given: object) =>
      mutate('writeAttributes', { deviceId: deviceId?.(), path: '/3303/0/5700', attributes: given }, 'rpc { params }');
    const absent = await write(other);
    expect(absent['rpc']).toMatchObject({ params: { attributes: other } });
    const removed = await write({ ...other, [name]: null });
    // A device with LwM2M 1.1 has no edge, con and hqmax.
    if (['edge', 'con', 'hqmax'].includes(name)) expect(removed['__typename']).toBe('ValidationError');
    else expect(removed['rpc']).toMatchObject({ params: { attributes: { ...other, [name]: null } } });
  });
});
