/** Why a datagram was dropped. */
export type DropReason =
  /** It is not a valid CoAP message. A confirmable one was rejected with a Reset. */
  | 'malformed'
  /** The code is not allowed in a message of this type. */
  | 'unexpected'
  /** It is an acknowledgement, a Reset or a response without a matching message or request. */
  | 'unmatched'
  /** It is a response with a known token, but from an address that did not get the request. */
  | 'strange peer'
  /** It is a non-confirmable request with an unrecognized critical option. */
  | 'critical option'
  /** A limit was reached: known peers, messages in progress per peer, or messages held during the start. */
  | 'full'
  /** It is a request that arrived while the endpoint closes. */
  | 'closing';

/** Counters since the start, and current values. */
export interface CoapMetrics {
  readonly received: number;
  readonly sent: number;
  readonly retransmissions: number;
  readonly duplicates: number;
  /** Notifications that were older than an accepted one (RFC 7641 §3.4). */
  readonly staleNotifications: number;
  /** Failures of handlers: the request was answered 5.00, or the notification was not acknowledged. */
  readonly handlerErrors: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  readonly peers: number;
  /** Peers, and bodies of block-wise transfers, that made room for others at a limit. */
  readonly evictedPeers: number;
  readonly evictedBodies: number;
  /** Requests that handlers are processing. */
  readonly answering: number;
  /** Outgoing requests, queued or sent. */
  readonly operations: number;
  readonly observations: number;
  /** Bytes of the bodies of block-wise transfers, in both directions. */
  readonly bodyBytes: number;
  /** Bytes of the replies that are kept for duplicates. */
  readonly replyBytes: number;
}

/** The counters that the layers of an endpoint increment. */
export class Counters {
  received = 0;
  sent = 0;
  retransmissions = 0;
  duplicates = 0;
  staleNotifications = 0;
  handlerErrors = 0;
  answering = 0;
  operations = 0;
  observations = 0;
  readonly dropped: Record<DropReason, number> = {
    malformed: 0,
    unexpected: 0,
    unmatched: 0,
    'strange peer': 0,
    'critical option': 0,
    full: 0,
    closing: 0,
  };
}
