import { codeClass, codes } from './code.ts';
import type { RecentMessage } from './deduplication.ts';
import type { Code } from './endpoint.ts';
import type { MessageLayer } from './message-layer.ts';
import { copyOf, encode, encodeEmpty, NO_BYTES, type Message, type MessageOption } from './message.ts';
import type { PeerState } from './peer.ts';

/** A request of a peer until it is answered: in the acknowledgement, or, when that can't wait, after it (RFC 7252 §5.2). */
export class PendingResponse {
  readonly state: PeerState;
  readonly confirmable: boolean;
  /** RFC 7967 §2: bit 1 no 2.xx, bit 3 no 4.xx, bit 4 no 5.xx. */
  noResponse = 0;
  readonly #layer: MessageLayer;
  readonly #recent: RecentMessage;
  readonly #token: Uint8Array;
  #acknowledged = false;

  constructor(layer: MessageLayer, state: PeerState, message: Message, recent: RecentMessage) {
    this.#layer = layer;
    this.state = state;
    this.confirmable = message.type === 'CON';
    this.#recent = recent;
    // The datagram it is a view of is gone by the time of the answer.
    this.#token = copyOf(message.token);
  }

  /** Says that the request arrived and that its response will come in a message of its own. */
  acknowledge(): void {
    if (!this.confirmable || this.#acknowledged || this.settled) return;
    this.#acknowledged = true;
    const datagram = encodeEmpty('ACK', this.#recent.messageId);
    this.state.recent?.keepReply(this.#recent, datagram);
    this.#layer.send(this.state, datagram);
  }

  /** Throws CoapError INVALID, with nothing sent, when an option can't be encoded. */
  respond(code: Code, options: readonly MessageOption[] = [], payload: Uint8Array = NO_BYTES): void {
    const suppressed = (this.noResponse & (1 << (codeClass(code) - 1))) !== 0 && code !== codes.continue;
    if (suppressed) {
      this.acknowledge();
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

  get settled(): boolean {
    return !this.#recent.inProgress;
  }

  #settle(): void {
    this.#recent.inProgress = false;
  }
}

/** A separate response that the peer resets or never acknowledges is one that it has no use for. */
const UNHEEDED = { acknowledged: () => {}, reset: () => {}, timedOut: () => {} };
