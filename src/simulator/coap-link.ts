import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { Agent } from 'coap';
import type { IncomingMessage, ObserveWriteStream, OutgoingMessage } from 'coap';
import type { Clock } from '../clock.ts';
import type { CoapRequest, CoapResponse } from './coap-message.ts';
import { bytesOf, isObserveStream, locationOf, optionOf, requestOf } from './coap-packet.ts';
import { DeviceServer } from './device-server.ts';
import type { ServerAddress } from './server-address.ts';
import { openTunnel } from './open-tunnel.ts';
import type { Tunnel } from './tunnel.ts';
import { Unacknowledged } from './unacknowledged.ts';

/** MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2): node-coap has no timeout after an empty acknowledgement. */
const ANSWER_WITHIN_MS = 93_000;

/** Sends the notifications of one observation. */
export interface Subscriber {
  /** Sends a notification, or its first block; the server fetches the other blocks. */
  notify(response: CoapResponse, confirmable: boolean): void;
  /** Sends an error as the last notification. */
  end(code: string): void;
}

interface Remote {
  readonly address: string;
  readonly port: number;
}

export interface LinkHandlers {
  /** Answers a request; must not throw. */
  answer(request: CoapRequest): CoapResponse;
  /** Answers a GET or FETCH with Observe 0: a response of class 2 starts the observation. */
  observe(request: CoapRequest, subscriber: Subscriber): CoapResponse;
  /** The server reset a notification or did not acknowledge it. */
  unsubscribed(subscriber: Subscriber): void;
  /** Called for each message sent or received: it keeps a device in queue mode awake. */
  active(): void;
  /** False while the radio is off: incoming messages are lost. */
  awake(): boolean;
  /** The TCP or TLS connection ended; the next request opens another. */
  lost(): void;
}

export interface UplinkRequest {
  readonly method: 'POST' | 'DELETE' | 'GET';
  readonly path: readonly string[];
  readonly query?: readonly string[];
  readonly contentFormat?: number;
  readonly payload?: Uint8Array;
}

export interface UplinkAnswer {
  readonly code: string;
  readonly locationPath: readonly string[];
  readonly payload: Uint8Array;
}

/**
 * One UDP port for one server or for the tunnel to it. node-coap's server answers the requests of the LwM2M server, and
 * its agent sends requests on the same socket. The socket passes on only the server's datagrams and catches the
 * exceptions that malformed ones cause in node-coap.
 */
export class CoapLink {
  readonly #socket: Socket;
  readonly #server: DeviceServer;
  readonly #agent: Agent;
  readonly #remote: Remote;
  readonly #clock: Clock;
  readonly #handlers: LinkHandlers;
  readonly #unacknowledged: Unacknowledged;
  /** Functions that cancel the requests without a response yet. */
  readonly #unanswered = new Set<() => void>();
  #tunnel: Tunnel | null = null;
  #closed = false;

  private constructor(socket: Socket, remote: Remote, clock: Clock, handlers: LinkHandlers) {
    this.#socket = socket;
    this.#remote = remote;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#unacknowledged = new Unacknowledged(clock);
    this.#server = new DeviceServer();
    this.#server.on('request', (request, response) => this.#answer(request, response));
    this.#server.on('error', () => {});
    this.#server.listen(socket);
    this.#agent = new Agent({ socket });
    this.#agent.on('error', () => {});
    this.#guard();
  }

