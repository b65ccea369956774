import type { IncomingMessage, ServerResponse } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { Services } from '../../schema/index.ts';
import type { Clock } from '../clock.ts';
import type { Actor } from '../fleet/index.ts';
import { tokenOfRequest } from './authentication.ts';
import { FailedAuthentications } from './failed-authentications.ts';
import { createGraphiql, GRAPHIQL } from './graphiql.ts';
import { createGraphql, GRAPHQL_PATH } from './graphql.ts';
import { answerLiveness, answerMetrics, answerReadiness, type Health } from './health.ts';
import { uriHost } from '../network/index.ts';
import { createListener } from './listener.ts';
import type { Log } from './log.ts';
import { createClientFinder, type Client } from './client.ts';
import { Origins } from './origin.ts';
import { inRequest, withRequest } from './request-log.ts';
import { Sessions } from './sessions.ts';
import { DEFAULT_LIMITS, type HttpSettings, type TlsIdentity } from './settings.ts';
import { measureRequest, type TrafficMeter } from './traffic.ts';
import { createWebSocketSide } from './websocket.ts';

export interface HttpServerOptions extends Omit<Services, 'limits'>, Health {
  readonly settings: HttpSettings;
  readonly log: Log;
  readonly clock: Clock;
  readonly meter: TrafficMeter;
}

export interface HttpServer {
  /** Rejects with ServerError PORT_IN_USE or CANNOT_LISTEN, which names host and port. `url` is the GraphQL URL. */
  listen(): Promise<{ url: string; port: number }>;
  /** With TLS: uses another certificate for the connections that open from now on. */
  useCertificate(identity: TlsIdentity): void;
  /** The values of the metrics. */
  snapshot(): { webSockets: number; sessions: number };
  /** Counts since the start: invalid tokens, and tokens that were not looked up because of the limit. */
  failedAuthentications(): { readonly refused: number; readonly limited: number };
  /**
   * Accepts no more connections, ends subscriptions (WebSocket: 1001; SSE: without `complete`), lets running
   * requests finish for `drainMs` and then closes the remaining connections. After two thirds of this time, calls that
   * wait for a device are answered with their state. Idempotent.
   */
  close(): Promise<void>;
}

