import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { systemClock, type Clock } from '../../clock.ts';
import { CoapError } from '../error.ts';
import type { Peer, SecurityIdentity, Transport } from '../transport.ts';
import { Connection } from './connection.ts';
import { createTlsServer, type Identify, type TlsSettings } from './tls.ts';

export type { TlsSettings } from './tls.ts';

export interface TcpBinding {
  /** IP addresses to listen on. */
  readonly hosts: readonly string[];
  /** 0 takes a free port. */
  readonly port: number;
  readonly clock?: Clock;
  /** Open connections at most; one more is refused. Default 100,000. */
  readonly connections?: number;
  /** Absent: without security. */
  readonly tls?: TlsSettings;
}

const MOST_CONNECTIONS = 100_000;
/** How long a peer may take to go when all is closed. */
const CLOSE_MS = 1_000;
/** After a look-up that failed: an outage this short ends no connection. */
const SECOND_TRY_MS = 1_000;

/**
 * CoAP over TCP and over TLS (RFC 8323), as a transport of datagrams: the same engine serves it. A connection is a peer;
 * when it closes the peer is gone for good, and a device that connects again registers or updates.
 */
export class TcpTransport implements Transport {
  readonly kind: 'tcp' | 'tls';
  readonly #servers: Server[] = [];
  /** All that the servers accepted, in a TLS handshake too. */
  readonly #sockets = new Set<Socket>();
  readonly #connections = new Map<string, Connection>();
  /** Over TLS: whom its certificates make a connection's peer today. */
  readonly #identities = new Map<Connection, Identify>();
  readonly #clock: Clock;
  readonly #most: number;
  readonly #tls: TlsSettings | null;
  #count = 0;
  /** How often credentials or certificates were revoked. */
  #revocations = 0;
  #closing = false;
  #receive: (peer: Peer, datagram: Uint8Array) => void = () => {};
  #gone: (peer: Peer) => void = () => {};

  private constructor({ clock = systemClock, connections = MOST_CONNECTIONS, tls }: TcpBinding) {
    this.kind = tls ? 'tls' : 'tcp';
    this.#clock = clock;
    this.#most = connections;
    this.#tls = tls ?? null;
  }

  /** Rejects with CoapError BIND, naming the address. */
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

  /** Where it listens, in the order of `hosts`. */
  get addresses(): readonly AddressInfo[] {
    return this.#servers.map((server) => server.address()).filter((one) => typeof one === 'object' && one !== null);
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

  /** Ends the connections that a credential opened, when it is revoked or rotated. */
  endSessions(credential: string): void {
    this.#revocations++;
    for (const connection of this.#connections.values()) {
      if (connection.peer.security?.credential === credential) void connection.close();
    }
  }

  /**
   * Ends the connections whose certificates no longer count, one after the other; those whose can't be looked up when a
   * second try fails too.
   */
  async recheckCertificates(): Promise<void> {
    this.#revocations++;
    const failed: Connection[] = [];
    await this.#recheck([...this.#identities.keys()], (connection) => failed.push(connection));
    if (failed.length === 0) return;
    await new Promise<void>((resolve) => this.#clock.after(SECOND_TRY_MS, resolve));
    await this.#recheck(failed, (connection) => void connection.close());
  }

  /** Peers that don't go in time are left. */
  async close(): Promise<void> {
    this.#closing = true;
    const closed = this.#servers.map((server) => new Promise((resolve) => server.close(resolve)));
    for (const connection of this.#connections.values()) void connection.close();
    const late = this.#clock.after(CLOSE_MS, () => this.#sockets.forEach((socket) => socket.destroy()));
    // A server is closed when the last of its sockets is.
    await Promise.all(closed);
    late.cancel();
  }

  async #recheck(connections: readonly Connection[], onFailure: (connection: Connection) => void): Promise<void> {
    for (const connection of connections) {
      const identify = this.#identities.get(connection);
      // It has gone meanwhile.
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
      : createServer((socket) => this.#accept(socket, null));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    server.maxConnections = this.#most;
    // `::` alone serves IPv4 too; beside another host it must leave that to it.
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
      // What was looked up may have been revoked meanwhile.
      if (revocationsBefore !== this.#revocations) continue;
      if (this.#closing || socket.destroyed) break;
      this.#identities.set(this.#accept(socket, security), identify);
      return;
    }
    socket.destroy();
  }

  #accept(socket: Socket, security: SecurityIdentity | null): Connection {
    // The address alone could come back with another connection: a key is never used again.
    const key = `${this.kind} ${++this.#count} ${socket.remoteAddress ?? ''} ${socket.remotePort ?? 0}`;
    const connection = new Connection(socket, key, security, this.#clock, {
      received: (peer, datagram) => this.#receive(peer, datagram),
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
