import { fragmentOf, messageBody } from './messages.ts';
import { CONTENT } from './record.ts';

/** Flights are split so that no datagram is longer, headers of IP and UDP not counted. */
export const MAX_DATAGRAM = 1_200;

/** Handshake record header and fragment header of the unprotected epoch. */
const FRAGMENT_OVERHEAD = 13 + 12;
/** A fragment shorter than this isn't worth its headers; it goes into the next datagram. */
const MIN_FRAGMENT = 64;

const CHANGE_CIPHER_SPEC = Buffer.from([1]);

/** What a flight is made of; it is sealed anew, with fresh sequence numbers, each time it is sent. */
export type FlightPart =
  /** A handshake message with its header. */
  | { readonly kind: 'handshake'; readonly message: Buffer }
  | { readonly kind: 'changeCipherSpec' }
  /** The same in the protected epoch. */
  | { readonly kind: 'finished'; readonly message: Buffer };

export type Flight = readonly FlightPart[];

export interface FlightSealer {
  /** A record of epoch 0; null when no more can be sent in it. */
  plain(type: number, fragment: Buffer): Buffer | null;
  /** The same of epoch 1. */
  sealed(type: number, content: Buffer): Buffer | null;
}

/** The datagrams of a flight. */
export function packFlight(flight: Flight, sealer: FlightSealer): Buffer[] {
  const packing = new Packing();
  for (const part of flight) {
    if (part.kind === 'changeCipherSpec') packing.add(sealer.plain(CONTENT.changeCipherSpec, CHANGE_CIPHER_SPEC));
    else if (part.kind === 'finished') packing.add(sealer.sealed(CONTENT.handshake, part.message));
    else packMessage(part.message, packing, sealer);
  }
  return packing.datagrams();
}

function packMessage(message: Buffer, packing: Packing, sealer: FlightSealer): void {
  const { length } = messageBody(message);
  let offset = 0;
  do {
    const left = length - offset;
    const room = packing.room - FRAGMENT_OVERHEAD;
    const fits = left <= room || room >= MIN_FRAGMENT ? room : MAX_DATAGRAM - FRAGMENT_OVERHEAD;
    const end = offset + Math.min(left, fits);
    const fragment = end - offset === length ? message : fragmentOf(message, offset, end);
    packing.add(sealer.plain(CONTENT.handshake, fragment));
    offset = end;
  } while (offset < length);
}

/** Fills datagrams with records, in order. */
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
