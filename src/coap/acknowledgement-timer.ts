import type { Timer } from '../clock.ts';
import type { PendingResponse } from './pending-response.ts';
import type { MessageLayer } from './message-layer.ts';

/**
 * Sends an empty acknowledgement when a response takes too long, so that the peer does not retransmit its request
 * (RFC 7252 §5.2.2). All pending responses share one timer: most are sent at once, and a timer each would cost more than
 * they do.
 */
export class AcknowledgementTimer {
  readonly #messages: MessageLayer;
  readonly #ends = new Map<PendingResponse, number>();
  #timer: Timer | null = null;
  #timerEnds = Infinity;

  constructor(messages: MessageLayer) {
    this.#messages = messages;
  }

  begin(pending: PendingResponse): void {
    // Half of ACK_TIMEOUT; the other half is for the round trip.
    const end = this.#messages.clock.now() + this.#messages.parametersOf(pending.state).ackTimeoutMs / 2;
    this.#ends.set(pending, end);
    if (end < this.#timerEnds) this.#arm(end);
  }

  end(pending: PendingResponse): void {
    this.#ends.delete(pending);
  }

  close(): void {
    this.#timer?.cancel();
    this.#ends.clear();
  }

  #arm(end: number): void {
    this.#timer?.cancel();
    this.#timerEnds = end;
    this.#timer = this.#messages.clock.after(end - this.#messages.clock.now(), () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timerEnds = Infinity;
    const now = this.#messages.clock.now();
    let next = Infinity;
    for (const [pending, end] of this.#ends) {
      if (end > now) next = Math.min(next, end);
      else {
        this.#ends.delete(pending);
        pending.acknowledge();
      }
    }
    if (next < Infinity) this.#arm(next);
  }
}
