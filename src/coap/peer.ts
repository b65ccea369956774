import type { RecentMessages } from './deduplication.ts';
import type { CoapError } from './error.ts';
import { NONE } from './list.ts';
import type { Peer } from './transport.ts';

/** A client request or an observation. It belongs to a peer and follows it to a new address (`movePeer`). */
export interface PeerActivity {
  state: PeerState;
  /** The peer's session ended, or the endpoint closes. */
  end(error: CoapError): void;
}

/** A request that waits until fewer than NSTART interactions are outstanding (RFC 7252 §4.7). */
export interface WaitingRequest extends PeerActivity {
  /** Called when the request may be sent. It counts as outstanding until `endInteraction`. */
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
  /** Sends the message again now, see `Transmission.hasten`. */
  hasten(): void;
  /** Stops the retransmissions without calling the listener. */
  cancel(): void;
}

/** The body of a block-wise transfer that is kept for a peer. */
export interface PeerBody {
  /** Frees the body, to make room or because it is too old. */
  drop(): void;
}

/** The state of one peer. It is kept small, because there may be a million peers. */
export class PeerState {
  peer: Peer;
  nextMessageId: number;
  touchedAt: number;
  /** False for a stranger: without security, and no response has shown yet that the peer receives at its address. */
  proven: boolean;
  recent: RecentMessages | null = null;
  /** The number of the peer's requests that a handler is processing. */
  answering = 0;
  /** Bodies of block-wise transfers in both directions. The one idle for longest is first. */
  bodies: PeerBody[] = NONE;
  /** The number of outstanding interactions, at most NSTART (RFC 7252 §4.7). */
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
    this.proven = peer.security !== null;
  }

  /** RFC 7252 §4.4: each message to the peer gets the next message ID. */
  takeMessageId(): number {
    const messageId = this.nextMessageId;
    this.nextMessageId = (messageId + 1) & 0xffff;
    return messageId;
  }

  /** True while the peer has requests, observations or transfers: then it is not idle. */
  get held(): boolean {
    return this.busy || this.bodies.length > 0;
  }

  /** True while the peer has requests or observations: then the table must not drop it. */
  get busy(): boolean {
    return (
      this.answering > 0 || this.requests.length > 0 || this.observations.length > 0 || this.transmissions.length > 0
    );
  }
}
