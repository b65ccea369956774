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
import type { SessionEnd, Sessions } from './sessions.ts';

/** What events resolve to, kept by the event itself: gone with it. */
type Shared = WeakMap<object, Map<string, Promise<ExecutionResult>>>;

/**
 * How subscriptions are executed: each event with a context of its own, for caches hang on the context; and each event
 * once for all subscribers of the same query, variables and access. A subscription ends with its key and with the server.
 */
export function useSubscriptions(services: Services, sessions: Sessions): Plugin<Context> {
  const shared: Shared = new WeakMap();
  const documents = new WeakMap<DocumentNode, number>();
  let documentCount = 0;

  /** Equal only for subscribers that every event resolves to the same for. */
  function groupOf({ document, operationName, variableValues }: ExecutionArgs, { actor }: Context): string {
    // The parser gives the same text the same document.
    const number = documents.get(document) ?? ++documentCount;
    documents.set(document, number);
    return JSON.stringify([actor.tenantId, actor.role, number, operationName ?? null, variableValues ?? null]);
  }

  async function subscribe(args: ExecutionArgs): Promise<AsyncIterableIterator<ExecutionResult> | ExecutionResult> {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return source;
    // The schema's subscriptions yield LiveEvents, and our own factory made the context.
    const events = (source as AsyncIterable<LiveEvent<unknown>>)[Symbol.asyncIterator]();
    const context = args.contextValue as Context;
    const group = groupOf(args, context);
    const resolve = (event: LiveEvent<unknown>): Promise<ExecutionResult> =>
      once(shared, event.origin, group, async () =>
        execute({ ...args, rootValue: event, contextValue: createContext(services, context.actor) }),
      );
    return results(events, resolve, (end) => sessions.open(context.actor, end));
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

/** The results of the events, until the subscriber leaves or the session is ended, which the last result then tells. */
function results(
  events: AsyncIterator<LiveEvent<unknown>>,
  resolve: (event: LiveEvent<unknown>) => Promise<ExecutionResult>,
  open: (end: (why: SessionEnd) => void) => () => void,
): AsyncIterableIterator<ExecutionResult> {
  let ended: SessionEnd | null = null;
  const close = open((why) => {
    ended = why;
    // The pending next() ends with the source.
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
