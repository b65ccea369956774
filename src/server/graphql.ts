import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { GraphQLError, NoSchemaIntrospectionCustomRule, parse } from 'graphql';
import { createContext, schema, type Context, type Services } from '../../schema/index.ts';
import type { Clock } from '../clock.ts';
import type { Caller } from './caller.ts';
import { useCost } from './cost.ts';
import { useErrorFormat } from './error-format.ts';
import { createMask, withoutSuggestions } from './masking.ts';
import type { Log } from './log.ts';
import type { Sessions } from './sessions.ts';
import type { HttpLimits, HttpSettings } from './settings.ts';
import { useSubscriptions } from './subscriptions.ts';
import { useTraffic, type TrafficMeter } from './traffic.ts';

export const GRAPHQL_PATH = '/graphql';

export type GraphqlServer = YogaServerInstance<Caller, Context>;

/** The GraphQL engine that HTTP, SSE and WebSocket share. */
export function createGraphql(
  services: Services,
  sessions: Sessions,
  options: { settings: HttpSettings; limits: HttpLimits; log: Log; meter: TrafficMeter; clock: Clock },
): GraphqlServer {
  const { settings, limits, log, meter, clock } = options;
  const mask = createMask(log, settings);
  return createYoga<Caller, Context>({
    schema,
    context: ({ actor }) => createContext(services, actor),
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    batching: false,
    multipart: false,
    // http.ts and websocket.ts check the origin before.
    cors: false,
    logging: false,
    maxRequestBodySize: limits.messageBytes,
    maskedErrors: { maskError: (error) => mask(error) },
    graphiql: false,
    plugins: [
      withoutPersistedQueries,
      withoutBuffering,
      useTraffic(meter, clock),
      useTextLimit(limits.tokens),
      ...(settings.introspection ? [] : [withoutIntrospection]),
      useCost(limits, mask),
      useSubscriptions(services, sessions),
      useErrorFormat,
    ],
  });
}

/** Clients with automatic persisted queries (Apollo, urql) then send the whole text. */
const withoutPersistedQueries: Plugin<Context> = {
  onParams({ params }) {
    if (params.query || params.extensions?.['persistedQuery'] === undefined) return;
    throw new GraphQLError('PersistedQueryNotSupported', {
      extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED', http: { status: 200 } },
    });
  },
};

/** nginx holds events back without this header. */
const withoutBuffering: Plugin<Context> = {
  onResponse({ response }) {
    if (response.headers.get('content-type')?.startsWith('text/event-stream') === true) {
      response.headers.set('X-Accel-Buffering', 'no');
    }
  },
};

function useTextLimit(maxTokens: number): Plugin<Context> {
  return {
    onParse({ setParseFn }) {
      setParseFn((source, options) => parse(source, { ...options, maxTokens }));
    },
  };
}

const withoutIntrospection: Plugin<Context> = {
  onValidate({ addValidationRule }) {
    addValidationRule(NoSchemaIntrospectionCustomRule);
    return ({ result, setResult }) =>
      setResult(result.map((error) => (error instanceof GraphQLError ? withoutSuggestions(error) : error)));
  },
};
