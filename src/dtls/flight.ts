import { encodeFragment, type HandshakeFragment } from './messages.ts';
import { CONTENT } from './record.ts';

/** Flights are split so that no datagram is longer, headers of IP and UDP not counted. */
export const MAX_DATAGRAM = 1_200;

/** Handshake record header and fragment header of the unprotected epoch. */
const FRAGMENT_OVERHEAD = 13 + 12;
/** A fragment shorter than this isn't worth its headers; it goes into the next datagram. */
const MIN_FRAGMENT = 64;

/** What a flight is made of; it is sealed anew, with fresh sequence numbers, each time it is sent. */
export type FlightPart =
  | { readonly kind: 'handshake'; readonly type: number; readonly sequence: number; readonly body: Buffer }
  | { readonly kind: 'changeCipherSpec' }
  /** A handshake message of the protected epoch, with its header. */
  | { readonly kind: 'finished'; readonly message: Buffer };

export type Flight = readonly FlightPart[];

export interface FlightSealer {
  /** A record of epoch 0. */
  plain(type: number, fragment: Buffer): Buffer;
  /** A record of epoch 1; null when no more can be sent in it. */
  sealed(type: number, content: Buffer): Buffer | null;
}

/** The datagrams of a flight. */
export function packFlight(flight: Flight, sealer: FlightSealer): Buffer[] {
  const packing = new Packing();
  for (const part of flight) {
    if (part.kind === 'changeCipherSpec') packing.add(sealer.plain(CONTENT.changeCipherSpec, Buffer.from([1])));
    else if (part.kind === 'finished') {
      const record = sealer.sealed(CONTENT.handshake, part.message);
      if (record !== null) packing.add(record);
    } else packMessage(part, packing, sealer);
  }
  return packing.datagrams();
}

function packMessage(part: Extract<FlightPart, { kind: 'handshake' }>, packing: Packing, sealer: FlightSealer): void {
  const { type, sequence, body } = part;
  let offset = 0;
  do {
    const left = body.length - offset;
    const room = packing.room - FRAGMENT_OVERHEAD;
    const fits = left <= room || room >= MIN_FRAGMENT ? room : MAX_DATAGRAM - FRAGMENT_OVERHEAD;
    const piece = body.subarray(offset, offset + Math.min(left, fits));
    const fragment: HandshakeFragment = { type, length: body.length, sequence, offset, body: piece };
    packing.add(sealer.plain(CONTENT.handshake, encodeFragment(fragment)));
    offset += piece.length;
  } while (offset < body.length);
}

/** Fills datagrams with records, in order. */
class Packing {
  readonly #full: Buffer[] = [];
  #records: Buffer[] = [];
  #length = 0;

  get room(): number {
    return MAX_DATAGRAM - this.#length;
  }

  add(record: Buffer): void {
    if (record.length > this.room) this.#flush();
    this.#records.push(record);
    this.#length += record.length;
  }

  datagrams(): Buffer[] {
    this.#flush();
    return this.#full;
  }

  #flush(): void {
    if (this.#records.length > 0) this.#full.push(Buffer.concat(this.#records));
    this.#records = [];
    this.#length = 0;
  }
}
