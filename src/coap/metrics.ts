/** Why a datagram was neither acted upon nor answered as a message should be. */
export type DropReason =
  /** No CoAP message; a confirmable one was answered by RST. */
  | 'malformed'
  /** A code, or an Empty message, that has no meaning there. */
  | 'unexpected'
  /** An acknowledgement or a response that nothing waits for. */
  | 'unmatched'
  /** A response with a token of ours from an address that the token was not given to. */
  | 'strange peer'
  /** A non-confirmable message with a critical option that isn't understood. */
  | 'critical option'
  /** A bound was reached: peers, or messages in progress of one peer. */
  | 'full'
  /** A request that came while the endpoint closes. */
  | 'closing';

/** Counters since the start, and what there is now. */
export interface CoapMetrics {
  readonly received: number;
  readonly sent: number;
  readonly retransmissions: number;
  readonly duplicates: number;
  /** Notifications older than one that was taken (RFC 7641 §3.4). */
  readonly staleNotifications: number;
  /** Handlers that failed: requests answered 5.00, notifications not acknowledged. */
  readonly handlerErrors: number;
  readonly dropped: Readonly<Record<DropReason, number>>;
  readonly peers: number;
  /** Requests of peers that a handler is at. */
  readonly answering: number;
  /** Requests of ours, queued or sent. */
  readonly operations: number;
  readonly observations: number;
  /** Bytes held of bodies on their way in and out, block by block. */
  readonly bodyBytes: number;
  /** Bytes held of replies, for duplicates. */
  readonly replyBytes: number;
}

/** The counters that the layers raise. */
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
