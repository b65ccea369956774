import { codeClass, codes } from './code.ts';
import type { RecentMessage } from './deduplication.ts';
import type { Code } from './endpoint.ts';
import type { MessageLayer } from './message-layer.ts';
import { copyOf, encode, encodeEmpty, NO_BYTES, type Message, type MessageOption } from './message.ts';
import { roomFor } from './message-limits.ts';
import type { PeerState } from './peer.ts';

/**
 * The response to a peer's request, until it is sent: piggybacked in the acknowledgement, or separate (RFC 7252 §5.2).
 */
export class PendingResponse {
  readonly state: PeerState;
  readonly confirmable: boolean;
  /** RFC 7967 §2: the bits of the response classes to suppress: bit 1 for 2.xx, bit 3 for 4.xx, bit 4 for 5.xx. */
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
    // The token is a view of the datagram, which is reused before the response is sent.
    this.#token = copyOf(message.token);
  }

  /** Sends an empty acknowledgement; the response will follow as a separate message (RFC 7252 §5.2.2). */
  acknowledge(): void {
    if (!this.confirmable || this.#acknowledged || this.settled) return;
    this.#acknowledged = true;
    const datagram = encodeEmpty('ACK', this.#recent.messageId);
    this.#layer.keepReply(this.state, this.#recent, datagram);
    this.#layer.send(this.state, datagram);
  }

  /** See `IncomingRequest.message`. */
  get message(): string | null {
    return this.#layer.nameOf({ token: this.#token, messageId: this.#recent.messageId });
  }

  /** The bytes that a response with these options leaves for a payload and its marker, see `roomFor`. */
  roomFor(options: readonly MessageOption[]): number {
    return roomFor(this.#layer.limitsOf(this.state), this.#token, options);
  }

  /** Sends the response. Throws CoapError INVALID, and sends nothing, when an option can't be encoded. */
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
    if (piggybacked) this.#layer.keepReply(this.state, this.#recent, datagram);
    if (type === 'CON') this.#layer.sendConfirmable(this.state, messageId, datagram, IGNORE_OUTCOME);
    else this.#layer.send(this.state, datagram);
  }

  /** Sends no response. */
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

/** Does nothing when the peer resets a separate response or never acknowledges it: the peer no longer wants it. */
const IGNORE_OUTCOME = { acknowledged: () => {}, reset: () => {}, timedOut: () => {} };
