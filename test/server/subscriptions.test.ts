import {
  buildSchema,
  GraphQLObjectType,
  parse,
  type DocumentNode,
  type ExecutionResult,
  type GraphQLSchema,
} from 'graphql';
import { describe, expect, it } from 'vitest';

import type { Context, Services } from '../../schema/index.ts';
import { live } from '../../schema/subscription/live.ts';
import { createEventBus } from '../../src/events/index.ts';
import { DEFAULT_TENANT, type Actor, type TenantId } from '../../src/fleet/index.ts';
import { DEFAULT_LIMITS } from '../../src/server/index.ts';
import { Sessions } from '../../src/server/sessions.ts';
import { useSubscriptions } from '../../src/server/subscriptions.ts';

interface Change {
  readonly n: number;
}
type Results = AsyncIterableIterator<ExecutionResult>;

const SDL = `
  type Query { unused: Int }
  type Subscription { changed(present: Boolean, fails: Boolean, plain: Boolean, times: Int): Change }
  type Change { n: Int times: Int role: String tenant: String }
`;

const VIEWER: Actor = { tenantId: DEFAULT_TENANT, role: 'viewer', subject: 'key:1', keyId: '1' };

interface Asked {
  readonly actor?: Actor;
  readonly operationName?: string;
  readonly variables?: Record<string, unknown>;
}

/** Subscriptions over a schema of the test's, with a bus that tells changes. */
function world() {
  const bus = createEventBus<{ changed: Change }>();
  const sessions = new Sessions();
  /** The context of each execution. */
  const executions: Context[] = [];
  const schema = schemaOf(bus, executions);
  // Loaders ask the fleet when they are used, and this schema uses none.
  const services: Partial<Services> = { limits: DEFAULT_LIMITS };
  const subscribe = subscribeOf(services as Services, sessions);
  const ask = (document: DocumentNode, { actor = VIEWER, operationName, variables }: Asked = {}) =>
    subscribe({ schema, document, operationName, variableValues: variables, contextValue: { actor } });
  return {
    bus,
    sessions,
    executions,
    ask,
    subscribe: async (document: DocumentNode, asked: Asked = {}): Promise<Results> => {
      const result = await ask(document, asked);
      if (!(Symbol.asyncIterator in result)) throw new Error(JSON.stringify(result));
      return result;
    },
    /** Publishes a change, which every subscriber gets. */
    tell: (n: number) => bus.publish('changed', '', { n }),
  };
}

function schemaOf(bus: ReturnType<typeof createEventBus<{ changed: Change }>>, executions: Context[]): GraphQLSchema {
  const schema = buildSchema(SDL);
  const changed = schema.getSubscriptionType()?.getFields()['changed'];
  const change = schema.getType('Change');
  if (!changed || !(change instanceof GraphQLObjectType)) throw new Error('the SDL above has them');
  changed.subscribe = (_root, { present, fails, plain }) => {
    if (fails) throw new Error('refused');
    if (plain) return { [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => {}) }) };
    const subscription = bus.subscribe('changed', null, { buffer: 2 });
    return live({ subscription, select, ...(present && { present: async () => ({ n: 0 }) }) });
  };
  changed.resolve = (event, { times }, context: Context) => {
    executions.push(context);
    return { ...event.value, times, role: context.actor.role, tenant: context.actor.tenantId };
  };
  return schema;
}

/** A change below zero makes the source of the subscription fail. */
function select(change: Change): Change {
  if (change.n < 0) throw new RangeError('negative');
  return change;
}

/** What the plugin puts in the place of GraphQL's own `subscribe`. */
function subscribeOf(services: Services, sessions: Sessions) {
  let made: ((args: object) => Promise<Results | ExecutionResult>) | undefined;
  const hook = useSubscriptions(services, sessions).onSubscribe;
  // The engine gives more than this plugin takes.
  void hook?.({ setSubscribeFn: (subscribe: typeof made) => (made = subscribe) } as unknown as Parameters<
    typeof hook
  >[0]);
  if (!made) throw new Error('the plugin sets how a subscription is executed');
  return made;
}

async function data(results: Results): Promise<unknown> {
  const { value, done } = await results.next();
  return done ? 'done' : value.data?.['changed'];
}

const N = parse('subscription { changed { n } }');

const VARIABLES = parse('subscription ($times: Int) { changed(times: $times) { times } }');
const ACCESS = parse('subscription { changed { role tenant } }');

