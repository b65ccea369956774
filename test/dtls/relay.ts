import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export type Direction = 'to the server' | 'to the device';

/** Decides whether and when to `deliver` a datagram: once, twice, later or never. */
export type Carriage = (datagram: Buffer, direction: Direction, deliver: () => void) => void;

/** A NAT between one device and the server. It can change the device's port, and lose, duplicate or delay datagrams. */
export class Relay {
  readonly port: number;
  carry: Carriage = (_datagram, _direction, deliver) => deliver();
  readonly #inside: Socket;
  readonly #server: number;
  #outside: Socket;
  #device: { readonly address: string; readonly port: number } | null = null;
  #stopped = false;

  private constructor(inside: Socket, outside: Socket, server: number) {
    this.port = inside.address().port;
    this.#inside = inside;
    this.#outside = outside;
    this.#server = server;
    inside.on('message', (datagram, device) => {
      this.#device = device;
      this.carry(datagram, 'to the server', () => {
        if (!this.#stopped) this.#outside.send(datagram, this.#server, '127.0.0.1');
      });
    });
    this.#listen(outside);
  }

  static async start(server: number): Promise<Relay> {
    const [inside, outside] = [await boundSocket(), await boundSocket()];
    return new Relay(inside, outside, server);
  }

  /** Gives the device another port. Datagrams to the old port are lost. */
  async rebind(): Promise<void> {
    const old = this.#outside;
    this.#outside = await boundSocket();
    this.#listen(this.#outside);
    old.close();
  }

  stop(): void {
    this.#stopped = true;
    this.#inside.close();
    this.#outside.close();
  }

  #listen(outside: Socket): void {
    outside.on('message', (datagram) => {
      const device = this.#device;
      if (device === null) return;
      this.carry(datagram, 'to the device', () => {
        if (!this.#stopped) this.#inside.send(datagram, device.port, device.address);
      });
    });
  }
}

async function boundSocket(): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}