  /** Binds a port. Rejects when the server's name is unknown or no port is free. */
  static async open(
    server: ServerAddress,
    clock: Clock,
    log: (line: string) => void,
    handlers: LinkHandlers,
  ): Promise<CoapLink> {
    let link: CoapLink | null = null;
    const lost = (): void => {
      if (link !== null) link.#lost();
    };
    const tunnel = await openTunnel(server, { log, lost });
    const { host, port } = tunnel ? { host: '127.0.0.1', port: tunnel.port } : server;
    const { address, family } = await lookup(host, { order: 'ipv4first' });
    const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, () => resolve(socket.off('error', reject) && undefined));
    });
    link = new CoapLink(socket, { address, port }, clock, handlers);
    link.#tunnel = tunnel;
    return link;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** True while a request of the device has no response, or a confirmable message no acknowledgement. */
  get isBusy(): boolean {
    return this.#unanswered.size > 0 || this.#unacknowledged.size > 0;
  }

  /** Sends a request. Resolves with null without a response in time and when the link is closed. */
  ask({ method, path, query = [], contentFormat, payload }: UplinkRequest): Promise<UplinkAnswer | null> {
    if (this.#closed) return Promise.resolve(null);
    this.#handlers.active();
    const options: Record<string, Buffer[] | Buffer> = {};
    if (path.length > 0) options['Uri-Path'] = path.map((segment) => Buffer.from(segment));
    if (query.length > 0) options['Uri-Query'] = query.map((parameter) => Buffer.from(parameter));
    if (contentFormat !== undefined) options['Content-Format'] = bytesOf(contentFormat);
    return new Promise((resolve) => {
      const request = this.#agent.request({ hostname: this.#remote.address, port: this.#remote.port, method, options });
      const settle = (answer: UplinkAnswer | null): void => {
        timer.cancel();
        this.#unanswered.delete(giveUp);
        resolve(answer);
      };
      const giveUp = (): void => {
        this.#agent.abort(request);
        settle(null);
      };
      const timer = this.#clock.after(ANSWER_WITHIN_MS, giveUp);
      this.#unanswered.add(giveUp);
      request.on('error', () => settle(null));
      request.on('timeout', () => settle(null));
      request.on('response', (response: IncomingMessage) => {
        settle({ code: response.code, locationPath: locationOf(response), payload: response.payload });
      });
      request.end(payload === undefined ? undefined : Buffer.from(payload));
    });
  }

  /** Closes the port; pending requests get no response. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#server.close();
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
    await this.#tunnel?.close();
  }

  /** Cancels the pending requests: on TCP and TLS, a response comes only over the connection of its request. */
  #lost(): void {
    if (this.#closed) return;
    for (const giveUp of this.#unanswered) giveUp();
    this.#handlers.lost();
  }

  /**
   * Wraps node-coap's listeners to filter datagrams, and its `send`: node-coap's timers send even after the socket is
   * closed.
   */
  #guard(): void {
    const send = this.#socket.send.bind(this.#socket);
    Object.assign(this.#socket, {
      send: (...args: unknown[]) => {
        if (this.#closed) return;
        this.#unacknowledged.sent(args[0]);
        // Retransmissions of node-coap too.
        this.#handlers.active();
        Reflect.apply(send, this.#socket, args);
      },
    });
    const listeners = this.#socket.listeners('message');
    this.#socket.removeAllListeners('message');
    this.#socket.on('message', (datagram, from) => {
      if (this.#closed || !this.#isServer(from) || !this.#handlers.awake()) return;
      this.#unacknowledged.received(datagram);
      this.#handlers.active();
      for (const listener of listeners) {
        try {
          Reflect.apply(listener, this.#socket, [datagram, from]);
        } catch {
          // A malformed message, or blocks that don't match: ignored like a lost datagram.
        }
      }
    });
  }

  #isServer(from: RemoteInfo): boolean {
    return from.port === this.#remote.port && from.address === this.#remote.address;
  }

  #answer(message: IncomingMessage, response: OutgoingMessage | ObserveWriteStream): void {
    response.on('error', () => {});
    const request = requestOf(message);
    if (request === null) return;
    this.#handlers.active();
    if (isObserveStream(response)) {
      this.#observe(message, request, response);
      return;
    }
    const answer = this.#handlers.answer(request);
    response.code = answer.code;
    if (answer.contentFormat !== undefined) response.setOption('Content-Format', answer.contentFormat);
    if (answer.locationPath)
      response.setOption(
        'Location-Path',
        answer.locationPath.map((it) => Buffer.from(it)),
      );
    const block1 = optionOf(message, 'Block1');
    // RFC 7959 §2.3: the final response carries the Block1 option of the last request.
    if (Buffer.isBuffer(block1)) response.setOption('Block1', block1);
    response.end(answer.payload === undefined ? undefined : Buffer.from(answer.payload));
  }

  #observe(message: IncomingMessage, request: CoapRequest, stream: ObserveWriteStream): void {
    const subscriber: Subscriber = {
      notify: ({ contentFormat, payload = new Uint8Array() }, confirmable) => {
        if (this.#closed) return;
        this.#handlers.active();
        if (contentFormat !== undefined) stream.setOption('Content-Format', contentFormat);
        // The first notification is the response to the request and acknowledges it.
        if (stream._counter > 0) Object.assign(stream._packet, { confirmable, ack: false });
        stream.write(this.#server.firstBlock(message, stream, Buffer.from(payload)));
      },
      end: (code) => {
        if (this.#closed) return;
        stream.statusCode = code;
        stream.write(Buffer.alloc(0));
        stream.end();
      },
    };
    const answer = this.#handlers.observe(request, subscriber);
    if (answer.code.startsWith('2.')) {
      subscriber.notify(answer, true);
      stream.on('finish', () => this.#handlers.unsubscribed(subscriber));
      return;
    }
    stream.statusCode = answer.code;
    stream.end();
  }
}
