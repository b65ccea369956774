import { readFileSync } from 'node:fs';
import {
  getNamedType,
  isAbstractType,
  isEnumType,
  isObjectType,
  type FormattedExecutionResult,
  type GraphQLObjectType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../schema/index.ts';
import type { Role } from '../../src/fleet/index.ts';
import { useStore } from '../store/database.ts';
import { populatedWorld, type PopulatedWorld } from './populated-world.ts';
import { objectTypes, walkAs, type Walk } from './role-walk.ts';

/** For every field of the API, the lowest role that it answers to. */
const TABLE = 'test/data/roles.json';
const rows: Readonly<Record<string, unknown>> = JSON.parse(readFileSync(TABLE, 'utf8'));

/** From the lowest to the highest. */
const roles = ['viewer', 'operator', 'admin'] as const satisfies readonly Role[];

const store = useStore();
let world: PopulatedWorld;
const walks: Walk[] = [];

beforeAll(async () => {
  world = await populatedWorld(store());
});
// From the lowest up: what the higher ones may change is still there for the lower ones.
for (const role of roles) beforeAll(async () => void walks.push(await walkAs(role, world)));
afterAll(() => world.api.stop());

const fieldsOf = (type: GraphQLObjectType): string[] =>
  Object.keys(type.getFields()).map((field) => `${type.name}.${field}`);

/** Roles to which a mutation is refused are given a ForbiddenError; the highest role is given none. */
function isRefusedNothing({ outcomes }: Walk): boolean {
  return [...outcomes].every(([coordinate, outcome]) => !coordinate.startsWith('Mutation.') || outcome !== 'refused');
}

/**
 * The lowest role that was answered. Each role above it must be answered too, and each role below it be refused, or be
 * refused all fields that lead to the type; else, what happened to each role.
 */
function lowestRole(coordinate: string): string {
  const seen = walks
    .filter((walk) => !coordinate.startsWith('ForbiddenError.') || !isRefusedNothing(walk))
    .map(({ role, outcomes }) => ({ role, outcome: outcomes.get(coordinate) ?? 'has no way to it' }));
  const lowest = seen.findIndex(({ outcome }) => outcome === 'allowed');
  const consistent = seen.every(({ outcome }, index) =>
    index < lowest ? outcome === 'refused' || outcome === 'has no way to it' : outcome === 'allowed',
  );
  const role = seen[lowest]?.role;
  return consistent && role ? role : seen.map(({ role: by, outcome }) => `${by}: ${outcome}`).join(', ');
}

describe('the table of roles', () => {
  it('is about every role that a token can have', () => {
    const type = schema.getType('Role');
    const known = isEnumType(type) ? type.getValues().map(({ value }): unknown => value) : [];
    expect([...roles].sort()).toEqual(known.sort());
  });

  it('has a row for every field of the API', () => {
    const missing = objectTypes
      .flatMap(fieldsOf)
      .filter((coordinate) => !Object.hasOwn(rows, coordinate))
      .map((coordinate) => `add to ${TABLE}: "${coordinate}": "<lowest role that may ask it: ${roles.join(', ')}>"`);
    expect(missing).toEqual([]);
  });

  it('has no row without a field, and only roles that exist', () => {
    const fields = new Set(objectTypes.flatMap(fieldsOf));
    const wrong = Object.entries(rows)
      .filter(([coordinate, role]) => !fields.has(coordinate) || !roles.some((known) => known === role))
      .map(([coordinate, role]) => `remove or correct in ${TABLE}: "${coordinate}": ${JSON.stringify(role)}`);
    expect(wrong).toEqual([]);
  });
});

describe('the API answers each field to its lowest role and those above, and authScopes refuse it to those below', () => {
  it.each(objectTypes.map((type) => [type.name, type] as const))('%s', (_name, type) => {
    const expected = fieldsOf(type).map((coordinate) => [coordinate, rows[coordinate]]);
    const answered = fieldsOf(type).map((coordinate) => [coordinate, lowestRole(coordinate)]);
    expect(Object.fromEntries(answered)).toEqual(Object.fromEntries(expected));
  });
});

describe('the walk through the API', () => {
  it.each(roles)('as %s reaches every type that a field leads it to', (role) => {
    const walk = walks.find((one) => one.role === role);
    const missed = objectTypes.flatMap((type) =>
      Object.values(type.getFields()).flatMap((field) => {
        const coordinate = `${type.name}.${field.name}`;
        if (walk?.outcomes.get(coordinate) !== 'allowed') return [];
        const of = getNamedType(field.type);
        const targets = isAbstractType(of) ? schema.getPossibleTypes(of) : isObjectType(of) ? [of] : [];
        return targets
          .filter(({ name }) => !walk.reached.has(name) && !(name === 'ForbiddenError' && isRefusedNothing(walk)))
          .map(({ name }) => `${coordinate} leads to ${name}: give test/schema/populated-world.ts one`);
      }),
    );
    expect(missed).toEqual([]);
  });
});

describe('without a token', () => {
  it('every field is answered 401, UNAUTHENTICATED and nothing else', async () => {
    const requests = new Map(walks.flatMap(({ requests }) => [...requests]));
    expect([...requests.keys()].sort()).toEqual(objectTypes.flatMap(fieldsOf).sort());
    const answered = new Map<string, string>();
    for (const request of new Set(requests.values())) {
      const response = await fetch(world.api.url, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream' },
        body: JSON.stringify(request),
      });
      const { data, errors }: FormattedExecutionResult = await response.json();
      const codes = errors?.map(({ extensions }) => extensions?.['code']);
      answered.set(request.query, `${response.status} ${JSON.stringify(codes)} ${JSON.stringify(data)}`);
    }
    const refused = '401 ["UNAUTHENTICATED"] undefined';
    expect([...answered].filter(([, answer]) => answer !== refused)).toEqual([]);
  });
});