describe('an event', () => {
  it('is executed once for all subscribers of the same query', async () => {
    const { subscribe, tell, executions } = world();
    const all = await Promise.all([1, 2, 3].map(() => subscribe(N)));
    tell(7);
    expect(await Promise.all(all.map(data))).toEqual([{ n: 7 }, { n: 7 }, { n: 7 }]);
    expect(executions).toHaveLength(1);
  });

  it('is executed for each query, so that no subscriber gets the fields that another asked for', async () => {
    const { subscribe, tell, executions } = world();
    const queries = [N, parse('subscription { changed { role } }'), parse('subscription { changed { tenant } }'), N];
    const all = await Promise.all(queries.map((query) => subscribe(query)));
    for (const n of [1, 2]) {
      tell(n);
      expect(await Promise.all(all.map(data))).toEqual([{ n }, { role: 'viewer' }, { tenant: 'default' }, { n }]);
    }
    expect(executions).toHaveLength(6);
  });

  it('is executed for each set of variables', async () => {
    const { subscribe, tell, executions } = world();
    const all = await Promise.all(
      [{ times: 1 }, { times: 2 }, undefined, { times: 1 }].map((variables) =>
        subscribe(VARIABLES, variables && { variables }),
      ),
    );
    tell(1);
    expect(await Promise.all(all.map(data))).toEqual([{ times: 1 }, { times: 2 }, { times: null }, { times: 1 }]);
    expect(executions).toHaveLength(3);
  });

  it('is executed for each operation of a text', async () => {
    const { subscribe, tell } = world();
    const two = parse('subscription A { changed { n } } subscription B { changed { role } }');
    const all = await Promise.all(['A', 'B'].map((operationName) => subscribe(two, { operationName })));
    tell(1);
    expect(await Promise.all(all.map(data))).toEqual([{ n: 1 }, { role: 'viewer' }]);
  });

  it('is executed for each role and tenant', async () => {
    const { subscribe, tell, executions } = world();
    const globex = 'globex' as TenantId; // a second tenant, which no database needs to know here
    const actors: Actor[] = [
      VIEWER,
      { ...VIEWER, role: 'admin' },
      { ...VIEWER, tenantId: globex },
      { ...VIEWER, keyId: '2' },
    ];
    const all = await Promise.all(actors.map((actor) => subscribe(ACCESS, { actor })));
    tell(1);
    expect(await Promise.all(all.map(data))).toEqual([
      { role: 'viewer', tenant: 'default' },
      { role: 'admin', tenant: 'default' },
      { role: 'viewer', tenant: 'globex' },
      { role: 'viewer', tenant: 'default' },
    ]);
    expect(executions).toHaveLength(3);
  });

  it('that only one subscriber gets is shared with no other', async () => {
    const { subscribe, executions } = world();
    const present = parse('subscription { changed(present: true) { n } }');
    const all = await Promise.all([subscribe(present), subscribe(present)]);
    expect(await Promise.all(all.map(data))).toEqual([{ n: 0 }, { n: 0 }]);
    expect(executions).toHaveLength(2);
  });

  it('has a context of its own, of the subscriber', async () => {
    const { subscribe, tell, executions } = world();
    const results = await subscribe(N);
    for (const n of [1, 2]) {
      tell(n);
      expect(await data(results)).toEqual({ n });
    }
    const [first, second] = executions;
    expect(first?.actor).toBe(VIEWER);
    expect(first?.load).toBeDefined();
    expect(second).not.toBe(first);
    expect(second?.load).not.toBe(first?.load);
  });

  it('after others that were lost says how many', async () => {
    const { subscribe, tell } = world();
    const results = await subscribe(N);
    for (const n of [1, 2, 3, 4, 5]) tell(n);
    expect((await results.next()).value).toEqual({ data: { changed: { n: 4 } }, extensions: { missedEvents: 3 } });
    expect((await results.next()).value).toEqual({ data: { changed: { n: 5 } } });
  });
});

describe('a subscription', () => {
  it('is a session, until the subscriber leaves', async () => {
    const { subscribe, sessions, bus } = world();
    const results = await subscribe(N);
    expect(sessions.count).toBe(1);
    expect(results[Symbol.asyncIterator]()).toBe(results);
    const pending = results.next();
    expect(await results.return?.()).toEqual({ done: true, value: undefined });
    expect(await pending).toEqual({ done: true, value: undefined });
    expect([sessions.count, bus.snapshot().subscribers]).toEqual([0, 0]);
  });

  it('ends with the error that is thrown into it', async () => {
    const { subscribe, sessions, bus } = world();
    const results = await subscribe(N);
    await expect(results.throw?.(new RangeError('thrown'))).rejects.toThrow('thrown');
    expect([sessions.count, bus.snapshot().subscribers]).toEqual([0, 0]);
  });

  it('ends with its source, without an error', async () => {
    const { subscribe, sessions, bus } = world();
    const results = await subscribe(N);
    bus.close();
    expect(await results.next()).toEqual({ done: true, value: undefined });
    expect(sessions.count).toBe(0);
  });

  it('ends with the error of its source', async () => {
    const { subscribe, sessions, tell } = world();
    const results = await subscribe(N);
    tell(-1);
    await expect(results.next()).rejects.toThrow('negative');
    expect(sessions.count).toBe(0);
  });

  it.each([
    ['its key is revoked', (sessions: Sessions) => sessions.revoke('1'), 'KEY_REVOKED'],
    ['the server closes', (sessions: Sessions) => sessions.close(), 'SERVER_CLOSING'],
  ])('ends with an error as its last result when %s', async (_case, end, code) => {
    const { subscribe, sessions, bus } = world();
    const results = await subscribe(N);
    const pending = results.next();
    end(sessions);
    expect((await pending).value).toMatchObject({ errors: [{ extensions: { code } }] });
    expect(await results.next()).toEqual({ done: true, value: undefined });
    expect([sessions.count, bus.snapshot().subscribers]).toEqual([0, 0]);
  });

  it('ends for the subscriber also where its source has no way to end', async () => {
    const { subscribe, sessions } = world();
    const plain = parse('subscription { changed(plain: true) { n } }');
    const [left, thrown] = await Promise.all([subscribe(plain), subscribe(plain)]);
    expect(await left.return?.()).toEqual({ done: true, value: undefined });
    await expect(thrown.throw?.(new RangeError('thrown'))).rejects.toThrow('thrown');
    await subscribe(plain);
    sessions.revoke('1');
    expect(sessions.count).toBe(0);
  });

  it('that the schema refuses is answered with the error, and is no session', async () => {
    const { ask, sessions } = world();
    const refused = await ask(parse('subscription { changed(fails: true) { n } }'));
    expect(refused).toMatchObject({ errors: [{ message: 'refused' }] });
    expect(sessions.count).toBe(0);
  });
});
