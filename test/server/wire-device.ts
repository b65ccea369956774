import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { codes, formatCode, type Code } from '../../src/coap/index.ts';
import { methodCode, methodOf } from '../../src/coap/code.ts';
import { decode, encode, encodeEmpty, NO_BYTES, type Message } from '../../src/coap/message.ts';
import { optionNumbers, readRequestOptions, stringOption, uintOption } from '../../src/coap/option.ts';

/** The content of a response or a notification. */
export interface Content {
  readonly code?: Code;
  readonly contentFormat: number;
  readonly payload: Uint8Array | string;
}

/** A CoAP device on a UDP socket of loopback that accepts observations and sends the notifications that a test gives it. */
export interface WireDevice {
  /** The responses to GET by path; other requests get 4.04. */
  readonly contents: Map<string, Content>;
  /** Paths whose responses have no Observe option. */
  readonly unobservable: Set<string>;
  /** Resolves with the code of the response: `2.01`. */
  register(query: readonly string[], links: string): Promise<string>;
  /** Resolves with the code of the response to POST /dp, and its diagnostic. */
  send(contentFormat: number, payload: Uint8Array | string): Promise<{ readonly code: string; readonly text: string }>;
  /** Sends a notification of an observed path; resolves with the server's reply. */
  notify(path: string, content: Content): Promise<'ACK' | 'RST'>;
  close(): Promise<void>;
}

export async function wireDevice(port: number): Promise<WireDevice> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const contents = new Map<string, Content>();
  const unobservable = new Set<string>();
  const observed = new Map<string, Uint8Array>();
  const waiting = new Map<string, (message: Message) => void>();
  let lastId = 0;
  let sequence = 1;

  const transmit = (message: Message): void => socket.send(encode(message), port, '127.0.0.1');
  const transmitAndWait = (message: Message, reply: string): Promise<Message> => {
    transmit(message);
    return new Promise((resolve) => waiting.set(reply, resolve));
  };

  function answer({ messageId, token, code, options }: Message): void {
    const request = readRequestOptions(options);
    const reply = { type: 'ACK', messageId, token } as const;
    const path = 'unrecognized' in request ? '' : `/${request.path.join('/')}`;
    const content = methodOf(code) === 'GET' ? contents.get(path) : undefined;
    if ('unrecognized' in request || !content) {
      return transmit({ ...reply, code: codes.notFound, options: [], payload: NO_BYTES });
    }
    const accepts = request.observe === 0 && !unobservable.has(path);
    if (accepts) observed.set(path, Uint8Array.from(token));
    transmit({ ...reply, ...responseOf(content, accepts ? 1 : null) });
  }

  socket.on('message', (datagram) => {
    const decoded = decode(datagram);
    if (!decoded.ok) return;
    const { message } = decoded;
    if (methodOf(message.code) !== null) return answer(message);
    if (message.type === 'CON') socket.send(encodeEmpty('ACK', message.messageId), port, '127.0.0.1');
    const reply = message.code === codes.empty ? `message ${message.messageId}` : `token ${message.token.join(' ')}`;
    waiting.get(reply)?.(message);
    waiting.delete(reply);
  });

  async function post(path: string, query: readonly string[], contentFormat: number, payload: Uint8Array | string) {
    const options = [
      stringOption(optionNumbers.uriPath, path),
      uintOption(optionNumbers.contentFormat, contentFormat),
      ...query.map((parameter) => stringOption(optionNumbers.uriQuery, parameter)),
    ];
    const messageId = ++lastId;
    const request = {
      type: 'CON',
      code: methodCode('POST'),
      messageId,
      options,
      payload: Buffer.from(payload),
    } as const;
    const response = await transmitAndWait({ ...request, token: Uint8Array.of(messageId) }, `token ${messageId}`);
    return { code: formatCode(response.code), text: new TextDecoder().decode(response.payload) };
  }

  return {
    contents,
    unobservable,
    register: async (query, links) => (await post('rd', query, 40, links)).code,
    send: (contentFormat, payload) => post('dp', [], contentFormat, payload),
    async notify(path, content) {
      const token = observed.get(path);
      if (!token) throw new Error(`${path} is not observed`);
      const messageId = ++lastId;
      const notification = { type: 'CON', messageId, token, ...responseOf(content, ++sequence) } as const;
      const { type } = await transmitAndWait(notification, `message ${messageId}`);
      if (type !== 'ACK' && type !== 'RST') throw new Error(`the server replied with ${type}`);
      return type;
    },
    async close() {
      socket.close();
      await once(socket, 'close');
    },
  };
}

function responseOf({ code = codes.content, contentFormat, payload }: Content, observe: number | null) {
  const options = [
    ...(observe === null ? [] : [uintOption(optionNumbers.observe, observe)]),
    uintOption(optionNumbers.contentFormat, contentFormat),
  ];
  return { code, options, payload: Buffer.from(payload) };
}
