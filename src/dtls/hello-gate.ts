import type { Clock } from '../clock.ts';
import type { Address } from './address.ts';
import { Cookies } from './cookie.ts';
import {
  type ClientHello,
  encodeFragment,
  encodeHelloVerifyRequest,
  encodeMessage,
  HANDSHAKE,
  type HandshakeFragment,
  isWhole,
  messageBody,
  parseClientHello,
} from './messages.ts';
import type { Counters } from './metrics.ts';
import type { Random } from './random.ts';
import { CONTENT, type DtlsRecord, encodeRecord, MAX_SEQUENCE, VERSION_DTLS10 } from './record.ts';

/** Our numbers go on from the ClientHello's (RFC 6347 §4.2.1): one that leaves no room for a handshake is nobody's. */
const LAST_SEQUENCE = MAX_SEQUENCE - 2 ** 20;

/** A ClientHello in a buffer of its own. */
export interface Hello {
  /** With its header. */
  readonly message: Buffer;
  /** A view of `message`. */
  readonly hello: ClientHello;
  readonly messageSequence: number;
  readonly recordSequence: number;
}

/** Lets in who can receive at its address, and remembers nobody: RFC 6347 §4.2.1. */
export class HelloGate {
  readonly #cookies: Cookies;
  readonly #counters: Counters;
  readonly #transmit: (to: Address, datagram: Buffer) => void;

  constructor(clock: Clock, random: Random, counters: Counters, transmit: (to: Address, datagram: Buffer) => void) {
    this.#cookies = new Cookies(clock, random);
    this.#counters = counters;
    this.#transmit = transmit;
  }

  /** The ClientHello when it brings a cookie of ours. One without gets its cookie and is forgotten. */
  admit(from: Address, record: DtlsRecord, fragment: HandshakeFragment): Hello | null {
    if (record.sequence > LAST_SEQUENCE) {
      this.#counters.dropped('malformed');
      return null;
    }
    // To put one together would take memory for whoever asks.
    if (!isWhole(fragment)) {
      this.#counters.dropped('fragmented_hello');
      return null;
    }
    const message = encodeFragment(fragment);
    const hello = this.#parse(message);
    if (hello === null) return null;
    if (!this.#cookies.accepts(from, hello)) {
      if (hello.cookie.length > 0) this.#counters.cookiesRefused++;
      this.#sendCookie(from, record, hello);
      return null;
    }
    this.#counters.cookiesAccepted++;
    return { message, hello, messageSequence: fragment.sequence, recordSequence: record.sequence };
  }

  #parse(message: Buffer): ClientHello | null {
    try {
      return parseClientHello(messageBody(message));
    } catch {
      this.#counters.dropped('malformed');
      return null;
    }
  }

  /** Of version 1.0 whatever comes, and with the ClientHello's own sequence number. It is shorter than any ClientHello. */
  #sendCookie(from: Address, record: DtlsRecord, hello: ClientHello): void {
    this.#counters.cookiesSent++;
    const body = encodeHelloVerifyRequest(VERSION_DTLS10, this.#cookies.make(from, hello));
    const message = encodeMessage(HANDSHAKE.helloVerifyRequest, 0, body);
    const header = { type: CONTENT.handshake, epoch: 0, sequence: record.sequence, cid: null };
    this.#transmit(from, encodeRecord(header, message, VERSION_DTLS10));
  }
}
