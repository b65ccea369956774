import type { Clock } from '../clock.ts';
import { ByteBudget } from './budget.ts';
import { RecentMessages, type RecentMessage } from './deduplication.ts';
import type { CoapLimits } from './limits.ts';
import type { Message } from './message.ts';
import { Counters } from './metrics.ts';
import type { TransmissionParameters } from './parameters.ts';
import type { PeerState, PeerTransmission } from './peer.ts';
import { PeerTable } from './peers.ts';
import { Transmission, type TransmissionContext, type TransmissionListener } from './transmission.ts';
import type { Peer, Transport } from './transport.ts';

export interface MessageLayerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly parameters: (peer: Peer) => TransmissionParameters;
  readonly limits: CoapLimits;
  /** EXCHANGE_LIFETIME of most peers: how long an idle one is remembered. */
  readonly idlePeerMs: number;
}

/** RFC 7252 §4: peers and what messages they were sent and sent us, without a thought for requests and responses. */
export class MessageLayer implements TransmissionContext {
  readonly clock: Clock;
  readonly random: () => number;
  readonly peers: PeerTable;
  readonly counters = new Counters();
  readonly replies: ByteBudget;
  readonly #transport: Transport;
  readonly #parameters: (peer: Peer) => TransmissionParameters;
  readonly #recentPerPeer: number;

  constructor({ transport, clock, random, parameters, limits, idlePeerMs }: MessageLayerOptions) {
    this.#transport = transport;
    this.clock = clock;
    this.random = random;
    this.#parameters = parameters;
    this.#recentPerPeer = limits.recentMessagesPerPeer;
    this.replies = new ByteBudget(limits.replyBytes);
    // RFC 7252 §4.4: the first message id should be random.
    this.peers = new PeerTable(limits.peers, idlePeerMs, () => Math.floor(random() * 0x1_0000));
  }

  parametersOf(state: PeerState): TransmissionParameters {
    return this.#parameters(state.peer);
  }

  send(state: PeerState, datagram: Uint8Array): void {
    this.sendTo(state.peer, datagram);
  }

  sendTo(peer: Peer, datagram: Uint8Array): void {
    this.counters.sent++;
    this.#transport.send(peer, datagram);
  }

  retransmitted(): void {
    this.counters.retransmissions++;
  }

  sendConfirmable(
    state: PeerState,
    messageId: number,
    datagram: Uint8Array,
    listener: TransmissionListener,
  ): Transmission {
    return new Transmission(this, state, messageId, datagram, this.parametersOf(state), listener);
  }

  transmissionOf(state: PeerState, messageId: number): PeerTransmission | undefined {
    return state.transmissions.find((transmission) => transmission.messageId === messageId);
  }

  /**
   * Takes note of a CON or NON. Null when it needs no further attention: it is a duplicate, and was answered as the
   * first copy was, or there is no room to remember it.
   */
  begin(state: PeerState, message: Message): RecentMessage | null {
    const now = this.clock.now();
    state.recent ??= new RecentMessages(this.#recentPerPeer, this.replies);
    const duplicate = state.recent.find(message.messageId, now);
    if (duplicate) {
      this.counters.duplicates++;
      // RFC 7252 §4.5: acknowledge each copy of a confirmable message, act on one; ignore copies of the others.
      if (duplicate.reply && message.type === 'CON') this.send(state, duplicate.reply);
      return null;
    }
    const { exchangeLifetimeMs, nonLifetimeMs } = this.parametersOf(state);
    const recent = state.recent.begin(
      message.messageId,
      now,
      message.type === 'CON' ? exchangeLifetimeMs : nonLifetimeMs,
    );
    if (!recent) this.counters.dropped.full++;
    return recent;
  }
}
