import type { Clock } from '../clock.ts';

/** MAX_TRANSMIT_WAIT (RFC 7252 §4.8.2): after it, no acknowledgement is expected. */
const MAX_TRANSMIT_WAIT_MS = 93_000;
/** The types of messages, in the first byte of a datagram (RFC 7252 §3). */
const [CONFIRMABLE, ACKNOWLEDGEMENT] = [0, 2];

/** The confirmable messages that were sent and are not acknowledged or reset yet. */
export class Unacknowledged {
  readonly #clock: Clock;
  /** When each was sent first, by message id. */
  readonly #sentAt = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    const oldest = this.#clock.now() - MAX_TRANSMIT_WAIT_MS;
    for (const [id, at] of this.#sentAt) if (at <= oldest) this.#sentAt.delete(id);
    return this.#sentAt.size;
  }

  /** Records a datagram that is sent; retransmissions change nothing. */
  sent(datagram: unknown): void {
    if (!Buffer.isBuffer(datagram) || datagram.length < 4 || typeOf(datagram) !== CONFIRMABLE) return;
    const id = datagram.readUInt16BE(2);
    if (!this.#sentAt.has(id)) this.#sentAt.set(id, this.#clock.now());
  }

  /** Records a datagram of the server: an acknowledgement or a reset. */
  received(datagram: Buffer): void {
    if (datagram.length >= 4 && typeOf(datagram) >= ACKNOWLEDGEMENT) this.#sentAt.delete(datagram.readUInt16BE(2));
  }
}

function typeOf(datagram: Buffer): number {
  return ((datagram[0] ?? 0) >> 4) & 3;
}
