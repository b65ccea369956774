import { createSocket, type Socket } from 'node:dgram';
import type { LookupOneOptions } from 'node:dns';
import { isIPv6, type AddressInfo } from 'node:net';
import { CoapError } from './error.ts';
import type { Peer, Transport } from './transport.ts';

export interface UdpBinding {
  /**
   * The IP addresses to listen on, one socket each. On a host with several addresses, name each: see `UdpTransport`.
   */
  readonly hosts: readonly string[];
  /** 0 picks a free port on the first host and uses the same port on the other hosts. */
  readonly port: number;
  /** SO_RCVBUF: how much the kernel buffers while the process is busy. The kernel limits it to its own maximum. */
  readonly receiveBufferBytes?: number;
}

/** A peer and the socket that received its datagram. */
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
 * CoAP over UDP without security (RFC 7252 §4). It answers from the socket that received the request, so that the
 * client gets the response from the address that it sent the request to. With a wildcard host, the kernel's routes
 * choose the source address.
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
        // A datagram from port 0 can't be answered; its source address is forged.
        if (port !== 0) this.#receive(new UdpPeer(address, port, socket), datagram);
      });
      // An ICMP error or a full send buffer affects one datagram, and CoAP retransmits lost datagrams.
      socket.on('error', () => {});
    }
  }

  /** Rejects with CoapError BIND, which names the address, when a socket can't be bound. */
  static async bind({ hosts, port, receiveBufferBytes }: UdpBinding): Promise<UdpTransport> {
    const sockets: Socket[] = [];
    try {
      for (const host of hosts) {
        const ipv6 = isIPv6(host);
        const socket = createSocket({
          type: ipv6 ? 'udp6' : 'udp4',
          // `::` alone also serves IPv4; together with an IPv4 host it must not bind the IPv4 port.
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

  /** The addresses it listens on, in the order of `hosts`. */
  get addresses(): readonly AddressInfo[] {
    return this.#sockets.map((socket) => socket.address());
  }

  send(peer: Peer, datagram: Uint8Array): void {
    if (!this.#open) return;
    const socket = peer instanceof UdpPeer ? peer.socket : this.#socketFor(peer.address);
    try {
      socket?.send(datagram, peer.port, peer.address, ignoreLoss);
    } catch {
      // Node throws for an invalid address or port; CoAP treats the datagram as lost.
    }
  }

  onDatagram(receive: (peer: Peer, datagram: Uint8Array) => void): void {
    this.#receive = receive;
  }

  onPeerGone(): void {
    // UDP has no sessions that could end.
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await Promise.all(this.#sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))));
  }

  /** Finds a socket for a peer from the database that has not sent a datagram yet. */
  #socketFor(address: string): Socket | undefined {
    const family = isIPv6(address) ? 'IPv6' : 'IPv4';
    return this.#sockets.find((socket) => socket.address().family === family);
  }
}

/** The peer at an address, for sending to it before it has sent anything. */
export function udpPeer(address: string, port: number): Peer {
  return { key: udpKey(address, port), address, port, security: null };
}

function udpKey(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function ignoreLoss(): void {}

/** Skips Node's DNS look-up: peers have addresses, and a look-up would delay each datagram by a tick. */
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
