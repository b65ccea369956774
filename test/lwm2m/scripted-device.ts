import { codes, formatCode, type Code, type Method, type Peer } from '../../src/coap/index.ts';
import { methodCode, methodOf } from '../../src/coap/code.ts';
import type { Message, MessageOption } from '../../src/coap/message.ts';
import {
  optionNumbers,
  readRequestOptions,
  readResponseOptions,
  stringOption,
  uintOption,
} from '../../src/coap/option.ts';
import { ScriptedPeer, type SimulatedNetwork } from '../coap/network.ts';

export const SERVER = '192.0.2.1';

/** A request of the server. */
export interface AskedOfDevice {
  /** `GET /3/0/9?depth=1` */
  readonly line: string;
  readonly accept: number | null;
  readonly contentFormat: number | null;
  readonly observe: number | null;
  readonly payload: Uint8Array;
  readonly token: Uint8Array;
  readonly message: Message;
}

export interface DeviceAnswer {
  readonly code: Code;
  readonly contentFormat?: number;
  readonly payload?: Uint8Array | string;
  /** The Observe option of the response, when the device accepts the observation. */
  readonly observe?: number;
  readonly locationPath?: readonly string[];
  /** Seconds. */
  readonly maxAge?: number;
}

/** A response of the server. */
export interface ServerAnswer {
  /** `2.01` */
  readonly code: string;
  /** `rd/5a3f` */
  readonly location: string;
  readonly diagnostic: string;
  /** Seconds. */
  readonly maxAge: number | null;
}

export interface DeviceRequest {
  readonly method: Method;
  /** `/rd` */
  readonly path: string;
  readonly query?: readonly string[];
  readonly contentFormat?: number;
  readonly payload?: Uint8Array | string;
  readonly confirmable?: boolean;
}

/** A device on a simulated network. The test decides when it sends and what it answers. */
export class ScriptedDevice {
  /** The requests of the server in order, without repetitions. */
  readonly asked: AskedOfDevice[] = [];
  /** Returns the piggybacked response; null: the device does not answer. */
  onAsked: (asked: AskedOfDevice) => DeviceAnswer | null = () => ({ code: codes.notFound });
  location = '';
  readonly #network: SimulatedNetwork;
  readonly #server: string;
  #peer: ScriptedPeer;
  #messageId: number;

  constructor(network: SimulatedNetwork, address = '192.0.2.2', firstMessageId = 1, server = SERVER) {
    this.#network = network;
    this.#server = server;
    this.#messageId = firstMessageId;
    this.#peer = this.#at(address);
  }

  get peer(): Peer {
    return this.#peer.peer;
  }

  get received(): readonly Message[] {
    return this.#peer.received;
  }

  /** Continues at another address, like behind a NAT that lost its mapping. */
  move(address: string): void {
    this.#peer = this.#at(address);
  }

  /** Sends a request and waits a round trip for the response. */
  async request(request: DeviceRequest): Promise<ServerAnswer> {
    const messageId = this.send(request);
    await this.#network.clock.advance(2);
    return this.answerTo(messageId);
  }

