import { createYoga, type Plugin, type YogaServerInstance } from 'graphql-yoga';
import { NoSchemaIntrospectionCustomRule, parse } from 'graphql';
import { createContext, schema, type Context, type Services } from '../../schema/index.ts';
import type { Actor } from '../fleet/index.ts';
import { useCost } from './cost.ts';
import { createMask } from './masking.ts';
import type { Log } from './log.ts';
import type { Sessions } from './sessions.ts';
import type { HttpLimits, HttpSettings } from './settings.ts';
import { useSubscriptions } from './subscriptions.ts';

export const GRAPHQL_PATH = '/graphql';

/** The caller of a request; `actor` is null for the GraphiQL page, which executes no operation. */
export interface Caller {
  readonly actor: Actor | null;
}

export type GraphqlServer = YogaServerInstance<Caller, Context>;

/** The GraphQL engine that HTTP, SSE and WebSocket share. */
export function createGraphql(
  services: Services,
  sessions: Sessions,
  options: { settings: HttpSettings; limits: HttpLimits; log: Log },
): GraphqlServer {
  const { settings, limits, log } = options;
  const mask = createMask(log);
  return createYoga<Caller, Context>({
    schema,
    context: ({ actor }) => {
      if (actor === null) throw new Error('a request without an actor reached the schema');
      return createContext(services, actor);
    },
    graphqlEndpoint: GRAPHQL_PATH,
    landingPage: false,
    batching: false,
    multipart: false,
    // http.ts and websocket.ts check the origin before.
    cors: false,
    logging: false,
    maxRequestBodySize: limits.messageBytes,
    maskedErrors: { maskError: (error) => mask(error) },
    graphiql: settings.graphiql && {
      title: 'Treeline',
      defaultQuery: WELCOME,
      headers: JSON.stringify({ Authorization: 'Bearer <token>' }, null, 2),
      shouldPersistHeaders: true,
    },
    // Loaded for the first browser that requests it: its script is 9 MB.
    renderGraphiQL: async (page) => (await import('@graphql-yoga/render-graphiql')).renderGraphiQL(page),
    plugins: [
      useTextLimit(limits.tokens),
      ...(settings.introspection ? [] : [withoutIntrospection]),
      useCost(limits),
      useSubscriptions(services, sessions),
    ],
  });
}

const WELCOME = `# Treeline. Enter your token under Headers below: { "Authorization": "Bearer <token>" },
# then re-fetch the schema (the round arrow on the left). Docs describes every field.

query Devices {
  viewer { tenant { slug } role }
  devices(first: 20) {
    totalCount
    edges { node { id endpoint status lastSeen temperature: resource(path: "/3303/0/5700") { value timestamp } } }
  }
}
`;

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
  },
};