/** GraphQL over HTTP, SSE and WebSocket, health and metrics, on one port. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { fleet, telemetry, bus, settings, clock, meter } = options;
  const log = withRequest(options.log);
  const limits = { ...DEFAULT_LIMITS, ...settings.limits };
  const sessions = new Sessions();
  const graphql = createGraphql({ fleet, telemetry, bus, limits }, sessions, { settings, limits, log, meter, clock });
  const { access } = fleet;
  const failures = new FailedAuthentications({ limit: limits.failedAuthentications, clock, log });
  const origins = new Origins(settings, log);
  const clientOf = createClientFinder(settings.trustedProxies);
  const webSockets = createWebSocketSide({
    graphql,
    access,
    failures,
    sessions,
    origins,
    clientOf,
    limits,
    log,
    clock,
  });
  const graphiql = settings.graphiql ? createGraphiql(GRAPHQL_PATH, GRAPHIQL) : null;
  let closing: Promise<void> | null = null;

  async function actorOf(request: IncomingMessage, { address }: Client): Promise<Actor | null> {
    return (await failures.authenticate(access, tokenOfRequest(request), address)).actor;
  }

  async function answerGraphql(request: IncomingMessage, response: ServerResponse, client: Client): Promise<void> {
    origins.setHeaders(request, response);
    if (request.method === 'OPTIONS') return void response.writeHead(204).end();
    if (!origins.allows(request, client)) return refuse(response, 403, 'FORBIDDEN', origins.reject(request));
    // The GraphiQL page contains no secrets: it loads without a token and sends the token that the user enters.
    if (await graphiql?.answer(request, response)) return;
    const token = tokenOfRequest(request);
    const authentication = await failures.authenticate(access, token, client.address);
    if (authentication.actor === null) {
      const { retryAfter, message } = authentication;
      if (retryAfter !== undefined) {
        response.setHeader('Retry-After', retryAfter);
        return refuse(response, 429, 'TOO_MANY_INVALID_TOKENS', message);
      }
      response.setHeader('WWW-Authenticate', 'Bearer realm="treeline"');
      return refuse(response, 401, 'UNAUTHENTICATED', message);
    }
    const encoding = request.headers['content-encoding'] ?? 'identity';
    if (encoding !== 'identity') {
      response.setHeader('Accept-Encoding', 'identity');
      const message = `Content-Encoding ${JSON.stringify(encoding)} is not supported. Send the body uncompressed.`;
      return refuse(response, 415, 'UNSUPPORTED_MEDIA_TYPE', message);
    }
    // The response to a HEAD is that to a GET; Node leaves the body out.
    if (request.method === 'HEAD') request.method = 'GET';
    return graphql.handle(request, response, { actor: authentication.actor, cut: () => response.destroy() });
  }

  async function answer(request: IncomingMessage, response: ServerResponse, client: Client): Promise<void> {
    switch (pathOf(request)) {
      case GRAPHQL_PATH:
        return answerGraphql(request, response, client);
      case '/healthz':
        return answerLiveness(response);
      case '/readyz':
        return answerReadiness(response, options, closing !== null);
      case '/metrics':
        return answerMetrics(response, options, settings.openMetrics ? null : () => actorOf(request, client));
      default:
        if (await graphiql?.answer(request, response)) return;
        return refuse(response, 404, 'NOT_FOUND', `This path does not exist. The API is at ${GRAPHQL_PATH}.`);
    }
  }

  function fail(response: ServerResponse, error: unknown): void {
    const id = randomUUID();
    log.error({ id, err: error }, 'unexpected error');
    if (response.headersSent) response.destroy();
    else refuse(response, 500, 'INTERNAL_SERVER_ERROR', `Unexpected error; the server logged it with the id ${id}.`);
  }

  const listener = createListener(settings, limits.connections, (request, response) => {
    // While the server closes, a connection that becomes idle would keep it open.
    response.once('close', () => {
      if (closing !== null) setImmediate(() => server.closeIdleConnections());
    });
    measureRequest(request, response, meter, clock);
    const client = clientOf(request);
    response.setHeader('X-Request-Id', client.requestId);
    void inRequest(client, () => answer(request, response, client).catch((error: unknown) => fail(response, error)));
  });
  const { server } = listener;
  server.on('upgrade', (request, socket, head) => webSockets.upgrade(request, socket, head));

  const revocations = bus.subscribe('keyRevoked', null);
  void (async () => {
    for await (const event of revocations) {
      if (event.kind === 'event') sessions.revoke(event.value.keyId);
      else sessions.revokeAny();
    }
  })();

  return {
    listen: async () => {
      const port = await listener.listen();
      return { url: `${listener.scheme}://${uriHost(settings.host)}:${port}${GRAPHQL_PATH}`, port };
    },
    useCertificate: (identity) => listener.useCertificate(identity),
    snapshot: () => ({ webSockets: webSockets.count, sessions: sessions.count }),
    failedAuthentications: () => failures.counts,
    close: () => (closing ??= drain()),
  };

  async function drain(): Promise<void> {
    revocations.close();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    sessions.close();
    webSockets.close();
    server.closeIdleConnections();
    // A caller then gets the id and the state of a call whose device has not answered.
    const lastCall = clock.after((limits.drainMs * 2) / 3, () => fleet.rpcs.endWaits());
    const deadline = clock.after(limits.drainMs, () => {
      webSockets.terminate();
      listener.closeAllConnections();
    });
    await closed;
    lastCall.cancel();
    deadline.cancel();
  }
}

function pathOf({ url }: IncomingMessage): string {
  return (url ?? '/').split('?', 1)[0] ?? '/';
}

/** Answers without the GraphQL engine, in the format of a GraphQL error. */
function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  response.writeHead(status, { 'Content-Type': 'application/json; charset=utf-8' }).end(body);
}
