export type CoapErrorCode =
  /** No answer in MAX_TRANSMIT_WAIT or in the request's own time. */
  | 'TIMEOUT'
  /** The peer answered RST. */
  | 'RESET'
  /** The request's AbortSignal fired. */
  | 'CANCELLED'
  /** The endpoint or the peer's session closed. */
  | 'CLOSED'
  /** A bound of ours: too many requests wait for this peer, or the body is above the cap. */
  | 'LIMIT'
  /** The peer broke the protocol: blocks out of order, another ETag, a body above the cap. */
  | 'PROTOCOL'
  /** The caller asked for what can't be sent (an option too long, a path segment above 255 bytes). */
  | 'INVALID'
  /** The transport's address can't be listened on. */
  | 'BIND';

/** The one error class of the CoAP room. */
export class CoapError extends Error {
  override readonly name = 'CoapError';
  readonly code: CoapErrorCode;

  constructor(code: CoapErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