  /** Sends a request and returns its message id; with a given message id it is a retransmission. */
  send(request: DeviceRequest, messageId = this.#messageId++): number {
    const { method, path, query = [], contentFormat, payload = '', confirmable = true } = request;
    this.#peer.send({
      type: confirmable ? 'CON' : 'NON',
      code: methodCode(method),
      messageId,
      token: Uint8Array.of(messageId >> 8, messageId & 0xff),
      options: [
        ...segments(path).map((segment) => stringOption(optionNumbers.uriPath, segment)),
        ...query.map((parameter) => stringOption(optionNumbers.uriQuery, parameter)),
        ...formatOption(contentFormat),
      ],
      payload: Buffer.from(payload),
    });
    return messageId;
  }

  answerTo(messageId: number): ServerAnswer {
    const token = Buffer.of(messageId >> 8, messageId & 0xff);
    const message = this.#peer.received.findLast((received) => token.equals(received.token));
    if (!message) throw new Error('the server did not answer');
    const options = readResponseOptions(message.options);
    if ('unrecognized' in options) throw new Error(`option ${options.unrecognized}`);
    return {
      code: formatCode(message.code),
      location: options.locationPath.join('/'),
      diagnostic: Buffer.from(message.payload).toString(),
      maxAge: options.maxAge,
    };
  }

  /** Registers with this query and keeps the location. */
  async register(query: readonly string[], links = '</1/0>,</3/0>'): Promise<ServerAnswer> {
    const answer = await this.request({ method: 'POST', path: '/rd', query, contentFormat: 40, payload: links });
    if (answer.code === '2.01') this.location = `/${answer.location}`;
    return answer;
  }

  async update(query: readonly string[] = [], links?: string): Promise<ServerAnswer> {
    const body = links === undefined ? {} : { contentFormat: 40, payload: links };
    return this.request({ method: 'POST', path: this.location, query, ...body });
  }

  /** Sends a notification for an Observe; returns its message id. */
  notify(
    asked: AskedOfDevice,
    sequence: number,
    answer: Omit<DeviceAnswer, 'observe'>,
    type: 'CON' | 'NON' = 'CON',
  ): number {
    const messageId = this.#messageId++;
    const begun = answer.code === codes.content ? { observe: sequence } : {};
    this.#peer.send({ type, messageId, token: asked.token, ...response({ ...answer, ...begun }) });
    return messageId;
  }

  /** Answers a message of the server with RST. */
  reset(messageId: number): void {
    this.#peer.sendEmpty('RST', messageId);
  }

  /** Acknowledges a message of the server; the response follows separately (RFC 7252 §5.2.2). */
  acknowledge(messageId: number): void {
    this.#peer.sendEmpty('ACK', messageId);
  }

  /** The reply of the server to a notification: ACK, RST, or null for none yet. */
  acknowledgement(messageId: number): 'ACK' | 'RST' | null {
    const empty = this.#peer.received.find(
      (message) => message.messageId === messageId && (message.type === 'ACK' || message.type === 'RST'),
    );
    return empty?.type === 'ACK' || empty?.type === 'RST' ? empty.type : null;
  }

  #at(address: string): ScriptedPeer {
    const peer = new ScriptedPeer(this.#network, address, this.#server);
    peer.onMessage = (message) => this.#hear(peer, message);
    return peer;
  }

  #hear(peer: ScriptedPeer, message: Message): void {
    const method = message.type === 'ACK' || message.type === 'RST' ? null : methodOf(message.code);
    if (method === null || message.code === codes.empty || message.code >= codes.created) return;
    const asked = read(method, message);
    if (this.asked.some(({ message: before }) => before.messageId === message.messageId)) return;
    this.asked.push(asked);
    const answer = this.onAsked(asked);
    if (answer) peer.piggyback(message, response(answer));
  }
}

function read(method: Method, message: Message): AskedOfDevice {
  const options = readRequestOptions(message.options);
  if ('unrecognized' in options) throw new Error(`option ${options.unrecognized}`);
  const { path, query, accept, contentFormat, observe } = options;
  const line = `${method} /${path.join('/')}${query.length > 0 ? `?${query.join('&')}` : ''}`;
  return { line, accept, contentFormat, observe, payload: message.payload.slice(), token: message.token, message };
}

function response({ code, contentFormat, payload = '', observe, locationPath = [], maxAge }: DeviceAnswer) {
  const options: MessageOption[] = [
    ...(observe === undefined ? [] : [uintOption(optionNumbers.observe, observe)]),
    ...locationPath.map((segment) => stringOption(optionNumbers.locationPath, segment)),
    ...formatOption(contentFormat),
    ...(maxAge === undefined ? [] : [uintOption(optionNumbers.maxAge, maxAge)]),
  ];
  return { code, options, payload: Buffer.from(payload) };
}

function formatOption(contentFormat: number | undefined): MessageOption[] {
  return contentFormat === undefined ? [] : [uintOption(optionNumbers.contentFormat, contentFormat)];
}

function segments(path: string): string[] {
  return path.split('/').slice(1);
}
