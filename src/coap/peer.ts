import type { RecentMessages } from './deduplication.ts';
import type { CoapError } from './error.ts';
import { NONE } from './list.ts';
import type { Peer } from './transport.ts';

/** What belongs to a peer and goes with it when it moves: a client request or an observation. */
export interface PeerActivity {
  state: PeerState;
  /** The peer's session ended, or the endpoint closes. */
  end(error: CoapError): void;
}

/** One who waits for the peer's turn (RFC 7252 §4.7). */
export interface WaitingRequest extends PeerActivity {
  start(): void;
}

/** A confirmable message to the peer that is not acknowledged yet (RFC 7252 §4.2). */
export interface PeerTransmission {
  state: PeerState;
  readonly messageId: number;
  /** The peer acknowledged the message. */
  acknowledge(): void;
  /** The peer rejected the message with a Reset. */
  reset(): void;
  /** Stops the retransmissions without calling the listener. */
  cancel(): void;
}

/** A body held for a peer. */
export interface PeerBody {
  /** Lets go of it, to make room or because it is too old. */
  drop(): void;
}

/** What is known of one remote end while there is something to know. Kept small: there may be a million. */
export class PeerState {
  peer: Peer;
  nextMessageId: number;
  touchedAt: number;
  recent: RecentMessages | null = null;
  /** Requests of the peer that a handler is at. */
  answering = 0;
  /** Bodies on their way, block by block, whatever their direction: the one that waits longest first. */
  bodies: PeerBody[] = NONE;
  /** Outstanding interactions, at most NSTART. */
  outstanding = 0;
  waiting: WaitingRequest[] = NONE;
  requests: PeerActivity[] = NONE;
  observations: PeerActivity[] = NONE;
  transmissions: PeerTransmission[] = NONE;
  older: PeerState | null = null;
  newer: PeerState | null = null;

  constructor(peer: Peer, firstMessageId: number, now: number) {
    this.peer = peer;
    this.nextMessageId = firstMessageId;
    this.touchedAt = now;
  }

  /** RFC 7252 §4.4: each message to the peer has the next id. */
  takeMessageId(): number {
    const messageId = this.nextMessageId;
    this.nextMessageId = (messageId + 1) & 0xffff;
    return messageId;
  }

  /** While something is under way, or observed, the peer can't be forgotten. */
  get held(): boolean {
    return (
      this.answering > 0 ||
      this.bodies.length > 0 ||
      this.requests.length > 0 ||
      this.observations.length > 0 ||
      this.transmissions.length > 0
    );
  }
}
