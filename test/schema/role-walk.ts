import {
  getNamedType,
  isLeafType,
  isObjectType,
  isUnionType,
  type FormattedExecutionResult,
  type GraphQLField,
  type GraphQLFormattedError,
  type GraphQLObjectType,
} from 'graphql';
import { schema } from '../../schema/index.ts';
import type { Role } from '../../src/fleet/index.ts';
import { next } from '../server/api-world.ts';
import { argumentValues, type OfferedValues } from './generated-values.ts';
import type { PopulatedWorld } from './populated-world.ts';

/** A field of a type, and the values of its arguments where they are not those that the world offers. */
interface Step {
  readonly type: GraphQLObjectType;
  readonly field: string;
  readonly values?: OfferedValues;
}

export interface Request {
  readonly query: string;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** What one role was answered. */
export interface Walk {
  readonly role: Role;
  /**
   * By coordinate, for every field of every type in `reached`: `allowed`, `refused` (by the field's own authScopes), or
   * a sentence about what happened instead.
   */
  readonly outcomes: ReadonlyMap<string, string>;
  /** The object types of which the role was given an object. */
  readonly reached: ReadonlySet<string>;
  /** The request that asked for each field. */
  readonly requests: ReadonlyMap<string, Request>;
}

/** The object types of the API. */
export const objectTypes: readonly GraphQLObjectType[] = Object.values(schema.getTypeMap())
  .filter(isObjectType)
  .filter(({ name }) => !name.startsWith('__'));

export function objectType(name: string): GraphQLObjectType {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`${name} is not an object type of the schema`);
  return type;
}

/**
 * Asks for every field of every type that the role can come to: all fields of a type in one request, and where that
 * request has an error, each field in a request of its own. The way to a type is the first one that answers with an
 * object of that type, from a query if there is one, else from a mutation or a subscription.
 */
export async function walkAs(role: Role, world: PopulatedWorld): Promise<Walk> {
  const outcomes = new Map<string, string>();
  const reached = new Set<string>();
  const requests = new Map<string, Request>();

  async function ask(way: readonly Step[], type: GraphQLObjectType, fields: readonly string[]) {
    const request = await requestFor(way, type, fields, world.offered);
    const result = await send(request, way[0] ?? { type, field: fields.join(', ') }, role, world);
    return { request, errors: result.errors, answers: fields.map((field) => answerTo(result, way, type, field)) };
  }

  async function askAll(way: readonly Step[], type: GraphQLObjectType): Promise<Answered[]> {
    const fields = Object.keys(type.getFields());
    const together = type.name === 'Mutation' || type.name === 'Subscription' ? null : await ask(way, type, fields);
    const answered: Answered[] = [];
    for (const [index, field] of fields.entries()) {
      const asked = together && !together.errors ? together : await ask(way, type, [field]);
      const answer = asked.answers[asked === together ? index : 0];
      if (!answer) throw new Error(`${type.name}.${field} has no answer`);
      requests.set(answer.coordinate, asked.request);
      answered.push(answer);
    }
    return answered;
  }

  async function explore(first: GraphQLObjectType, way: readonly Step[]): Promise<void> {
    const queue: [GraphQLObjectType, readonly Step[]][] = [[first, way]];
    // The loop itself adds to the queue.
    for (const [type, wayToType] of queue) {
      if (reached.has(type.name)) continue;
      reached.add(type.name);
      for (const { coordinate, field, outcome, types } of await askAll(wayToType, type)) {
        outcomes.set(coordinate, outcome);
        for (const name of types) queue.push([objectType(name), [...wayToType, { type, field }]]);
      }
    }
  }

  const mutations = objectType('Mutation');
  await explore(objectType('Query'), []);
  await explore(mutations, []);
  for (const [error, { mutation, input }] of Object.entries(world.errors)) {
    const values = { [`Mutation.${mutation}(input)`]: input };
    const step = { type: mutations, field: mutation, values };
    // A role that may not do the mutation gets a ForbiddenError, and no other error.
    if (!reached.has(error) && outcomes.get(`Mutation.${mutation}`) === 'allowed')
      await explore(objectType(error), [step]);
  }
  await explore(objectType('Subscription'), []);
  return { role, outcomes, reached, requests };
}

function fieldOf(type: GraphQLObjectType, field: string): GraphQLField<unknown, unknown> {
  const found = type.getFields()[field];
  if (!found) throw new Error(`${type.name} has no field ${field}`);
  return found;
}

const isRoot = ({ name }: GraphQLObjectType): boolean => ['Query', 'Mutation', 'Subscription'].includes(name);

function onObject(type: GraphQLObjectType, selection: string): string {
  return isRoot(type) ? `{ ${selection} }` : `{ ... on ${type.name} { __typename ${selection} } }`;
}

