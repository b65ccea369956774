import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { systemClock, type Clock } from '../../clock.ts';
import { CoapError } from '../error.ts';
import type { Peer, Transport } from '../transport.ts';
import { Connection } from './connection.ts';

export interface TcpBinding {
  /** IP addresses to listen on. */
  readonly hosts: readonly string[];
  /** 0 takes a free port. */
  readonly port: number;
  readonly clock?: Clock;
  /** Open connections at most; one more is refused. Default 100,000. */
  readonly connections?: number;
}

const MOST_CONNECTIONS = 100_000;

/**
 * CoAP over TCP without security (RFC 8323), as a transport of datagrams: the same engine serves it. A connection is a
 * peer; when it closes the peer is gone for good, and a device that connects again registers or updates.
 */
export class TcpTransport implements Transport {
  readonly kind = 'tcp';
  readonly #servers: Server[] = [];
  readonly #connections = new Map<string, Connection>();
  readonly #clock: Clock;
  readonly #most: number;
  #count = 0;
  #receive: (peer: Peer, datagram: Uint8Array) => void = () => {};
  #gone: (peer: Peer) => void = () => {};

  private constructor({ clock = systemClock, connections = MOST_CONNECTIONS }: TcpBinding) {
    this.#clock = clock;
    this.#most = connections;
  }

  /** Rejects with CoapError BIND, naming the address. */
  static async bind(binding: TcpBinding): Promise<TcpTransport> {
    const transport = new TcpTransport(binding);
    for (const host of binding.hosts) {
      const first = transport.#servers[0]?.address();
      const port = binding.port === 0 && first && typeof first === 'object' ? first.port : binding.port;
      try {
        await transport.#listen(host, port);
      } catch (cause) {
        await transport.close();
        const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
        throw new CoapError('BIND', `can't listen on ${host} port ${port} (TCP): ${reason}`, { cause });
      }
    }
    return transport;
  }

  /** Where it listens, in the order of `hosts`. */
  get addresses(): readonly AddressInfo[] {
    return this.#servers
      .map((server) => server.address())
      .filter((address) => typeof address === 'object' && address !== null);
  }

  get connections(): number {
    return this.#connections.size;
  }

  send(peer: Peer, datagram: Uint8Array): void {
    this.#connections.get(peer.key)?.send(datagram);
  }

  onDatagram(receive: (peer: Peer, datagram: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onPeerGone(gone: (peer: Peer) => void): void {
    this.#gone = gone;
  }

  async close(): Promise<void> {
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
    await Promise.all(closed);
  }

  #listen(host: string, port: number): Promise<void> {
    const server = createServer((socket) => this.#accept(socket));
    server.maxConnections = this.#most;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, () => {
        server.off('error', reject);
        server.on('error', () => {});
        this.#servers.push(server);
        resolve();
      });
    });
  }

  #accept(socket: Socket): void {
    // The address alone could come back with another connection: a key is never used again.
    const key = `tcp ${++this.#count} ${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
    const connection = new Connection(socket, key, null, this.#clock, {
      received: (peer, datagram) => this.#receive(peer, datagram),
      gone: ({ peer }) => {
        this.#connections.delete(peer.key);
        this.#gone(peer);
      },
    });
    this.#connections.set(key, connection);
  }
}
