import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { methodCode } from '../../src/coap/code.ts';
import { codes } from '../../src/coap/index.ts';
import { decode, encode, type Message } from '../../src/coap/message.ts';
import { optionNumbers, stringOption, uintOption } from '../../src/coap/option.ts';
import { freshInstallation, type Installation, runTreeline, type TreelineProcess } from './treeline-process.ts';

const OBSERVED = ['3303', '0', '5700'];

/** A device over plain UDP that notifies more often than any real one, whether the server runs or not. */
class RestlessDevice {
  readonly received: Message[] = [];
  readonly #socket: Socket;
  readonly port: number;
  #messageId = 1;
  #sequence = 10;
  #token: Uint8Array | null = null;
  #heard: () => void = () => {};

  constructor(socket: Socket, port: number) {
    this.#socket = socket;
    this.port = port;
    socket.on('message', (datagram) => this.#receive(datagram));
    socket.on('error', () => {});
  }

  register(): void {
    const query = ['ep=urn:dev:os:restless', 'lt=3600', 'lwm2m=1.1'].map((each) =>
      stringOption(optionNumbers.uriQuery, each),
    );
    this.#send({
      type: 'CON',
      code: methodCode('POST'),
      token: Uint8Array.of(1),
      options: [
        stringOption(optionNumbers.uriPath, 'rd'),
        uintOption(optionNumbers.contentFormat, 40),
        ...query,
      ].toSorted((one, other) => one.number - other.number),
      payload: Buffer.from('</3/0>,</3303/0>'),
    });
  }

  /** Resolves with the first message that matches, also one that was received before. */
  async hears(wanted: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      const found = this.received.find(wanted);
      if (found) return found;
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  notify(): void {
    if (!this.#token) throw new Error('nothing is observed');
    this.#send({
      type: 'CON',
      code: codes.content,
      token: this.#token,
      options: [uintOption(optionNumbers.observe, ++this.#sequence), uintOption(optionNumbers.contentFormat, 0)],
      payload: Buffer.from('21.5'),
    });
  }

  close(): void {
    this.#socket.close();
  }

  #send(message: Omit<Message, 'messageId'>): void {
    this.#messageId = (this.#messageId + 1) & 0xffff;
    this.#socket.send(encode({ ...message, messageId: this.#messageId }), this.port, '127.0.0.1');
  }

  #receive(datagram: Buffer): void {
    const decoded = decode(Buffer.from(datagram));
    if (!decoded.ok) throw new Error('the server sent no CoAP message');
    const { message } = decoded;
    this.received.push(message);
    this.#heard();
    if (message.type !== 'CON' || message.code === 0 || message.code >= 32) return;
    const observes = isObserve(message);
    if (observes) this.#token = Uint8Array.from(message.token);
    const answer = observes
      ? {
          code: codes.content,
          options: [uintOption(optionNumbers.observe, 10), uintOption(optionNumbers.contentFormat, 0)],
          payload: Buffer.from('20.5'),
        }
      : {
          code: message.code === methodCode('GET') ? codes.notFound : codes.changed,
          options: [],
          payload: new Uint8Array(),
        };
    const { messageId, token } = message;
    this.#socket.send(encode({ type: 'ACK', messageId, token, ...answer }), this.port, '127.0.0.1');
  }
}

function isObserve({ code, options }: Message): boolean {
  const path = options
    .filter(({ number }) => number === optionNumbers.uriPath)
    .map(({ value }) => String(Buffer.from(value)));
  return code === methodCode('GET') && path.join('/') === OBSERVED.join('/');
}

describe('a device that notifies during a restart of the server', () => {
  let installation: Installation;
  let treeline: TreelineProcess;
  let device: RestlessDevice;

  beforeAll(async () => {
    installation = await freshInstallation();
    treeline = await runTreeline(installation.settings);
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    device = new RestlessDevice(socket, treeline.coap.port);
  });

  afterAll(async () => {
    device?.close();
    await treeline?.stop();
    await installation?.drop();
  });

  it('gets no Reset, and its observation goes on without a new request', async () => {
    device.register();
    await device.hears(isObserve);
    device.notify();
    await device.hears(({ type, code }) => type === 'ACK' && code === 0);
    device.received.length = 0;

    const notifying = setInterval(() => device.notify(), 2);
    try {
      expect(await treeline.stop()).toBe(0);
      device.received.length = 0;
      treeline = await runTreeline({ ...installation.settings, TREELINE_COAP_PORT: String(device.port) });
      await device.hears(({ type, code }) => type === 'ACK' && code === 0);
    } finally {
      clearInterval(notifying);
    }
    const { query } = treeline;
    const { devices } = await query<{ devices: { nodes: { observations: unknown[] }[] } }>(
      '{ devices { nodes { observations { paths } } } }',
    );
    expect(devices.nodes).toMatchObject([{ observations: expect.arrayContaining([{ paths: ['/3303/0/5700'] }]) }]);
    expect(device.received.filter(({ type }) => type === 'RST')).toEqual([]);
    expect(device.received.filter(isObserve)).toEqual([]);
  });
});
