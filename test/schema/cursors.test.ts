import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useStore } from '../store/database.ts';
import { populatedWorld, type PopulatedWorld } from './populated-world.ts';

const store = useStore();
let world: PopulatedWorld;
beforeAll(async () => {
  world = await populatedWorld(store());
});
afterAll(() => world.api.stop());

/** Lists that differ in what they hold, in its order or in their filter: the field, and its other arguments. */
const LISTS: readonly (readonly [field: string, args: string])[] = [
  ['devices', ''],
  ['devices', 'orderBy: { field: ENDPOINT, direction: DESC }'],
  ['devices', 'orderBy: { field: NAME }'],
  ['devices', 'orderBy: { field: LAST_SEEN }'],
  ['devices', 'orderBy: { field: CREATED_AT }'],
  ['devices', 'filter: { search: "urn" }'],
  ['devices', 'filter: { lastSeenBefore: "9999-01-01T00:00:00Z" }'],
  ['deviceProfiles', ''],
  ['registrationProfiles', ''],
  ['bootstraps', ''],
  ['bootstraps', 'status: [FINISHED]'],
  ['objectDefinitions', ''],
  ['objectDefinitions', 'search: "temp"'],
  ['device(endpoint: "urn:whole").rpcs', ''],
  ['device(endpoint: "urn:whole").rpcs', 'status: [SUCCESSFUL]'],
  ['device(endpoint: "urn:whole").telemetry', ''],
  ['device(endpoint: "urn:whole").telemetry', 'metrics: ["temperature"]'],
  ['device(endpoint: "urn:whole").deadLetters', ''],
  ['device(endpoint: "urn:whole").bootstraps', ''],
];

interface Connection {
  readonly edges: readonly { readonly cursor: string }[];
}
type Answer = Readonly<Record<string, Connection | { readonly list: Connection } | null>>;

/** The list as a field with an alias; lists of a device stand inside it. */
function ask(alias: string, [field, args]: (typeof LISTS)[number], page: string): string {
  const [outer, inner] = field.split('.');
  const list = (name = '') => `${name}(${page}${args === '' ? '' : `, ${args}`}) { edges { cursor } }`;
  return inner === undefined ? `${alias}: ${list(outer)}` : `${alias}: ${outer} { list: ${list(inner)} }`;
}

const connectionOf = (answer: Answer[string] | undefined): Connection | null | undefined =>
  answer && 'list' in answer ? answer.list : answer;

describe('a cursor', () => {
  it('is valid only for its list, its order and its filter', async () => {
    const { api } = world;
    const firsts = await api.data<Answer>(`{ ${LISTS.map((list, at) => ask(`l${at}`, list, 'first: 1')).join(' ')} }`);
    const cursors = LISTS.map((_list, at) => connectionOf(firsts[`l${at}`])?.edges[0]?.cursor);
    expect(cursors).not.toContain(undefined);
    for (const [at, cursor] of cursors.entries()) {
      const page = `first: 1, after: "${cursor}"`;
      for (const [other, list] of LISTS.entries()) {
        const { body } = await api.ask(`{ ${ask('answer', list, page)} }`);
        const name = `the cursor of ${LISTS[at]?.join(' ')} in ${list.join(' ')}`;
        if (other === at) expect(body.errors, name).toBeUndefined();
        else {
          expect(body.errors, name).toMatchObject([
            { message: expect.stringContaining('another list'), extensions: { code: 'VALIDATION', field: ['after'] } },
          ]);
        }
      }
    }
    expect(api.logged).toEqual([]);
  });

  it.each(['after', 'before'])('that is no cursor is shown in the error: %s', async (argument) => {
    const page = `${argument === 'after' ? 'first' : 'last'}: 1, ${argument}: "no cursor"`;
    for (const list of LISTS) {
      const { body } = await world.api.ask(`{ ${ask('answer', list, page)} }`);
      expect(body.errors, list.join(' ')).toMatchObject([
        {
          message: expect.stringContaining(`${argument}: "no cursor" is not a cursor`),
          extensions: { code: 'VALIDATION', field: [argument] },
        },
      ]);
    }
  });
});

describe('a filter', () => {
  it('with an empty list selects nothing', async () => {
    const lists = [
      ...['ids', 'status', 'tags'].map((name) => ['devices', `filter: { ${name}: [] }`] as const),
      ['bootstraps', 'status: []'] as const,
      ['device(endpoint: "urn:whole").rpcs', 'status: []'] as const,
      ['device(endpoint: "urn:whole").telemetry', 'metrics: []'] as const,
    ];
    for (const list of lists) {
      const answer = await world.api.data<Answer>(`{ ${ask('answer', list, 'first: 1')} }`);
      expect(connectionOf(answer['answer']), list.join(' ')).toEqual({ edges: [] });
    }
    expect(await world.api.data('{ device(endpoint: "urn:whole") { objects(objectIds: []) { objectId } } }')).toEqual({
      device: { objects: [] },
    });
  });

  it.each([
    ['device(endpoint: "urn:whole").telemetry', 'from: "2026-02-01T00:00:00Z", to: "2026-01-01T00:00:00Z"', ['from']],
    [
      'devices',
      'filter: { lastSeenAfter: "2026-02-01T00:00:00Z", lastSeenBefore: "2026-01-01T00:00:00Z" }',
      ['filter', 'lastSeenAfter'],
    ],
  ] as const)('whose time begins after it ends is an error: %s', async (field, args, path) => {
    const { body } = await world.api.ask(`{ ${ask('answer', [field, args], 'first: 1')} }`);
    expect(body.errors).toMatchObject([
      { message: expect.stringContaining('2026-01-01T00:00:00.000Z'), extensions: { code: 'VALIDATION', field: path } },
    ]);
  });
});
