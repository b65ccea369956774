import { createSocket } from 'node:dgram';
import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';

/** The device's end of a tunnel: a loopback port that stands for the server. */
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

  /** Calls `receive` for each datagram of the device. */
  listen(receive: (datagram: Buffer) => void): void {
    this.#socket.on('message', (datagram, from) => {
      this.#device ??= from;
      // Ignores datagrams of other programs on this machine.
      if (from.port === this.#device.port) receive(datagram);
    });
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** Sends to the device; drops the datagram before the device has sent one. */
  send(datagram: Uint8Array): void {
    if (this.#device) this.#socket.send(datagram, this.#device.port, '127.0.0.1');
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }
}
