import type { Address } from './address.ts';

/** RFC 9146 §6 leaves it to us not to flood an address that someone else put on a device's record. */
const AMPLIFICATION = 3;

/**
 * Where a session's records go. A Connection ID lets it move to where its newest record came from; until the device has
 * answered something that was sent there, the new address gets at most three times the bytes that came from it. The
 * answer is any newer record, for RFC 9146 has no return routability check: a device that holds the keys of its session
 * can forge one too, and so direct what is sent to itself, and nothing else, at an address that is not its own.
 */
export class NetworkPath {
  #address: Address;
  /** Bytes that may still be sent; null when the address is proven. */
  #allowance: number | null = null;
  #hasSent = false;

  /** `address` is proven by the handshake. */
  constructor(address: Address) {
    this.#address = address;
  }

  get address(): Address {
    return this.#address;
  }

  get isProven(): boolean {
    return this.#allowance === null;
  }

  moveTo(address: Address): void {
    this.#address = address;
    this.#allowance = 0;
    this.#hasSent = false;
  }

  /** A record newer than all before came from the current address. */
  received(bytes: number): void {
    if (this.#allowance === null) return;
    this.#allowance = this.#hasSent ? null : this.#allowance + AMPLIFICATION * bytes;
  }

  /** Whether a datagram of so many bytes may go out; counts it when it may. */
  maySend(bytes: number): boolean {
    if (this.#allowance !== null) {
      if (bytes > this.#allowance) return false;
      this.#allowance -= bytes;
    }
    this.#hasSent = true;
    return true;
  }
}
