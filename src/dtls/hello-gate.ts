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
  parseHelloStart,
  type HelloStart,
} from './messages.ts';
import type { Counters } from './metrics.ts';
import type { Random } from './random.ts';
import { CONTENT, type DtlsRecord, encodeRecord, MAX_SEQUENCE, VERSION_DTLS10 } from './record.ts';
import { UnfinishedHellos } from './unfinished-hellos.ts';

/**
 * The server continues from the ClientHello's sequence number (RFC 6347 §4.2.1). Above this limit, too few numbers
 * remain for a handshake.
 */
const LAST_SEQUENCE = MAX_SEQUENCE - 2 ** 20;

/** A ClientHello in its own buffer. */
export interface Hello {
  /** The message with its header. */
  readonly message: Buffer;
  /** A view of `message`. */
  readonly hello: ClientHello;
  readonly messageSequence: number;
  readonly recordSequence: number;
}

/**
 * Accepts a ClientHello only from a client that can receive at its address, and keeps no state per client before it has
 * shown that (RFC 6347 §4.2.1).
 */
export class HelloGate {
  readonly #cookies: Cookies;
  readonly #unfinished: UnfinishedHellos;
  readonly #counters: Counters;
  readonly #transmit: (to: Address, datagram: Buffer) => void;

  constructor(clock: Clock, random: Random, counters: Counters, transmit: (to: Address, datagram: Buffer) => void) {
    this.#cookies = new Cookies(clock, random);
    this.#unfinished = new UnfinishedHellos(clock);
    this.#counters = counters;
    this.#transmit = transmit;
  }

  /**
   * Returns the ClientHello when its cookie is valid and the message is complete. Sends a HelloVerifyRequest with a
   * cookie in answer to a ClientHello, or the first fragment of one, without a valid cookie.
   */
  admit(from: Address, record: DtlsRecord, fragment: HandshakeFragment): Hello | null {
    if (record.sequence > LAST_SEQUENCE) {
      this.#counters.dropped('malformed');
      return null;
    }
    if (!isWhole(fragment)) return this.#admitFragment(from, record, fragment);
    const message = encodeFragment(fragment);
    const hello = this.#parse(() => parseClientHello(messageBody(message)));
    if (hello === null || !this.#isVerified(from, record, hello)) return null;
    return { message, hello, messageSequence: fragment.sequence, recordSequence: record.sequence };
  }

  #admitFragment(from: Address, record: DtlsRecord, fragment: HandshakeFragment): Hello | null {
    if (fragment.offset === 0) {
      const start = this.#parse(() => parseHelloStart(fragment.body));
      if (start === null || !this.#isVerified(from, record, start)) return null;
      if (!this.#unfinished.begin(from, fragment, start.random)) this.#counters.dropped('fragmented_hello');
      return null;
    }
    const message = this.#unfinished.add(from, fragment);
    if (message === 'unknown') this.#counters.dropped('fragmented_hello');
    if (typeof message === 'string') return null;
    const hello = this.#parse(() => parseClientHello(messageBody(message)));
    if (hello === null) return null;
    return { message, hello, messageSequence: fragment.sequence, recordSequence: record.sequence };
  }

  /** Sends a cookie when the client has not proved its address with one. */
  #isVerified(from: Address, record: DtlsRecord, hello: HelloStart): boolean {
    if (this.#cookies.accepts(from, hello)) {
      this.#counters.cookiesAccepted++;
      return true;
    }
    if (hello.cookie.length > 0) this.#counters.cookiesRefused++;
    this.#sendCookie(from, record, hello);
    return false;
  }

  #parse<T>(read: () => T): T | null {
    try {
      return read();
    } catch {
      this.#counters.dropped('malformed');
      return null;
    }
  }

  /**
   * HelloVerifyRequest has version 1.0 and the ClientHello's sequence number (RFC 6347 §4.2.1). It is shorter than any
   * ClientHello.
   */
  #sendCookie(from: Address, record: DtlsRecord, hello: HelloStart): void {
    this.#counters.cookiesSent++;
    const body = encodeHelloVerifyRequest(VERSION_DTLS10, this.#cookies.make(from, hello));
    const message = encodeMessage(HANDSHAKE.helloVerifyRequest, 0, body);
    const header = { type: CONTENT.handshake, epoch: 0, sequence: record.sequence, cid: null };
    this.#transmit(from, encodeRecord(header, message, VERSION_DTLS10));
  }
}
