/** Where the API listens and whom it talks to. */
export interface HttpSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Origins of other sites whose pages may call the API: `https://app.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** Whether the schema may be asked for. */
  readonly introspection: boolean;
  /** Whether a browser that opens /graphql gets GraphiQL. */
  readonly graphiql: boolean;
  readonly limits?: Partial<HttpLimits>;
}

/** What bounds everything that can grow. */
export interface HttpLimits {
  /** Cost of one operation: see `costOf` of the schema. */
  readonly complexity: number;
  readonly depth: number;
  /** Tokens of a query’s text: validation takes more than linear time. */
  readonly tokens: number;
  /** Bytes of a request’s body and of a WebSocket message. */
  readonly messageBytes: number;
  /** Open TCP connections. */
  readonly connections: number;
  /** Operations that run at once on one WebSocket, subscriptions included. */
  readonly operationsPerSocket: number;
  /** Milliseconds that requests have to end when the server closes. */
  readonly drainMs: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  complexity: 50_000,
  depth: 15,
  tokens: 5_000,
  messageBytes: 1024 * 1024,
  connections: 10_000,
  operationsPerSocket: 200,
  drainMs: 3_000,
};
