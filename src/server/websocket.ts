import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CloseCode, handleProtocols, makeServer } from 'graphql-ws';
import { GraphQLError, type ExecutionArgs } from 'graphql';
import { WebSocketServer, type WebSocket } from 'ws';
import type { Clock, Timer } from '../clock.ts';
import type { Access, Actor } from '../fleet/index.ts';
import { tokenOfParameters, tokenOfRequest } from './authentication.ts';
import { formatOfWebSocket } from './error-format.ts';
import type { FailedAuthentications } from './failed-authentications.ts';
import { GRAPHQL_PATH, type GraphqlServer } from './graphql.ts';
import type { Log } from './log.ts';
import type { Client } from './client.ts';
import type { Origins } from './origin.ts';
import { inRequest } from './request-log.ts';
import type { Sessions } from './sessions.ts';
import type { HttpLimits } from './settings.ts';

/** Interval of pings; a client that has not answered the last ping is disconnected. */
const KEEP_ALIVE_MS = 12_000;
/** The close code for a client that must wait, after HTTP 429. */
const TOO_MANY_REQUESTS = 4429;
/** Short enough for a close reason. */
const NO_TOKEN = 'A token is required: connectionParams {"token": "<token>"}.';
/** RFC 6455 §5.5: a close reason has at most 123 bytes. */
const LONGEST_REASON = 123;

interface Extra {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  readonly client: Client;
  actor?: Actor;
  closeSession?: () => void;
}

interface RootValue {
  execute(args: ExecutionArgs): ReturnType<ReturnType<GraphqlServer['getEnveloped']>['execute']>;
  subscribe(args: ExecutionArgs): ReturnType<ReturnType<GraphqlServer['getEnveloped']>['subscribe']>;
}

export interface WebSocketSide {
  /** Upgrades an HTTP connection to WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  readonly count: number;
  /** Closes every socket with 1001 (RFC 6455 §7.4.1: going away); graphql-ws clients then reconnect. */
  close(): void;
  /** Terminates the remaining sockets without a closing handshake. */
  terminate(): void;
}