/** The operation that goes the way to an object of the type, and asks for these fields of it. */
async function requestFor(
  way: readonly Step[],
  type: GraphQLObjectType,
  fields: readonly string[],
  offered: OfferedValues,
): Promise<Request> {
  const declarations: string[] = [];
  const variables: Record<string, unknown> = {};
  async function call({ type, field, values }: Step, selection: string): Promise<string> {
    const given: string[] = [];
    const { args } = fieldOf(type, field);
    for (const [argument, value] of await argumentValues(`${type.name}.${field}`, args, { ...offered, ...values })) {
      const variable = `v${declarations.length}`;
      declarations.push(`$${variable}: ${String(argument.type)}`);
      variables[variable] = value;
      given.push(`${argument.name}: $${variable}`);
    }
    return `${field}${given.length === 0 ? '' : `(${given.join(', ')})`} ${selection}`;
  }
  const calls: string[] = [];
  for (const field of fields) {
    const returned = getNamedType(fieldOf(type, field).type);
    const errors = isUnionType(returned) ? '... on UserError { message }' : '';
    calls.push(await call({ type, field }, isLeafType(returned) ? '' : `{ __typename ${errors} }`));
  }
  let selection = onObject(type, calls.join(' '));
  for (const step of [...way].reverse()) selection = onObject(step.type, await call(step, selection));
  const operation = (way[0]?.type ?? type).name.toLowerCase();
  const declared = declarations.length === 0 ? '' : `(${declarations.join(', ')})`;
  return { query: `${operation}${declared} ${selection}`, variables };
}

/** Sends the request; of a subscription, resolves with the result of the first event. */
export async function send(
  { query, variables }: Request,
  root: Pick<Step, 'type' | 'field'>,
  role: Role,
  { api, events }: PopulatedWorld,
): Promise<FormattedExecutionResult> {
  const token = api.tokens[role];
  if (root.type.name !== 'Subscription') return (await api.ask(query, variables, token)).body;
  const event = events[root.field];
  if (!event) {
    throw new Error(`Subscription.${root.field}: say in test/schema/populated-world.ts what makes an event of it`);
  }
  const sessions = (): number => api.server.snapshot().sessions;
  const before = sessions();
  const results = api.overSse(query, variables, token);
  const state = { answered: false };
  const first = next(results).finally(() => {
    state.answered = true;
  });
  // A subscription that is refused opens no session.
  while (!state.answered && sessions() === before) await turn();
  if (!state.answered) event();
  const result = await first;
  await results.return?.();
  while (sessions() > before) await turn();
  return result;
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Answered {
  readonly coordinate: string;
  readonly field: string;
  readonly outcome: string;
  /** The types of the objects that the field answered with. */
  readonly types: readonly string[];
}

type Answer = Readonly<Record<string, unknown>>;

function answerTo(
  { data, errors = [] }: FormattedExecutionResult,
  way: readonly Step[],
  type: GraphQLObjectType,
  field: string,
): Answered {
  const coordinate = `${type.name}.${field}`;
  let parents = objectsIn(data);
  for (const step of way) parents = ofType(parents, step.type).flatMap((parent) => objectsIn(parent[step.field]));
  parents = ofType(parents, type);
  const answers = parents.flatMap((parent) => objectsIn(parent[field]));
  const place = [...way.map((step) => step.field), field].join('.');
  const error = errors.find(({ path }) => path?.filter((part) => typeof part === 'string').join('.') === place);
  const [unplaced] = errors.filter(({ path }) => path === undefined);
  if (unplaced) throw new Error(`${coordinate} was not executed: ${unplaced.message}`);
  // A JSON scalar has no type name.
  const types = answers.map((answer) => answer['__typename']).filter((name) => typeof name === 'string');
  return { coordinate, field, outcome: outcomeOf(coordinate, parents, answers, error), types };
}

function outcomeOf(
  coordinate: string,
  parents: readonly Answer[],
  answers: readonly Answer[],
  error: GraphQLFormattedError | undefined,
): string {
  const code = error?.extensions?.['code'];
  const forbidden = answers.find((answer) => answer['__typename'] === 'ForbiddenError');
  const refusal = forbidden?.['message'] ?? (code === 'FORBIDDEN' ? error?.message : undefined);
  if (typeof refusal === 'string') {
    // The fleet checks the role too. Its message does not name the field; that of authScopes does.
    return refusal.includes(coordinate) ? 'refused' : `refused by the fleet only, not by authScopes (${refusal})`;
  }
  if (code === 'INTERNAL_SERVER_ERROR') return `failed (${error?.message})`;
  return error || parents.length > 0 ? 'allowed' : 'not reached';
}

/** Those of a type; a root has no type name. */
function ofType(objects: readonly Answer[], { name }: GraphQLObjectType): Answer[] {
  return objects.filter((object) => object['__typename'] === undefined || object['__typename'] === name);
}

/** The objects of a value: itself, or those of a list. */
function objectsIn(value: unknown): Answer[] {
  if (Array.isArray(value)) return value.flatMap(objectsIn);
  return typeof value === 'object' && value !== null ? [value as Answer] : []; // JSON
}
