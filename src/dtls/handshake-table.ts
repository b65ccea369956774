import { type Address, addressKey } from './address.ts';
import type { Handshake } from './handshake.ts';
import type { DtlsLimits } from './settings.ts';

/** The handshakes under way, bounded in total and for each IP address. */
export class HandshakeTable {
  readonly #limits: DtlsLimits;
  readonly #byAddress = new Map<string, Handshake>();
  readonly #byCid = new Map<string, Handshake>();
  readonly #countByHost = new Map<string, number>();

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
    const fromHost = this.#countByHost.get(address.address) ?? 0;
    return this.size < this.#limits.handshakes && fromHost < this.#limits.handshakesPerAddress;
  }

  add(handshake: Handshake): void {
    const host = handshake.address.address;
    this.#byAddress.set(addressKey(handshake.address), handshake);
    this.#byCid.set(handshake.key, handshake);
    this.#countByHost.set(host, (this.#countByHost.get(host) ?? 0) + 1);
  }

  remove(handshake: Handshake): void {
    const host = handshake.address.address;
    this.#byAddress.delete(addressKey(handshake.address));
    this.#byCid.delete(handshake.key);
    const left = (this.#countByHost.get(host) ?? 0) - 1;
    if (left > 0) this.#countByHost.set(host, left);
    else this.#countByHost.delete(host);
  }
}
