import { fragmentOf, messageBody } from './messages.ts';
import { CONTENT } from './record.ts';

/** The longest datagram of a flight, without IP and UDP headers. */
export const MAX_DATAGRAM = 1_200;

const FRAGMENT_HEADER = 12;
/** The record header and the handshake fragment header in epoch 0. */
const FRAGMENT_OVERHEAD = 13 + FRAGMENT_HEADER;
/** A shorter fragment is not worth its headers, so it goes into the next datagram. */
const MIN_FRAGMENT = 64;

const CHANGE_CIPHER_SPEC = Buffer.from([1]);

/** One part of a flight. Each transmission seals it again with new sequence numbers. */
export type FlightPart =
  /** A handshake message with its header. */
  | { readonly kind: 'handshake'; readonly message: Buffer }
  | { readonly kind: 'changeCipherSpec' }
  /** A handshake message in the protected epoch 1. */
  | { readonly kind: 'finished'; readonly message: Buffer };

export type Flight = readonly FlightPart[];

export interface FlightSealer {
  /** Returns a record of epoch 0; null when its sequence numbers are used up. */
  plain(type: number, fragment: Buffer): Buffer | null;
  /** Returns a record of epoch 1; null when no record can be sealed. */
  sealed(type: number, content: Buffer): Buffer | null;
}

/** Returns the datagrams of a flight. `maxFragment`: the longest plaintext of a record in bytes (RFC 6066 §4). */
export function packFlight(flight: Flight, sealer: FlightSealer, maxFragment: number): Buffer[] {
  const packing = new Packing();
  for (const part of flight) {
    if (part.kind === 'changeCipherSpec') packing.add(sealer.plain(CONTENT.changeCipherSpec, CHANGE_CIPHER_SPEC));
    else if (part.kind === 'finished') packing.add(sealer.sealed(CONTENT.handshake, part.message));
    else packMessage(part.message, packing, sealer, maxFragment - FRAGMENT_HEADER);
  }
  return packing.datagrams();
}

function packMessage(message: Buffer, packing: Packing, sealer: FlightSealer, longest: number): void {
  const { length } = messageBody(message);
  let offset = 0;
  do {
    const left = length - offset;
    const room = packing.room - FRAGMENT_OVERHEAD;
    const fits = left <= room || room >= MIN_FRAGMENT ? room : MAX_DATAGRAM - FRAGMENT_OVERHEAD;
    const end = offset + Math.min(left, fits, longest);
    const fragment = end - offset === length ? message : fragmentOf(message, offset, end);
    packing.add(sealer.plain(CONTENT.handshake, fragment));
    offset = end;
  } while (offset < length);
}

/** Packs records into datagrams, in order. */
class Packing {
  readonly #full: Buffer[] = [];
  #records: Buffer[] = [];
  #length = 0;

  get room(): number {
    return MAX_DATAGRAM - this.#length;
  }

  add(record: Buffer | null): void {
    if (record === null) return;
    if (record.length > this.room) this.#flush();
    this.#records.push(record);
    this.#length += record.length;
  }

  datagrams(): Buffer[] {
    this.#flush();
    return this.#full;
  }

  #flush(): void {
    const [first] = this.#records;
    if (first !== undefined) this.#full.push(this.#records.length === 1 ? first : Buffer.concat(this.#records));
    this.#records = [];
    this.#length = 0;
  }
}
