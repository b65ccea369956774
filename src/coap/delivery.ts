import type { RecentMessage } from './deduplication.ts';
import type { MessageLayer } from './message-layer.ts';
import { encodeEmpty, type Message } from './message.ts';
import type { PeerState } from './peer.ts';

/** A response that came in a message of its own, CON or NON, until it is known what to tell the peer of it. */
export class Delivery {
  readonly #layer: MessageLayer;
  readonly #state: PeerState;
  readonly #recent: RecentMessage;
  readonly #confirmable: boolean;

  constructor(layer: MessageLayer, state: PeerState, message: Message, recent: RecentMessage) {
    this.#layer = layer;
    this.#state = state;
    this.#recent = recent;
    this.#confirmable = message.type === 'CON';
  }

  /** What it carried is stored, or not wanted. */
  acknowledge(): void {
    this.#recent.inProgress = false;
    if (this.#confirmable) this.#reply(encodeEmpty('ACK', this.#recent.messageId));
  }

  /** RFC 7252 §5.4.1: a CON with a critical option that isn't understood is rejected, a NON ignored. */
  reject(): void {
    this.#recent.inProgress = false;
    if (this.#confirmable) this.#reply(encodeEmpty('RST', this.#recent.messageId));
  }

  /** Nothing is said and nothing remembered: the peer repeats the message, and then it counts as new. */
  forget(): void {
    this.#state.recent?.forget(this.#recent);
  }

  #reply(datagram: Uint8Array): void {
    this.#state.recent?.keepReply(this.#recent, datagram);
    this.#layer.send(this.#state, datagram);
  }
}
