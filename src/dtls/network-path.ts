import type { Address } from './address.ts';

/**
 * Protects an address that an attacker put on a device's record from a flood; RFC 9146 §6 leaves this to the
 * application.
 */
const AMPLIFICATION = 3;

/**
 * The address that a session sends to. With a Connection ID, the address changes to the source of the newest record.
 * The new address gets at most three times the bytes that came from it until the device has answered a record sent
 * there.
 *
 * Any newer record counts as the answer, because RFC 9146 has no return routability check. So a device with the keys of
 * its session can direct the data for itself, and nothing else, to an address that is not its own.
 */
export class NetworkPath {
  #address: Address;
  /** The number of bytes that may still be sent; null when the address is verified. */
  #allowance: number | null = null;
  #hasSent = false;

  /** `address`: verified by the handshake. */
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

  /** Called when a record that is newer than all earlier ones came from the current address. */
  received(bytes: number): void {
    if (this.#allowance === null) return;
    this.#allowance = this.#hasSent ? null : this.#allowance + AMPLIFICATION * bytes;
  }

  /** Returns whether a datagram of this length may be sent, and counts it when it may. */
  maySend(bytes: number): boolean {
    if (this.#allowance !== null) {
      if (bytes > this.#allowance) return false;
      this.#allowance -= bytes;
    }
    this.#hasSent = true;
    return true;
  }
}
