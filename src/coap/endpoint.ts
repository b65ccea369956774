import type { CoapMetrics } from './metrics.ts';
import type { Peer } from './transport.ts';

/** A CoAP code as its byte: class × 32 + detail (RFC 7252 §3). `2.05` is 69. */
export type Code = number;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE' | 'FETCH' | 'PATCH' | 'iPATCH';

/** A request of a peer, whole (blocks already put together), as a handler sees it. */
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
  readonly payload: Uint8Array;
}

export interface OutgoingResponse {
  readonly code: Code;
  readonly contentFormat?: number;
  readonly locationPath?: readonly string[];
  readonly maxAge?: number;
  readonly payload?: Uint8Array;
  /** Runs after the response was handed to the transport: where follow-up requests to the peer start. */
  readonly onSent?: () => void;
}

/** Answers a request; the acknowledgement of what it carried leaves after it resolves. A throw becomes 5.00. */
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
   * How long to wait for the response, counted from when the request left or the last block moved, not from when it
   * began to wait behind others; default EXCHANGE_LIFETIME (247 s).
   */
  readonly timeoutMs?: number;
  /** Ends the exchange: a queued request is not sent, a response that comes later is ignored. */
  readonly signal?: AbortSignal;
  /** Called when the first datagram leaves (a request waits behind NSTART = 1, RFC 7252 §4.7). */
  readonly onSent?: () => void;
  /** Called when the peer acknowledged the message, before its (separate) response. */
  readonly onAcknowledged?: () => void;
}

/** A response, whole. Any class: a 4.04 is a response, not an error. */
export interface IncomingResponse {
  readonly code: Code;
  readonly contentFormat: number | null;
  readonly locationPath: readonly string[];
  readonly maxAge: number | null;
  readonly payload: Uint8Array;
}

/**
 * Called for each notification that is newer than the last (RFC 7641 §3.4), whole; its acknowledgement leaves after the
 * promise resolves. `final` is true when it ends the observation: an error code, or no Observe option (RFC 7641 §3.2).
 */
export type NotificationHandler = (notification: IncomingResponse & { readonly final: boolean }) => Promise<void>;

export interface Observation {
  readonly token: Uint8Array;
  readonly peer: Peer;
  /** GET or FETCH with Observe = 1 and the same token (RFC 7641 §3.6); resolves with its answer. */
  cancel(
    options?: Pick<OutgoingRequest, 'timeoutMs' | 'signal' | 'onSent' | 'onAcknowledged'>,
  ): Promise<IncomingResponse>;
  /** Passively: the next notification is answered by RST. */
  forget(): void;
}

export interface ObserveResult {
  readonly response: IncomingResponse;
  /** Null when the peer answered without the Observe option or with an error: nothing is observed. */
  readonly observation: Observation | null;
}

/** What can be said to, and heard from, peers over one transport, UDP, DTLS or TCP alike. */
export interface CoapEndpoint {
  onRequest(handler: RequestHandler): void;
  /** Rejects with CoapError. */
  request(peer: Peer, request: OutgoingRequest): Promise<IncomingResponse>;
  /** As `request`, with Observe = 0; method GET or FETCH. */
  observe(peer: Peer, request: OutgoingRequest, onNotification: NotificationHandler): Promise<ObserveResult>;
  /** Takes up an observation that an earlier run of the server started, by its token. */
  resumeObservation(
    peer: Peer,
    token: Uint8Array,
    request: OutgoingRequest,
    onNotification: NotificationHandler,
  ): Observation;
  /**
   * The device behind `from` is now at `to` (an authenticated Register or Update said so): its observations and what
   * waits for it move along.
   */
  movePeer(from: Peer, to: Peer): void;
  /** Counters since the start, and what there is now. */
  metrics(): CoapMetrics;
  /** Sends what is due, ends the rest with CoapError CLOSED, closes the transport. */
  close(): Promise<void>;
}
