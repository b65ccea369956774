import { type Address, addressKey, networkOf } from './address.ts';
import type { Handshake } from './handshake.ts';
import type { DtlsLimits } from './settings.ts';

/** The handshakes in progress, limited in total and for each IPv4 address or IPv6 /64 network. */
export class HandshakeTable {
  readonly #limits: DtlsLimits;
  readonly #byAddress = new Map<string, Handshake>();
  readonly #byCid = new Map<string, Handshake>();
  readonly #countByNetwork = new Map<string, number>();

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

  hasRoomFor(address: Address): boolean {
    const fromNetwork = this.#countByNetwork.get(networkOf(address.address)) ?? 0;
    return this.size < this.#limits.handshakes && fromNetwork < this.#limits.handshakesPerAddress;
  }

  add(handshake: Handshake): void {
    const network = networkOf(handshake.address.address);
    this.#byAddress.set(addressKey(handshake.address), handshake);
    this.#byCid.set(handshake.key, handshake);
    this.#countByNetwork.set(network, (this.#countByNetwork.get(network) ?? 0) + 1);
  }

  remove(handshake: Handshake): void {
    const network = networkOf(handshake.address.address);
    this.#byAddress.delete(addressKey(handshake.address));
    this.#byCid.delete(handshake.key);
    const left = (this.#countByNetwork.get(network) ?? 0) - 1;
    if (left > 0) this.#countByNetwork.set(network, left);
    else this.#countByNetwork.delete(network);
  }
}
