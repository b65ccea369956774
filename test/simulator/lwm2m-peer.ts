import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { Agent, createServer, ObserveReadStream } from 'coap';
import type { IncomingMessage, OutgoingMessage } from 'coap';

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'FETCH' | 'iPATCH';
  readonly path?: string;
  readonly query?: string;
  readonly accept?: number;
  readonly contentFormat?: number;
  readonly payload?: Uint8Array | string;
  readonly block1?: boolean;
  /** Starts with this block of 1024 bytes; node-coap fetches the next ones. */
  readonly block2?: number;
}

export interface CoapResponse {
  readonly code: string;
  readonly contentFormat: number | null;
  readonly location: string;
  readonly payload: Buffer;
}

export interface Received {
  readonly method: string;
  readonly url: string;
  /** The payload as text. */
  readonly payload: string;
  readonly bytes: Buffer;
}

/** A minimal LwM2M server on node-coap: it accepts registrations and sends the requests of a test. */
export class Lwm2mPeer {
  readonly received: Received[] = [];
  readonly port: number;
  readonly #socket: Socket;
  readonly #agent: Agent;
  readonly #send: Socket['send'];
  #device = 0;
  #waiting: { count: number; done: () => void }[] = [];
  /** Answers a request; by default it accepts everything. */
  reply: (request: Received) => { code: string; location?: string } = ({ method, url }) => {
    if (method === 'DELETE') return { code: '2.02' };
    return url.startsWith('/rd?') ? { code: '2.01', location: 'rd/1' } : { code: '2.04' };
  };

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#send = socket.send.bind(socket);
    this.port = socket.address().port;
    const server = createServer();
    server.on('request', (request: IncomingMessage, response: OutgoingMessage) => this.#answer(request, response));
    server.listen(socket);
    this.#agent = new Agent({ socket });
  }

  static async start(): Promise<Lwm2mPeer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new Lwm2mPeer(socket);
  }

  /** Resolves when this many requests have been received since the start. */
  requests(count: number): Promise<void> {
    if (this.received.length >= count) return Promise.resolve();
    return new Promise((done) => this.#waiting.push({ count, done }));
  }

  /** Sends a request to the device that registered last. */
  ask(ask: Ask): Promise<CoapResponse> {
    return new Promise((resolve, reject) => {
      const request = this.#request(ask);
      request.on('error', reject);
      request.on('response', (response: IncomingMessage) => resolve(answerOf(response)));
      end(request, ask);
    });
  }

  /** Observes; `next` resolves with the first response and then with each notification. */
  observe(ask: Ask): { next(): Promise<CoapResponse>; cancel(): Promise<CoapResponse> } {
    const queue: CoapResponse[] = [];
    let waiting: ((answer: CoapResponse) => void) | null = null;
    const put = (answer: CoapResponse): void => {
      if (waiting) waiting(answer);
      else queue.push(answer);
      waiting = null;
    };
    const request = this.#request(ask, 0);
    request.on('error', () => {});
    request.on('response', (response: IncomingMessage) => {
      if (!(response instanceof ObserveReadStream)) return put(answerOf(response));
      response.on('data', (payload: Buffer) => put({ ...answerOf(response), payload }));
    });
    end(request, ask);
    return {
      next: () => {
        const ready = queue.shift();
        return ready ? Promise.resolve(ready) : new Promise((resolve) => (waiting = resolve));
      },
      cancel: () => {
        const cancelling = this.#request(ask, 1, request._packet.token);
        return new Promise((resolve, reject) => {
          cancelling.on('error', reject);
          cancelling.on('response', (response: IncomingMessage) => resolve(answerOf(response)));
          end(cancelling, ask);
        });
      },
    };
  }

  /** The port of the device that registered last. */
  get devicePort(): number {
    return this.#device;
  }

  /** Keeps all that node-coap sends, acknowledgements too, until the returned function is called. */
  hold(): () => void {
    const held: unknown[][] = [];
    Object.assign(this.#socket, { send: (...args: unknown[]) => void held.push(args) });
    return () => {
      Object.assign(this.#socket, { send: this.#send });
      for (const args of held.splice(0)) Reflect.apply(this.#send, this.#socket, args);
    };
  }

  /** Sends any bytes to a device, also while the rest is kept. */
  throwAt(port: number, bytes: Uint8Array): Promise<void> {
    return new Promise((resolve) => this.#send(bytes, port, '127.0.0.1', () => resolve()));
  }

  /** Resolves with the next matching datagram. */
  datagram(wanted: (bytes: Buffer) => boolean): Promise<Buffer> {
    return new Promise((resolve) => {
      const listener = (bytes: Buffer): void => {
        if (!wanted(bytes)) return;
        this.#socket.off('message', listener);
        resolve(bytes);
      };
      this.#socket.on('message', listener);
    });
  }

  async stop(): Promise<void> {
    // node-coap's timers retransmit unacknowledged messages even after the socket is closed.
    Object.assign(this.#socket, { send: () => {} });
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #request(
    { method = 'GET', path = '', query, accept, contentFormat, block1, block2 }: Ask,
    observe?: 0 | 1,
    token?: Buffer,
  ) {
    return this.#agent.request({
      hostname: '127.0.0.1',
      port: this.#device,
      method,
      pathname: path,
      ...(query === undefined ? {} : { query }),
      ...(accept === undefined ? {} : { accept }),
      ...(contentFormat === undefined ? {} : { contentFormat }),
      ...(observe === undefined ? {} : { observe }),
      ...(token === undefined ? {} : { token }),
      ...(block1 ? { options: { Block1: Buffer.of(0x06) } } : {}),
      ...(block2 === undefined ? {} : { options: { Block2: Buffer.of(block2 * 16 + 6) } }),
    });
  }

  #answer(request: IncomingMessage, response: OutgoingMessage): void {
    if (request.method === undefined) return;
    this.#device = request.rsinfo.port;
    const received = {
      method: request.method,
      url: request.url,
      payload: request.payload.toString(),
      bytes: request.payload,
    };
    this.received.push(received);
    const { code, location } = this.reply(received);
    response.code = code;
    if (location !== undefined)
      response.setOption(
        'Location-Path',
        location.split('/').map((it) => Buffer.from(it)),
      );
    response.end();
    this.#waiting = this.#waiting.filter(({ count, done }) => {
      const reached = this.received.length >= count;
      if (reached) done();
      return !reached;
    });
  }
}

function end(request: OutgoingMessage, { payload }: Ask): void {
  request.end(payload === undefined ? undefined : Buffer.from(payload));
}

function answerOf(response: IncomingMessage): CoapResponse {
  const options = response._packet.options ?? [];
  const contentFormat = response.headers['Content-Format'];
  return {
    code: response.code,
    contentFormat: typeof contentFormat === 'number' ? contentFormat : null,
    location: options
      .filter((option) => option.name === 'Location-Path')
      .map((option) => String(option.value))
      .join('/'),
    payload: response.payload,
  };
}
