import type { Clock, Timer } from '../clock.ts';
import type { Channel } from './channel.ts';
import { type Flight, packFlight } from './flight.ts';
import { encodeRecord, MAX_SEQUENCE } from './record.ts';

/** RFC 6347 §4.2.4.1: one second, doubled each time, never more than sixty. */
const FIRST_TIMEOUT_MS = 1_000;
const LONGEST_TIMEOUT_MS = 60_000;
const TRIES = 6;

/** A repeated message of the peer brings the flight again, but no oftener and no more often than this. */
const RESEND_INTERVAL_MS = 200;
const RESENDS = 12;

/** Sends the server's flights of one handshake, and sends the last one again while the peer seems not to have it. */
export class FlightSender {
  readonly #clock: Clock;
  readonly #transmit: (datagram: Buffer) => void;
  #channel: Channel | null = null;
  #nextSequence: number;
  #flight: Flight = [];
  #timer: Timer | null = null;
  #sentAt = 0;
  #resends = 0;

  /** `firstSequence`: RFC 6347 §4.2.1 has the ServerHello take the record sequence number of the ClientHello. */
  constructor(clock: Clock, firstSequence: number, transmit: (datagram: Buffer) => void) {
    this.#clock = clock;
    this.#nextSequence = firstSequence;
    this.#transmit = transmit;
  }

  /** Gives the keys that protected parts of later flights are sealed with. */
  protect(channel: Channel): void {
    this.#channel = channel;
  }

  /** A flight that the peer answers is repeated by a timer; the final one is not (RFC 6347 §4.2.4). */
  send(flight: Flight, answered: 'answered' | 'final'): void {
    this.stop();
    this.#flight = flight;
    this.#resends = 0;
    this.#transmitFlight();
    if (answered === 'answered') this.#repeatAfter(FIRST_TIMEOUT_MS, TRIES - 1);
  }

  /** The peer repeated what it sent before our flight. */
  resend(): void {
    if (this.#resends >= RESENDS || this.#clock.now() - this.#sentAt < RESEND_INTERVAL_MS) return;
    this.#resends++;
    this.#transmitFlight();
  }

  /** One record outside any flight. */
  sendPlain(type: number, fragment: Buffer): void {
    const record = this.#plain(type, fragment);
    if (record !== null) this.#transmit(record);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #repeatAfter(ms: number, triesLeft: number): void {
    if (triesLeft === 0) return;
    this.#timer = this.#clock.after(ms, () => {
      this.#transmitFlight();
      this.#repeatAfter(Math.min(2 * ms, LONGEST_TIMEOUT_MS), triesLeft - 1);
    });
  }

  #transmitFlight(): void {
    this.#sentAt = this.#clock.now();
    const sealer = {
      plain: (type: number, fragment: Buffer) => this.#plain(type, fragment),
      sealed: (type: number, content: Buffer) => this.#channel?.seal(type, content) ?? null,
    };
    for (const datagram of packFlight(this.#flight, sealer)) this.#transmit(datagram);
  }

  /** Null once the sequence numbers are used up: RFC 6347 §4.1 doesn't let them wrap. */
  #plain(type: number, fragment: Buffer): Buffer | null {
    if (this.#nextSequence > MAX_SEQUENCE) return null;
    return encodeRecord({ type, epoch: 0, sequence: this.#nextSequence++, cid: null }, fragment);
  }
}
