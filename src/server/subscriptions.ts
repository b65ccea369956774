import type { Plugin } from 'graphql-yoga';
import {
  createSourceEventStream,
  execute,
  GraphQLError,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
} from 'graphql';
import { createContext, type Context, type LiveEvent, type Services } from '../../schema/index.ts';
import { withinLimit } from './cost.ts';
import type { Caller } from './caller.ts';
import type { SessionEnd, Sessions } from './sessions.ts';

/** The results of each event, by subscriber group; garbage-collected with the event. */
type Shared = WeakMap<object, Map<string, Promise<ExecutionResult>>>;

/**
 * Executes subscriptions: each event in a new context, because caches belong to the context, and each event once for
 * all subscribers with the same query, variables and access. A subscription ends when its API key is revoked and when
 * the server closes.
 */
export function useSubscriptions(services: Services, sessions: Sessions): Plugin<Context> {
  const shared: Shared = new WeakMap();
  const documents = new WeakMap<DocumentNode, number>();
  let documentCount = 0;

  /** Returns equal keys only for subscribers for whom every event has the same result. */
  function groupOf({ document, operationName, variableValues }: ExecutionArgs, { actor }: Context): string {
    // The parser caches: the same text results in the same document object.
    const number = documents.get(document) ?? ++documentCount;
    documents.set(document, number);
    return JSON.stringify([actor.tenantId, actor.role, number, operationName ?? null, variableValues ?? null]);
  }

  async function subscribe(args: ExecutionArgs): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return source;
    // The schema's subscriptions yield LiveEvents, and createContext made the context.
    const events = (source as AsyncIterable<LiveEvent<unknown>>)[Symbol.asyncIterator]();
    const context = args.contextValue as Context & Caller;
    const group = groupOf(args, context);
    const resolve = (event: LiveEvent<unknown>): Promise<ExecutionResult> =>
      once(shared, event.origin, group, async () => {
        const contextValue = createContext(services, context.actor);
        return withinLimit(await execute({ ...args, rootValue: event, contextValue }), contextValue);
      });
    return results(events, resolve, (end) =>
      sessions.open(context.actor, (why) => {
        // A client whose stream is cut connects again; after a last event it would not.
        if (why.code === 'SERVER_CLOSING') context.cut?.();
        end(why);
      }),
    );
  }

  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn(subscribe);
    },
  };
}

function once(
  shared: Shared,
  origin: object | null,
  group: string,
  resolve: () => Promise<ExecutionResult>,
): Promise<ExecutionResult> {
  if (origin === null) return resolve();
  const groups = shared.get(origin) ?? new Map<string, Promise<ExecutionResult>>();
  shared.set(origin, groups);
  const present = groups.get(group);
  if (present) return present;
  const result = resolve();
  groups.set(group, result);
  return result;
}

const DONE = { done: true, value: undefined } as const;

/**
 * Yields the results of the events until the subscriber leaves or the session ends; then the last result has the
 * reason.
 */
function results(
  events: AsyncIterator<LiveEvent<unknown>>,
  resolve: (event: LiveEvent<unknown>) => Promise<ExecutionResult>,
  open: (end: (why: SessionEnd) => void) => () => void,
): AsyncIterableIterator<ExecutionResult> {
  let ended: SessionEnd | null = null;
  const close = open((why) => {
    ended = why;
    // Ending the source also ends the pending next().
    void events.return?.();
  });

  const next = async (): Promise<IteratorResult<ExecutionResult>> => {
    const event = await events.next();
    if (event.done) {
      close();
      const why = ended;
      ended = null;
      return why === null ? DONE : { done: false, value: farewell(why) };
    }
    const result = await resolve(event.value);
    const { missed } = event.value;
    return {
      done: false,
      value: missed === 0 ? result : { ...result, extensions: { ...result.extensions, missedEvents: missed } },
    };
  };

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () =>
      next().catch((error: unknown) => {
        close();
        throw error;
      }),
    return: async () => {
      close();
      await events.return?.();
      return DONE;
    },
    throw: async (error: unknown) => {
      close();
      await events.return?.();
      throw error;
    },
  };
}

function farewell({ code, message }: SessionEnd): ExecutionResult {
  return { errors: [new GraphQLError(message, { extensions: { code } })] };
}
