/** A certificate with its issuers, and its private key, in PEM. */
export interface TlsIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** The address of the API and the rules for its callers. */
export interface HttpSettings {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** Null: HTTP without TLS. */
  readonly tls: TlsIdentity | null;
  /** Whether /metrics answers requests without an admin token. */
  readonly openMetrics: boolean;
  /** Other origins whose web pages may call the API: `https://app.example.com`. */
  readonly allowedOrigins: readonly string[];
  /** Whether pages on `localhost` and loopback addresses, on any port, may call the API. */
  readonly localPages: boolean;
  /** Request headers that pages of other origins may send, besides Authorization, Content-Type and Accept. */
  readonly corsHeaders: readonly string[];
  /** The origin that browsers use when a proxy is in front of the server: `https://api.example.com`. */
  readonly publicUrl: string | null;
  /** IP addresses and networks (`10.0.0.0/8`) of proxies whose X-Forwarded headers count. */
  readonly trustedProxies: readonly string[];
  /** Milliseconds that an idle connection stays open for the next request. */
  readonly keepAliveMs: number;
  /** Whether clients may query the schema. */
  readonly introspection: boolean;
  /** Whether a browser that opens /graphql gets GraphiQL. */
  readonly graphiql: boolean;
  readonly limits?: Partial<HttpLimits>;
}

/** The limits of requests and connections. */
export interface HttpLimits {
  /** Cost of one operation: see `costOf` of the schema. */
  readonly complexity: number;
  readonly depth: number;
  /** Bytes of the response of one operation, and of the result of one event of a subscription. */
  readonly responseBytes: number;
  /** Lexical tokens of a query’s text, because validation takes more than linear time. */
  readonly tokens: number;
  /** Bytes of a request’s body and of a WebSocket message. */
  readonly messageBytes: number;
  /** Open TCP connections. */
  readonly connections: number;
  /** Concurrent operations on one WebSocket, subscriptions included. */
  readonly operationsPerSocket: number;
  /** Failed authentications per minute of one address (IPv6: /64) and of one token prefix. */
  readonly failedAuthentications: number;
  /** Milliseconds that running requests may take to finish when the server closes. */
  readonly drainMs: number;
}

export const DEFAULT_LIMITS: HttpLimits = {
  complexity: 50_000,
  depth: 15,
  responseBytes: 16 * 1024 * 1024,
  tokens: 5_000,
  messageBytes: 1024 * 1024,
  connections: 10_000,
  operationsPerSocket: 200,
  failedAuthentications: 30,
  drainMs: 3_000,
};
