import type { RecentMessage } from './deduplication.ts';
import type { MessageLayer } from './message-layer.ts';
import { encodeEmpty, type Message } from './message.ts';
import type { PeerState } from './peer.ts';

/** A separate response or a notification (CON or NON) until it is acknowledged, rejected or forgotten. */
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

  /** Call it when the content is stored or not needed. */
  acknowledge(): void {
    this.#recent.inProgress = false;
    if (this.#confirmable) this.#reply(encodeEmpty('ACK', this.#recent.messageId));
  }

  /** RFC 7252 §5.4.1: rejects a CON with an unrecognized critical option, ignores a NON. */
  reject(): void {
    this.#recent.inProgress = false;
    if (this.#confirmable) this.#reply(encodeEmpty('RST', this.#recent.messageId));
  }

  /** Sends nothing and removes the record, so that a retransmission counts as a new message. */
  forget(): void {
    this.#state.recent?.forget(this.#recent);
  }

  #reply(datagram: Uint8Array): void {
    this.#layer.keepReply(this.#state, this.#recent, datagram);
    this.#layer.send(this.#state, datagram);
  }
}
