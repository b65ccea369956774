import type { Timer } from '../clock.ts';
import { codeClass, codes } from './code.ts';
import type { RecentMessage } from './deduplication.ts';
import type { Code } from './endpoint.ts';
import type { MessageLayer } from './message-layer.ts';
import { encode, encodeEmpty, NO_BYTES, type Message, type MessageOption } from './message.ts';
import type { PeerState } from './peer.ts';

/** A request of a peer until it is answered: in the acknowledgement, or, when that can't wait, after it (RFC 7252 §5.2). */
export class Answer {
  readonly state: PeerState;
  readonly confirmable: boolean;
  /** RFC 7967 §2: bit 1 no 2.xx, bit 3 no 4.xx, bit 4 no 5.xx. */
  noResponse = 0;
  readonly #layer: MessageLayer;
  readonly #recent: RecentMessage;
  readonly #token: Uint8Array;
  #timer: Timer | null = null;
  #acknowledged = false;

  constructor(layer: MessageLayer, state: PeerState, message: Message, recent: RecentMessage) {
    this.#layer = layer;
    this.state = state;
    this.confirmable = message.type === 'CON';
    this.#recent = recent;
    // The datagram it is a view of is gone by the time of the answer.
    this.#token = message.token.length > 0 ? message.token.slice() : NO_BYTES;
  }

  /** A handler is at it: if that takes long, the peer must not send the request again and again. */
  takesTime(): void {
    if (!this.confirmable) return;
    // Half of ACK_TIMEOUT leaves the other half for the way there and back.
    const { ackTimeoutMs } = this.#layer.parametersOf(this.state);
    this.#timer = this.#layer.clock.after(ackTimeoutMs / 2, () => this.#acknowledge());
  }

  /** Throws CoapError INVALID, with nothing sent, when an option can't be encoded. */
  respond(code: Code, options: readonly MessageOption[] = [], payload: Uint8Array = NO_BYTES): void {
    const suppressed = (this.noResponse & (1 << (codeClass(code) - 1))) !== 0 && code !== codes.continue;
    if (suppressed) {
      if (!this.#acknowledged) this.#acknowledge();
      this.#settle();
      return;
    }
    const piggybacked = this.confirmable && !this.#acknowledged;
    const messageId = piggybacked ? this.#recent.messageId : this.state.takeMessageId();
    const type = piggybacked ? 'ACK' : this.confirmable ? 'CON' : 'NON';
    const datagram = encode({ type, code, messageId, token: this.#token, options, payload });
    this.#settle();
    if (piggybacked) this.state.recent?.keepReply(this.#recent, datagram);
    if (type === 'CON') this.#layer.sendConfirmable(this.state, messageId, datagram, UNHEEDED);
    else this.#layer.send(this.state, datagram);
  }

  /** The request is not answered at all. */
  ignore(): void {
    this.#settle();
  }

  #acknowledge(): void {
    if (!this.confirmable) return;
    this.#acknowledged = true;
    const datagram = encodeEmpty('ACK', this.#recent.messageId);
    this.state.recent?.keepReply(this.#recent, datagram);
    this.#layer.send(this.state, datagram);
  }

  get settled(): boolean {
    return !this.#recent.inProgress;
  }

  #settle(): void {
    this.#timer?.cancel();
    this.#recent.inProgress = false;
  }
}

/** A separate response that the peer resets or never acknowledges is one that it has no use for. */
const UNHEEDED = { acknowledged: () => {}, reset: () => {}, timedOut: () => {} };
