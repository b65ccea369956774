import { createSocket, type Socket } from 'node:dgram';
import { generate, parse, type ParsedPacket } from 'coap-packet';

const HOST = '127.0.0.1';
const LINKS = '</>;rt="oma.lwm2m";ct="110 112",</1/0>,</3/0>,</3303/0>';
const TEMPERATURE = '3303/0/5700';
/** RFC 7252 §4.8: a message without an acknowledgement is retransmitted after this time. */
const AGAIN_MS = 2_000;
const TRIES = 8;
/** The token of all requests of the device, which sends one at a time. */
const REQUEST = 1;

/** A device with the functions that the load needs: register, be observed, update and notify. */
export class LoadDevice {
  readonly #endpoint: string;
  readonly #socket: Socket;
  readonly #waiting = new Map<number, (packet: ParsedPacket) => void>();
  #messageId = Math.floor(Math.random() * 0xffff);
  #location: readonly string[] = [];
  #observation: Buffer | null = null;
  #observed: () => void = () => {};
  #sequence = 1;

  constructor(endpoint: string, socket: Socket) {
    this.#endpoint = endpoint;
    this.#socket = socket;
    socket.on('message', (datagram) => this.#receive(parse(datagram)));
  }

  static async open(endpoint: string, port: number): Promise<LoadDevice> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.connect(port, HOST, resolve));
    return new LoadDevice(endpoint, socket);
  }

  /** Registers, and resolves when the server observes the temperature. */
  async register(): Promise<void> {
    const observed = new Promise<void>((resolve) => (this.#observed = resolve));
    const answer = await this.#ask('0.02', ['rd'], [`ep=${this.#endpoint}`, 'lt=86400', 'lwm2m=1.1', 'b=U'], LINKS);
    const segments = (answer.options ?? []).filter(({ name }) => name === 'Location-Path');
    this.#location = segments.map(({ value }) => String(value));
    await observed;
  }

  async update(): Promise<void> {
    await this.#ask('0.02', this.#location, [], '');
  }

  /** Sends a confirmable notification; the server acknowledges it after it has stored the reading. */
  async notify(celsius: number): Promise<void> {
    if (this.#observation === null) throw new Error('the server has not started an observation');
    this.#sequence++;
    await this.#exchange({ code: '2.05', token: this.#observation, ...this.#content(celsius) });
  }

  close(): void {
    this.#socket.close();
  }

  #ask(code: string, path: readonly string[], query: readonly string[], payload: string): Promise<ParsedPacket> {
    const options = [
      ...path.map((segment) => ({ name: 'Uri-Path', value: Buffer.from(segment) })),
      ...(payload === '' ? [] : [{ name: 'Content-Format', value: Buffer.from([40]) }]),
      ...query.map((text) => ({ name: 'Uri-Query', value: Buffer.from(text) })),
    ];
    const token = Buffer.from([REQUEST]);
    return this.#exchange({ code, token, options, payload: Buffer.from(payload) });
  }

  /** Sends a message again until it is acknowledged. */
  #exchange(
    packet: Pick<ParsedPacket, 'code' | 'token'> & { readonly [field: string]: unknown },
  ): Promise<ParsedPacket> {
    const messageId = (this.#messageId = (this.#messageId + 1) & 0xffff);
    const datagram = generate({ ...packet, messageId, confirmable: true });
    return new Promise((resolve, reject) => {
      let tries = 0;
      const send = (): void => {
        tries++;
        if (tries > TRIES) reject(new Error(`${this.#endpoint} got no answer`));
        else this.#socket.send(datagram);
      };
      const timer = setInterval(send, AGAIN_MS);
      this.#waiting.set(messageId, (answer) => {
        clearInterval(timer);
        // RFC 7252 §5.2.2: the response is separate.
        if (packet.token[0] === REQUEST && answer.ack && answer.code === '0.00') return;
        this.#waiting.delete(messageId);
        if (answer.reset || answer.code.startsWith('4') || answer.code.startsWith('5')) {
          reject(new Error(`${this.#endpoint}: ${answer.code} ${answer.payload.toString()}`));
        } else resolve(answer);
      });
      send();
    });
  }

  #receive(packet: ParsedPacket): void {
    if (packet.ack || packet.reset) {
      this.#waiting.get(packet.messageId)?.(packet);
      return;
    }
    if (!packet.code.startsWith('0')) {
      this.#socket.send(generate({ ack: true, messageId: packet.messageId }));
      for (const [, heard] of this.#waiting) heard(packet);
      return;
    }
    const path = packet.options.filter(({ name }) => name === 'Uri-Path').map(({ value }) => String(value));
    const answer = { ack: true, messageId: packet.messageId, token: packet.token };
    if (path.join('/') !== TEMPERATURE) {
      this.#socket.send(generate({ ...answer, code: '4.04' }));
      return;
    }
    this.#observation = packet.token;
    this.#socket.send(generate({ ...answer, code: '2.05', ...this.#content(20) }));
    this.#observed();
  }

  #content(celsius: number): object {
    const observe = Buffer.alloc(3);
    observe.writeUIntBE(this.#sequence, 0, 3);
    const options = [
      { name: 'Observe', value: observe },
      { name: 'Content-Format', value: Buffer.alloc(0) },
    ];
    return { options, payload: Buffer.from(celsius.toFixed(2)) };
  }
}
