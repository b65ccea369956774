import type { Socket } from 'node:net';
import { Crowd, networkOf } from '../../network/index.ts';

export interface SocketLimitsSettings {
  /** Open sockets in total. */
  readonly most: number;
  /** Open sockets from one IPv4 address or one IPv6 /64. A NAT may hide many devices. */
  readonly mostPerNetwork: number;
}

/**
 * Limits the open sockets, in total and for each network. A socket is unproven until its peer has sent its CSM, or over
 * TLS until its certificate was accepted. At a limit, the oldest unproven socket makes room for a newcomer: that of the
 * newcomer's network, or in total that of the network with the most. Without one, the newcomer is refused.
 */
export class SocketLimits {
  readonly #settings: SocketLimitsSettings;
  readonly #sockets = new Map<string, Socket>();
  readonly #countByNetwork = new Map<string, number>();
  readonly #unproven = new Crowd<Socket>();
  readonly #forgetters = new WeakMap<Socket, () => void>();
  /** How many unproven sockets made room, and how many newcomers were refused. */
  evicted = 0;
  refused = 0;

  constructor(settings: SocketLimitsSettings) {
    this.#settings = settings;
  }

  get all(): IterableIterator<Socket> {
    return this.#sockets.values();
  }

  /** Adds a socket until it closes, or destroys it. */
  add(socket: Socket): void {
    // Read now: a closed socket has no address any more.
    const key = keyOf(socket);
    const network = networkOf(socket.remoteAddress ?? '');
    if (!this.#makeRoom(network)) {
      this.refused++;
      socket.destroy();
      return;
    }
    this.#sockets.set(key, socket);
    this.#countByNetwork.set(network, (this.#countByNetwork.get(network) ?? 0) + 1);
    this.#unproven.add(network, socket);
    let counted = true;
    const forget = (): void => {
      if (!counted) return;
      counted = false;
      this.#forget(key, network, socket);
    };
    this.#forgetters.set(socket, forget);
    socket.once('close', forget);
  }

  /** The peer of the socket, or of the TLS socket on it, has proved itself. */
  prove(socket: Socket): void {
    const raw = this.#sockets.get(keyOf(socket));
    if (raw) this.#unproven.remove(networkOf(socket.remoteAddress ?? ''), raw);
  }

  #makeRoom(network: string): boolean {
    if ((this.#countByNetwork.get(network) ?? 0) >= this.#settings.mostPerNetwork) {
      return this.#evict(this.#unproven.oldestOf(network));
    }
    return this.#sockets.size < this.#settings.most || this.#evict(this.#unproven.oldestOfLargest());
  }

  #evict(socket: Socket | undefined): boolean {
    if (!socket) return false;
    this.evicted++;
    // At once: the event `close` comes later, and the newcomer must not count twice meanwhile.
    this.#forgetters.get(socket)?.();
    socket.destroy();
    return true;
  }

  #forget(key: string, network: string, socket: Socket): void {
    if (this.#sockets.get(key) === socket) this.#sockets.delete(key);
    this.#unproven.remove(network, socket);
    const left = (this.#countByNetwork.get(network) ?? 0) - 1;
    if (left > 0) this.#countByNetwork.set(network, left);
    else this.#countByNetwork.delete(network);
  }
}

/** The same for a TLS socket and the socket below it. */
function keyOf({ remoteAddress = '', remotePort = 0, localAddress = '' }: Socket): string {
  return `${remoteAddress}|${remotePort}|${localAddress}`;
}
