import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';

/** The end of a tunnel that the device sees: a loopback port where the server seems to be. */
export class NearEnd {
  readonly #socket: Socket;
  #device: RemoteInfo | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Rejects when no port is free. */
  static async open(): Promise<NearEnd> {
    const socket = createSocket('udp4').bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return new NearEnd(socket);
  }

  /** `receive` is given what the device sends. */
  listen(receive: (datagram: Buffer) => void): void {
    this.#socket.on('message', (datagram, from) => {
      this.#device ??= from;
      // Other programs of this machine have no business here.
      if (from.port === this.#device.port) receive(datagram);
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** To the device, once it has said something. */
  send(datagram: Uint8Array): void {
    if (this.#device) this.#socket.send(datagram, this.#device.port, '127.0.0.1');
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}
