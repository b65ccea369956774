import { createSocket, type Socket } from 'node:dgram';
import type { LookupOneOptions } from 'node:dns';
import { isIPv6, type AddressInfo } from 'node:net';
import { CoapError } from './error.ts';
import type { Peer, Transport } from './transport.ts';

export interface UdpBinding {
  /** IP addresses to listen on; one socket each. On a host with several addresses name them: see below. */
  readonly hosts: readonly string[];
  /** 0 takes a free port, the same on every host when the first one's is free there too. */
  readonly port: number;
  /** SO_RCVBUF, what the kernel holds while we are busy; it cuts a larger wish to its own limit. */
  readonly receiveBufferBytes?: number;
}

/** A peer and the socket it talked to. */
class UdpPeer implements Peer {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly security = null;
  readonly socket: Socket;

  constructor(address: string, port: number, socket: Socket) {
    this.key = udpKey(address, port);
    this.address = address;
    this.port = port;
    this.socket = socket;
  }
}

/**
 * CoAP over UDP without security (RFC 7252 §4). A datagram is answered from the socket that it came in on, so that a
 * client that talked to one of our addresses hears from that address; a wildcard host leaves that choice to the
 * kernel's routes.
 */
export class UdpTransport implements Transport {
  readonly kind = 'udp';
  readonly #sockets: readonly Socket[];
  #receive: (peer: Peer, datagram: Uint8Array) => void = () => {};
  #open = true;

  private constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
    for (const socket of sockets) {
      socket.on('message', (datagram, { address, port }) => {
        // Nothing can be sent to port 0; such a source address is forged.
        if (port !== 0) this.#receive(new UdpPeer(address, port, socket), datagram);
      });
      // An ICMP error or a full send buffer concerns one datagram, and a lost datagram is what CoAP is made for.
      socket.on('error', () => {});
    }
  }

  /** Rejects with CoapError BIND, naming the address, when one of the sockets can't be bound. */
  static async bind({ hosts, port, receiveBufferBytes }: UdpBinding): Promise<UdpTransport> {
    const sockets: Socket[] = [];
    try {
      for (const host of hosts) {
        const ipv6 = isIPv6(host);
        const socket = createSocket({
          type: ipv6 ? 'udp6' : 'udp4',
          // `::` alone serves IPv4 too; beside an IPv4 host it must leave that port to it.
          ipv6Only: ipv6 && hosts.some((other) => !isIPv6(other)),
          lookup: withoutLookup,
          ...(receiveBufferBytes === undefined ? {} : { recvBufferSize: receiveBufferBytes }),
        });
        sockets.push(socket);
        const first = sockets[0];
        await bound(socket, host, port === 0 && first && first !== socket ? first.address().port : port);
      }
    } catch (error) {
      for (const socket of sockets) socket.close();
      throw error;
    }
    if (sockets.length === 0) throw new CoapError('BIND', 'no address to listen on');
    return new UdpTransport(sockets);
  }

  /** Where it listens, in the order of `hosts`. */
  get addresses(): readonly AddressInfo[] {
    return this.#sockets.map((socket) => socket.address());
  }

  send(peer: Peer, datagram: Uint8Array): void {
    if (!this.#open) return;
    const socket = peer instanceof UdpPeer ? peer.socket : this.#socketFor(peer.address);
    try {
      socket?.send(datagram, peer.port, peer.address, ignoreLoss);
    } catch {
      // Node throws for an address or a port that can't be sent to; to CoAP that datagram is lost.
    }
  }

  onDatagram(receive: (peer: Peer, datagram: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onPeerGone(): void {
    // UDP doesn't know.
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await Promise.all(this.#sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  /** For a peer that was read from a database and not heard of yet. */
  #socketFor(address: string): Socket | undefined {
    const family = isIPv6(address) ? 'IPv6' : 'IPv4';
    return this.#sockets.find((socket) => socket.address().family === family);
  }
}

/** The peer at an address, for who wants to talk first. */
export function udpPeer(address: string, port: number): Peer {
  return { key: udpKey(address, port), address, port, security: null };
}

function udpKey(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function ignoreLoss(): void {}

/** Peers have addresses, not names: Node would match each against a pattern, and wait a tick, for each datagram. */
function withoutLookup(
  address: string,
  options: LookupOneOptions | 4 | 6,
  callback: (error: Error | null, address: string, family: number) => void,
): void {
  callback(null, address, typeof options === 'number' ? options : Number(options.family));
}

function bound(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (cause: Error): void => {
      reject(new CoapError('BIND', `can't listen on udp ${udpKey(host, port)}: ${cause.message}`, { cause }));
    };
    socket.once('error', refuse);
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.off('error', refuse);
      resolve();
    });
  });
}
