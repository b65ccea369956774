import type { Clock, Timer } from '../clock.ts';
import type { Channel } from './channel.ts';
import { type Flight, packFlight } from './flight.ts';
import { encodeRecord, MAX_PLAINTEXT, MAX_SEQUENCE } from './record.ts';

/** RFC 6347 §4.2.4.1: one second, doubled at each retransmission, at most sixty seconds. */
const FIRST_TIMEOUT_MS = 1_000;
const LONGEST_TIMEOUT_MS = 60_000;
const TRIES = 6;

/**
 * A repeated message of the peer causes a retransmission: at most one per interval, and at most `RESENDS` per flight.
 */
const RESEND_INTERVAL_MS = 200;
const RESENDS = 12;

/** Sends the server's flights of one handshake and retransmits the last one (RFC 6347 §4.2.4). */
export class FlightSender {
  readonly #clock: Clock;
  readonly #maxFragment: number;
  readonly #transmit: (datagram: Buffer) => void;
  #channel: Channel | null = null;
  #nextSequence: number;
  #flight: Flight = [];
  #timer: Timer | null = null;
  #sentAt = 0;
  #resends = 0;

  /**
   * `firstSequence`: the ServerHello uses the record sequence number of the ClientHello (RFC 6347 §4.2.1).
   * `maxFragment`: the longest plaintext of a record in bytes.
   */
  constructor(
    clock: Clock,
    firstSequence: number,
    transmit: (datagram: Buffer) => void,
    maxFragment: number = MAX_PLAINTEXT,
  ) {
    this.#maxFragment = maxFragment;
    this.#clock = clock;
    this.#nextSequence = firstSequence;
    this.#transmit = transmit;
  }

  /** Sets the channel that protects the Finished of later flights. */
  protect(channel: Channel): void {
    this.#channel = channel;
  }

  /** A timer retransmits a flight that the peer answers, but not the final flight (RFC 6347 §4.2.4). */
  send(flight: Flight, answered: 'answered' | 'final'): void {
    this.stop();
    this.#flight = flight;
    this.#resends = 0;
    this.#transmitFlight();
    if (answered === 'answered') this.#repeatAfter(FIRST_TIMEOUT_MS, TRIES - 1);
  }

  /** Called when the peer repeats its previous flight. */
  resend(): void {
    if (this.#resends >= RESENDS || this.#clock.now() - this.#sentAt < RESEND_INTERVAL_MS) return;
    this.#resends++;
    this.#transmitFlight();
  }

  /** Sends one record that is not part of a flight. */
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
    for (const datagram of packFlight(this.#flight, sealer, this.#maxFragment)) this.#transmit(datagram);
  }

  /** Returns null when the sequence numbers are used up: they must not wrap (RFC 6347 §4.1). */
  #plain(type: number, fragment: Buffer): Buffer | null {
    if (this.#nextSequence > MAX_SEQUENCE) return null;
    return encodeRecord({ type, epoch: 0, sequence: this.#nextSequence++, cid: null }, fragment);
  }
}
