import type { Clock, Timer } from '../clock.ts';
import { append, without } from './list.ts';
import type { TransmissionParameters } from './parameters.ts';
import type { PeerState, PeerTransmission } from './peer.ts';

/** A copy that was sent less than this before a message of the peer may still arrive. */
const HASTE_GAP_MS = 200;

/** The outcome of a confirmable message: exactly one of the three is called, or none after `cancel`. */
export interface TransmissionListener {
  acknowledged(): void;
  reset(): void;
  /** The peer did not acknowledge the message after MAX_RETRANSMIT retransmissions. */
  timedOut(): void;
}

/** What a transmission uses of the message layer. */
export interface TransmissionContext {
  readonly clock: Clock;
  /** 0 ≤ n < 1 */
  readonly random: () => number;
  send(state: PeerState, datagram: Uint8Array): void;
  retransmitted(): void;
}

/**
 * Retransmits one confirmable message until the peer acknowledges or resets it, or the time is over (RFC 7252 §4.2).
 */
export class Transmission implements PeerTransmission {
  state: PeerState;
  readonly messageId: number;
  readonly #context: TransmissionContext;
  readonly #datagram: Uint8Array;
  readonly #listener: TransmissionListener;
  readonly #ackTimeoutMs: number;
  #retransmissionsLeft: number;
  #sentAt: number;
  /** When the last copy was sent by `hasten`. */
  #hastenedAt = Number.NEGATIVE_INFINITY;
  #timeoutMs: number;
  #timer: Timer;

  /** Sends the message immediately. */
  constructor(
    context: TransmissionContext,
    state: PeerState,
    messageId: number,
    datagram: Uint8Array,
    parameters: TransmissionParameters,
    listener: TransmissionListener,
  ) {
    this.#context = context;
    this.state = state;
    this.messageId = messageId;
    this.#datagram = datagram;
    this.#listener = listener;
    this.#ackTimeoutMs = parameters.ackTimeoutMs;
    this.#retransmissionsLeft = parameters.maxRetransmit;
    // RFC 7252 §4.2: the first timeout is between ACK_TIMEOUT and ACK_TIMEOUT × ACK_RANDOM_FACTOR; each retransmission
    // doubles it.
    this.#timeoutMs = parameters.ackTimeoutMs * (1 + context.random() * (parameters.ackRandomFactor - 1));
    this.#timer = context.clock.after(this.#timeoutMs, () => this.#onTimeout());
    state.transmissions = append(state.transmissions, this);
    this.#sentAt = context.clock.now();
    context.send(state, datagram);
  }

  /**
   * Sends a copy now, because the peer has just shown that it is awake. It comes in addition to the retransmissions of
   * RFC 7252 §4.2, at most once in each ACK_TIMEOUT, so that a peer that sends often does not get many copies.
   */
  hasten(): void {
    const now = this.#context.clock.now();
    if (now - this.#sentAt < HASTE_GAP_MS || now - this.#hastenedAt < this.#ackTimeoutMs) return;
    this.#hastenedAt = now;
    this.#sendAgain();
  }

  acknowledge(): void {
    this.cancel();
    this.#listener.acknowledged();
  }

  reset(): void {
    this.cancel();
    this.#listener.reset();
  }

  cancel(): void {
    this.#timer.cancel();
    this.state.transmissions = without(this.state.transmissions, this);
  }

  #onTimeout(): void {
    if (this.#retransmissionsLeft === 0) {
      this.cancel();
      this.#listener.timedOut();
      return;
    }
    this.#retransmissionsLeft--;
    this.#timeoutMs *= 2;
    this.#timer = this.#context.clock.after(this.#timeoutMs, () => this.#onTimeout());
    this.#sendAgain();
  }

  #sendAgain(): void {
    this.#sentAt = this.#context.clock.now();
    this.#context.retransmitted();
    this.#context.send(this.state, this.#datagram);
  }
}
