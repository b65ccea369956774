import { Crowd, networkOf } from '../network/index.ts';
import { type Address, addressKey } from './address.ts';
import type { Handshake } from './handshake.ts';
import type { DtlsLimits } from './settings.ts';

/** The handshakes in progress, limited in total and for each IPv4 address or IPv6 /64 network. */
export class HandshakeTable {
  readonly #limits: DtlsLimits;
  readonly #byAddress = new Map<string, Handshake>();
  readonly #byCid = new Map<string, Handshake>();
  readonly #crowd = new Crowd<Handshake>();

  constructor(limits: DtlsLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#byAddress.size;
  }

  at(address: Address): Handshake | undefined {
    return this.#byAddress.get(addressKey(address));
  }

  withCid(cid: string): Handshake | undefined {
    return this.#byCid.get(cid);
  }

  all(): Handshake[] {
    return [...this.#byAddress.values()];
  }

  /**
   * The handshake that must end before one from this address begins; null when there is room. At the limit of a network,
   * it is the oldest handshake of this network. At the total limit, it is the oldest one of the network with the most
   * handshakes. Peers in a handshake have proved only their address, so none of them has a better right to the place.
   */
  inTheWayOf(address: Address): Handshake | null {
    const network = networkOf(address.address);
    if (this.#crowd.count(network) >= this.#limits.handshakesPerAddress) return this.#crowd.oldestOf(network) ?? null;
    if (this.size >= this.#limits.handshakes) return this.#crowd.oldestOfLargest() ?? null;
    return null;
  }

  add(handshake: Handshake): void {
    this.#byAddress.set(addressKey(handshake.address), handshake);
    this.#byCid.set(handshake.key, handshake);
    this.#crowd.add(networkOf(handshake.address.address), handshake);
  }

  remove(handshake: Handshake): void {
    this.#byAddress.delete(addressKey(handshake.address));
    this.#byCid.delete(handshake.key);
    this.#crowd.remove(networkOf(handshake.address.address), handshake);
  }
}