/** Serves the graphql-transport-ws protocol on the path of the API. */
export function createWebSocketSide(options: {
  graphql: GraphqlServer;
  access: Access;
  failures: FailedAuthentications;
  sessions: Sessions;
  origins: Origins;
  clientOf: (request: IncomingMessage) => Client;
  limits: HttpLimits;
  log: Log;
  clock: Clock;
}): WebSocketSide {
  const { graphql, access, failures, sessions, origins, clientOf, limits, log, clock } = options;
  const sockets = new WebSocketServer({ noServer: true, maxPayload: limits.messageBytes, handleProtocols });
  const server = makeServer<Record<string, unknown>, Extra>({
    execute: (args) => (args.rootValue as RootValue).execute(args), // set by onSubscribe below
    subscribe: (args) => (args.rootValue as RootValue).subscribe(args),

    async onConnect({ connectionParams, extra }) {
      const token = tokenOfParameters(connectionParams) ?? tokenOfRequest(extra.request);
      const authentication = await failures.authenticate(access, token, extra.client.address);
      const { actor } = authentication;
      if (actor === null) {
        const { retryAfter } = authentication;
        const message = token === null ? NO_TOKEN : authentication.message;
        if (retryAfter === undefined) close(extra.socket, CloseCode.Unauthorized, `Unauthorized: ${message}`);
        else close(extra.socket, TOO_MANY_REQUESTS, message);
        return false;
      }
      extra.actor = actor;
      extra.closeSession = sessions.open(actor, ({ code, message }) => {
        if (code === 'KEY_REVOKED') close(extra.socket, CloseCode.Forbidden, `Forbidden: ${message}`);
        else close(extra.socket, 1001, message);
      });
      return true;
    },

    async onSubscribe({ extra, subscriptions }, _id, params) {
      // graphql-ws accepts Subscribe only after onConnect returned true.
      const actor = extra.actor ?? null;
      if (Object.keys(subscriptions).length > limits.operationsPerSocket) {
        const message = `This connection already runs ${limits.operationsPerSocket} operations, the limit. End one first or open another connection.`;
        return [new GraphQLError(message, { extensions: { code: 'TOO_MANY_OPERATIONS' } })];
      }
      const { schema, parse, validate, contextFactory, execute, subscribe } = graphql.getEnveloped({
        actor,
        params,
        // Yoga refuses mutations in a GET request; the upgrade request of a WebSocket is one.
        request: new Request(new URL(GRAPHQL_PATH, 'http://localhost'), { method: 'POST' }),
        waitUntil: () => undefined,
      });
      let document: ExecutionArgs['document'];
      try {
        document = parse(params.query);
      } catch (error) {
        if (error instanceof GraphQLError) return [error];
        throw error;
      }
      const errors = validate(schema, document);
      if (errors.length > 0) return errors;
      return {
        schema,
        document,
        operationName: params.operationName,
        variableValues: params.variables,
        contextValue: await contextFactory(),
        rootValue: { execute, subscribe } satisfies RootValue,
      };
    },

    onError: (_context, _id, _payload, errors) => formatOfWebSocket(errors),
    onNext: (_context, _id, _payload, _args, result) =>
      result.errors && { ...result, errors: formatOfWebSocket(result.errors) },

    onClose({ extra }) {
      extra.closeSession?.();
    },
  });

  sockets.on('headers', (headers, request) => headers.push(`X-Request-Id: ${clientOf(request).requestId}`));
  sockets.on('connection', (socket: WebSocket, request: IncomingMessage, client: Client) => {
    const fail = (error: unknown): void => {
      log.warn({ err: error }, 'a WebSocket failed');
      close(socket, CloseCode.InternalServerError, 'Internal server error');
    };
    const closed = server.opened(
      {
        protocol: socket.protocol,
        // Resolves when the socket has accepted the message: a slow client slows down only its own subscriptions.
        send: (data) =>
          new Promise((resolve, reject) => {
            if (socket.readyState !== socket.OPEN) resolve();
            else socket.send(data, (error) => (error ? reject(error) : resolve()));
          }),
        close: (code = 1000, reason = '') => close(socket, code, reason),
        onMessage: (take) =>
          socket.on('message', (data) => inRequest(client, () => void take(String(data)).catch(fail))),
      },
      { socket, request, client },
    );
    // A protocol violation (too long a message, bad frames) ends only this connection: ws closes it with the code.
    socket.on('error', (error) =>
      log.info({ client: client.address, err: error }, 'a WebSocket client violated the protocol'),
    );
    const stop = keepAlive(socket, clock);
    socket.once('close', (code, reason) => {
      stop();
      void closed(code, String(reason));
    });
  });

  return {
    upgrade(request, socket, head) {
      // Until ws takes over the socket, this is its only error listener.
      socket.on('error', () => socket.destroy());
      if (request.url?.split('?', 1)[0] !== GRAPHQL_PATH)
        return refuse(socket, '404 Not Found', `Open the WebSocket at ${GRAPHQL_PATH}.`);
      const client = clientOf(request);
      if (!origins.allows(request, client)) {
        return refuse(
          socket,
          '403 Forbidden',
          inRequest(client, () => origins.reject(request)),
        );
      }
      request.headers['x-request-id'] = client.requestId;
      sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request, client));
    },
    get count() {
      return sockets.clients.size;
    },
    close() {
      for (const socket of sockets.clients) close(socket, 1001, 'The server is closing.');
    },
    terminate() {
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}

function close(socket: WebSocket, code: number, reason: string): void {
  // In stream mode, the decoder leaves out a character that is cut.
  socket.close(code, new TextDecoder().decode(Buffer.from(reason).subarray(0, LONGEST_REASON), { stream: true }));
}

function refuse(socket: Duplex, status: string, message: string): void {
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`,
  );
}

/**
 * Pings the client regularly and terminates a socket that did not answer the last ping. Returns a function that stops
 * it.
 */
function keepAlive(socket: WebSocket, clock: Clock): () => void {
  let answered = true;
  let timer: Timer;
  const beat = (): void => {
    if (!answered) return socket.terminate();
    answered = false;
    if (socket.readyState === socket.OPEN) socket.ping();
    timer = clock.after(KEEP_ALIVE_MS, beat);
  };
  socket.on('pong', () => {
    answered = true;
  });
  timer = clock.after(KEEP_ALIVE_MS, beat);
  return () => timer.cancel();
}
