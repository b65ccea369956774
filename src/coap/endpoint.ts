import type { CoapMetrics } from './metrics.ts';
import type { Peer } from './transport.ts';

/** A CoAP code as one byte: class × 32 + detail (RFC 7252 §3). `2.05` is 69. */
export type Code = number;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'FETCH' | 'PATCH' | 'iPATCH';

/** A request of a peer as its handler receives it: whole, with all blocks assembled. */
export interface IncomingRequest {
  readonly peer: Peer;
  readonly method: Method;
  /** Uri-Path segments, decoded. */
  readonly path: readonly string[];
  /** Uri-Query arguments, one string each, decoded. */
  readonly query: readonly string[];
  readonly contentFormat: number | null;
  readonly accept: number | null;
  readonly observe: number | null;
  readonly confirmable: boolean;
  /**
   * The message: its token and message ID, unique among the messages of the device within EXCHANGE_LIFETIME (RFC 7252
   * §4.4). Null over TCP and TLS, where no message is repeated.
   */
  readonly message: string | null;
  readonly payload: Uint8Array;
}

export interface OutgoingResponse {
  readonly code: Code;
  readonly contentFormat?: number;
  readonly locationPath?: readonly string[];
  readonly maxAge?: number;
  readonly payload?: Uint8Array;
  /** Called after the transport has the response. Start further requests to the peer here. */
  readonly onSent?: () => void;
}

/** Answers a request. The response is sent after the promise resolves; a rejection is answered 5.00. */
export type RequestHandler = (request: IncomingRequest) => Promise<OutgoingResponse>;

export interface OutgoingRequest {
  readonly method: Method;
  readonly path: readonly string[];
  readonly query?: readonly string[];
  readonly contentFormat?: number;
  readonly accept?: number;
  readonly payload?: Uint8Array;
  /** Default true. */
  readonly confirmable?: boolean;
  /**
   * How long to wait for the response after the request, or its last block so far, was sent. The time in the queue
   * behind other requests does not count. Default EXCHANGE_LIFETIME (247 s).
   */
  readonly timeoutMs?: number;
  /** Cancels the request: when it is queued it is not sent, and a later response is ignored. */
  readonly signal?: AbortSignal;
  /** Called when the first datagram is sent (a request may wait before, because NSTART is 1: RFC 7252 §4.7). */
  readonly onSent?: () => void;
  /** Called when the peer acknowledged the request, before its response or together with it. */
  readonly onAcknowledged?: () => void;
}

/** A whole response of any class: a 4.04 is a response, not a CoapError. */
export interface IncomingResponse {
  readonly code: Code;
  readonly contentFormat: number | null;
  readonly locationPath: readonly string[];
  readonly maxAge: number | null;
  readonly payload: Uint8Array;
}

/** A whole notification of an observation. */
export interface IncomingNotification extends IncomingResponse {
  /** True when it ends the observation: an error code, or no Observe option (RFC 7641 §3.2). */
  readonly final: boolean;
  /**
   * Null for the newest notification so far. Else it arrived late (RFC 7641 §3.4), and this is the time at which a newer
   * one arrived: its content is not the present state of the resource, but it was its state before that time.
   */
  readonly olderThan: number | null;
  /** As `IncomingRequest.message`. */
  readonly message: string | null;
}

/** Called with each whole notification. It is acknowledged after the promise resolves. */
export type NotificationHandler = (notification: IncomingNotification) => Promise<void>;

export interface Observation {
  readonly token: Uint8Array;
  readonly peer: Peer;
  /**
   * True when a confirmable notification from another address was rejected with a Reset after the last notification: the
   * device, whose address has changed, may have ended the observation (RFC 7641 §3.6).
   */
  readonly rejected: boolean;
  /** Sends a GET or FETCH with Observe = 1 and the same token (RFC 7641 §3.6). Resolves with its response. */
  cancel(
    options?: Pick<OutgoingRequest, 'timeoutMs' | 'signal' | 'onSent' | 'onAcknowledged'>,
  ): Promise<IncomingResponse>;
  /** Ends the observation without a message: the next notification gets a Reset (RFC 7641 §3.6). */
  forget(): void;
}

export interface ObserveResult {
  readonly response: IncomingResponse;
  /** Null when the response has no Observe option or is an error: no observation was started. */
  readonly observation: Observation | null;
}

/** A CoAP client and server over one transport: UDP, DTLS, TCP or TLS. */
export interface CoapEndpoint {
  /** Processes what was held since the endpoint was created with `held`. From here it answers at once. */
  open(): void;
  onRequest(handler: RequestHandler): void;
  /** Rejects with CoapError. */
  request(peer: Peer, request: OutgoingRequest): Promise<IncomingResponse>;
  /** As `request`, with Observe = 0; method GET or FETCH. */
  observe(peer: Peer, request: OutgoingRequest, onNotification: NotificationHandler): Promise<ObserveResult>;
  /** Continues an observation that an earlier run of the server started, under its token. */
  resumeObservation(
    peer: Peer,
    token: Uint8Array,
    request: OutgoingRequest,
    onNotification: NotificationHandler,
  ): Observation;
  /**
   * Moves the requests and observations of `from` to `to`. Call it when an authenticated Register or Update shows that
   * the device has a new address or session.
   */
  movePeer(from: Peer, to: Peer): void;
  /**
   * Sends the confirmable messages to the peer that wait for an acknowledgement once more now. Call it when a message
   * of the peer shows that it is awake; calls that follow soon do nothing.
   */
  hasten(peer: Peer): void;
  /**
   * Sets the only listener for new sessions of peers and new addresses of sessions, as `Transport.onPeerArrived`. The
   * requests and observations of a resumed session have already moved to the new one.
   */
  onPeerArrived(arrived: (peer: Peer, formerKey: string | null) => void): void;
  /** Sets the only listener for peers whose session or connection has ended. Their requests have already ended. */
  onPeerGone(gone: (peer: Peer) => void): void;
  /** Counters since the start, and current values. */
  metrics(): CoapMetrics;
  /** Lets running handlers respond, ends requests with CoapError CLOSED, and closes the transport. */
  close(): Promise<void>;
}
