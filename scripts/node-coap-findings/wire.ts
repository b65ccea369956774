import { createSocket, type Socket } from 'node:dgram';
import coap from 'coap';
import { generate, parse, type Packet, type ParsedPacket } from 'coap-packet';

export const HOST = '127.0.0.1';

export interface Received {
  readonly packet: ParsedPacket;
  /** The port of the sender. */
  readonly port: number;
}

/** The peer of node-coap: a socket that sends the messages of the finding. */
export class Wire {
  /** Receives the messages instead of `next`. */
  onPacket: ((received: Received) => void) | null = null;
  readonly #socket: Socket;
  readonly #received: Received[] = [];
  #waiting: ((received: Received) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('message', (datagram, { port }) => {
      const received = { packet: parse(datagram), port };
      if (this.onPacket) this.onPacket(received);
      else if (this.#waiting) this.#waiting(received);
      else this.#received.push(received);
    });
  }

  static async open(): Promise<Wire> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
    return new Wire(socket);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Resolves with the next message. Rejects when none arrives in that time. */
  next(timeoutMs = 5_000): Promise<Received> {
    const received = this.#received.shift();
    if (received) return Promise.resolve(received);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no message arrived in ${timeoutMs} ms`)), timeoutMs);
      this.#waiting = (next) => {
        clearTimeout(timer);
        this.#waiting = null;
        resolve(next);
      };
    });
  }

  send(packet: Packet | Buffer, port: number): void {
    this.#socket.send(Buffer.isBuffer(packet) ? packet : generate(packet), port, HOST);
  }

  /** Sends a piggybacked response. */
  reply({ packet, port }: Received, reply: Packet): void {
    this.send({ ack: true, messageId: packet.messageId, token: packet.token, ...reply }, port);
  }
}

export async function nodeCoapServer(
  listener: (request: coap.IncomingMessage, response: coap.OutgoingMessage) => void,
): Promise<{ readonly port: number }> {
  const server = coap.createServer({ type: 'udp4' }, listener);
  await new Promise<void>((resolve) => void server.listen(0, HOST, () => resolve()));
  // Only node-coap's socket has its port.
  return { port: (server as unknown as { _sock: Socket })._sock.address().port };
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
