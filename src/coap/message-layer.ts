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
import { UNLIMITED, type MessageLimits, type Peer, type Transport } from './transport.ts';

/** How many strangers are removed for one reply. */
const REPLY_TRIES = 16;

export interface MessageLayerOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: () => number;
  readonly parameters: (peer: Peer) => TransmissionParameters;
  readonly limits: CoapLimits;
  /** How long an idle peer is kept: the EXCHANGE_LIFETIME of most peers. */
  readonly idlePeerMs: number;
}

/**
 * The message layer of RFC 7252 §4: sends, retransmits and de-duplicates messages. It knows no requests or responses.
 */
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
    // RFC 7252 §4.4: the first message ID should be random.
    this.peers = new PeerTable(limits, idlePeerMs, () => Math.floor(random() * 0x1_0000));
  }

  parametersOf(state: PeerState): TransmissionParameters {
    return this.#parameters(state.peer);
  }

  /** See `IncomingRequest.message`. */
  nameOf({ token, messageId }: Pick<Message, 'token' | 'messageId'>): string | null {
    const { kind } = this.#transport;
    return kind === 'udp' || kind === 'dtls' ? `${Buffer.from(token).toString('hex')}/${messageId}` : null;
  }

  /** False when the transport can't send to the peer, see `Transport.reaches`. */
  reaches({ peer }: PeerState): boolean {
    return this.#transport.reaches?.(peer) ?? true;
  }

  limitsOf({ peer }: PeerState): MessageLimits {
    return this.#transport.limitsOf?.(peer) ?? UNLIMITED;
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

  /** Keeps a reply for duplicates. When its memory is used up, strangers are removed to make room. */
  keepReply(state: PeerState, message: RecentMessage, reply: Uint8Array): void {
    for (let tries = 0; tries < REPLY_TRIES; tries++) {
      if (state.recent?.keepReply(message, reply) ?? true) return;
      if (!this.peers.dropStranger(state)) return;
    }
  }

  transmissionOf(state: PeerState, messageId: number): PeerTransmission | undefined {
    return state.transmissions.find((transmission) => transmission.messageId === messageId);
  }

  /**
   * Records a CON or NON that was received. Null when the caller must not process it: it is a duplicate, which gets the
   * reply to the first copy, or there is no room to record it.
   */
  begin(state: PeerState, message: Message): RecentMessage | null {
    const now = this.clock.now();
    state.recent ??= new RecentMessages(this.#recentPerPeer, this.replies);
    const duplicate = state.recent.find(message.messageId, now);
    if (duplicate) {
      this.counters.duplicates++;
      // RFC 7252 §4.5: acknowledge each copy of a CON but process only one; ignore further copies of a NON.
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
