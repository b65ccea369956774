import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { systemClock, type Clock } from '../../clock.ts';
import { CoapError } from '../error.ts';
import { UNLIMITED, type MessageLimits, type Peer, type SecurityIdentity, type Transport } from '../transport.ts';
import { Connection } from './connection.ts';
import { SocketLimits } from './socket-limits.ts';
import { createTlsServer, type Identify, type TlsSettings } from './tls.ts';

export type { TlsSettings } from './tls.ts';

export interface TcpBinding {
  /** The IP addresses to listen on. */
  readonly hosts: readonly string[];
  /** 0 picks a free port. */
  readonly port: number;
  readonly clock?: Clock;
  /** The maximum number of open connections, see `SocketLimits`. Default 100,000. */
  readonly connections?: number;
  /** The maximum from one IPv4 address or IPv6 /64. Default 1,000. */
  readonly connectionsPerAddress?: number;
  /** Absent: TCP without security. */
  readonly tls?: TlsSettings;
}

/** Open connections, and since the start how many were closed for a newcomer or refused at a limit. */
export interface TcpMetrics {
  readonly connections: number;
  readonly evicted: number;
  readonly refused: number;
}

const MOST_CONNECTIONS = 100_000;
const MOST_PER_ADDRESS = 1_000;
/** How long `close` waits for peers to close their connections. */
const CLOSE_MS = 1_000;
/** When to repeat a look-up that failed, so that a short outage does not end a connection. */
const SECOND_TRY_MS = 1_000;

/**
 * CoAP over TCP and over TLS (RFC 8323), presented as a transport of datagrams to the same engine. Each connection is a
 * peer, which is gone when the connection closes; a device that connects again registers or updates.
 */
export class TcpTransport implements Transport {
  readonly kind: 'tcp' | 'tls';
  readonly #servers: Server[] = [];
  /** All accepted sockets, including those in a TLS handshake. */
  readonly #sockets: SocketLimits;
  readonly #connections = new Map<string, Connection>();
  /** Over TLS: how to look up the client of a connection again. */
  readonly #identities = new Map<Connection, Identify>();
  readonly #clock: Clock;
  readonly #tls: TlsSettings | null;
  #count = 0;
  /** How many times credentials or certificates were revoked. */
  #revocations = 0;
  #closing = false;
  #receive: (peer: Peer, datagram: Uint8Array) => void = () => {};
  #gone: (peer: Peer) => void = () => {};

  private constructor({
    clock = systemClock,
    connections = MOST_CONNECTIONS,
    connectionsPerAddress = MOST_PER_ADDRESS,
    tls,
  }: TcpBinding) {
    this.kind = tls ? 'tls' : 'tcp';
    this.#clock = clock;
    this.#sockets = new SocketLimits({ most: connections, mostPerNetwork: connectionsPerAddress });
    this.#tls = tls ?? null;
  }

  /** Rejects with CoapError BIND, which names the address. */
  static async bind(binding: TcpBinding): Promise<TcpTransport> {
    const transport = new TcpTransport(binding);
    for (const host of binding.hosts) {
      const port = binding.port === 0 ? (transport.addresses[0]?.port ?? 0) : binding.port;
      try {
        await transport.#listen(host, port, binding.hosts);
      } catch (cause) {
        await transport.close();
        const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
        throw new CoapError('BIND', `can't listen on ${host} port ${port} (TCP): ${reason}`, { cause });
      }
    }
    return transport;
  }

  /** The addresses it listens on, in the order of `hosts`. */
  get addresses(): readonly AddressInfo[] {
    return this.#servers.map((server) => server.address()).filter((one) => typeof one === 'object' && one !== null);
  }

  get metrics(): TcpMetrics {
    return { connections: this.connections, evicted: this.#sockets.evicted, refused: this.#sockets.refused };
  }

  get connections(): number {
    return this.#connections.size;
  }

  reaches(peer: Peer): boolean {
    return this.#connections.get(peer.key)?.isOpen ?? false;
  }

  limitsOf(peer: Peer): MessageLimits {
    return this.#connections.get(peer.key)?.limits ?? UNLIMITED;
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

  /** Closes the connections of a credential that was revoked or rotated. */
  endSessions(credential: string): void {
    this.#revocations++;
    for (const connection of this.#connections.values()) {
      if (connection.peer.security?.credential === credential) void connection.close();
    }
  }

  /**
   * Looks up the clients again, one after the other, and closes the connections whose certificates are no longer valid.
   * A connection whose look-up fails twice is closed too.
   */
  async recheckCertificates(): Promise<void> {
    this.#revocations++;
    const failed: Connection[] = [];
    await this.#recheck([...this.#identities.keys()], (connection) => failed.push(connection));
    if (failed.length === 0) return;
    await new Promise<void>((resolve) => this.#clock.after(SECOND_TRY_MS, resolve));
    await this.#recheck(failed, (connection) => void connection.close());
  }

  /** Destroys the connections that the peers do not close in time. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const connection of this.#connections.values()) void connection.close();
    const late = this.#clock.after(CLOSE_MS, () => {
      for (const socket of this.#sockets.all) socket.destroy();
    });
    // A server closes when its last socket has closed.
    await Promise.all(closed);
    late.cancel();
  }

  async #recheck(connections: readonly Connection[], onFailure: (connection: Connection) => void): Promise<void> {
    for (const connection of connections) {
      const identify = this.#identities.get(connection);
      // The connection has closed meanwhile.
      if (!identify) continue;
      try {
        const today = await identify();
        if (today?.credential !== connection.peer.security?.credential) void connection.close();
      } catch {
        onFailure(connection);
      }
    }
  }

  #listen(host: string, port: number, hosts: readonly string[]): Promise<void> {
    const server = this.#tls
      ? createTlsServer(this.#tls, this.#clock, (socket, identify) => void this.#admit(socket, identify))
      : createServer((socket) => {
          if (!socket.destroyed) this.#accept(socket, null);
        });
    // Before the server's own listener, which starts TLS or the connection.
    server.prependListener('connection', (socket: Socket) => this.#sockets.add(socket));
    // `::` alone also serves IPv4; together with another host it must not bind the IPv4 port.
    const ipv6Only = host.includes(':') && hosts.length > 1;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, ipv6Only, exclusive: true }, () => {
        server.off('error', reject);
        server.on('error', () => {});
        this.#servers.push(server);
        resolve();
      });
    });
  }

  async #admit(socket: TLSSocket, identify: Identify): Promise<void> {
    while (!this.#closing && !socket.destroyed) {
      const revocationsBefore = this.#revocations;
      const security = await identify().catch(() => null);
      if (!security) break;
      // The credential may have been revoked during the look-up: look up again.
      if (revocationsBefore !== this.#revocations) continue;
      if (this.#closing || socket.destroyed) break;
      this.#sockets.prove(socket);
      this.#identities.set(this.#accept(socket, security), identify);
      return;
    }
    socket.destroy();
  }

  #accept(socket: Socket, security: SecurityIdentity | null): Connection {
    // A key is never reused: another connection could have the same address and port.
    const key = `${this.kind} ${++this.#count} ${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
    const connection = new Connection(socket, key, security, this.#clock, {
      received: (peer, datagram) => this.#receive(peer, datagram),
      introduced: () => this.#sockets.prove(socket),
      gone: (gone) => {
        this.#connections.delete(gone.peer.key);
        this.#identities.delete(gone);
        this.#gone(gone.peer);
      },
    });
    this.#connections.set(key, connection);
    return connection;
  }
}
