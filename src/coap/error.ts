export type CoapErrorCode =
  /** The peer did not acknowledge in MAX_TRANSMIT_WAIT, or did not respond within the request's timeout. */
  | 'TIMEOUT'
  /** The peer rejected the message with a Reset. */
  | 'RESET'
  /** The caller cancelled the request, or the observation ended. */
  | 'CANCELLED'
  /** The endpoint or the peer's session was closed. */
  | 'CLOSED'
  /** A limit of this endpoint was reached, such as the number of waiting requests or the memory for bodies. */
  | 'LIMIT'
  /** The peer violated the protocol or a limit: blocks out of order, a changed ETag, a body that is too large. */
  | 'PROTOCOL'
  /** The caller's request can't be encoded, for example because a path segment has more than 255 bytes. */
  | 'INVALID'
  /** The request does not fit in a message that the peer accepts, and can't be sent in blocks. */
  | 'TOO_LARGE'
  /** The transport can't listen on its address. */
  | 'BIND';

/** The error class of the coap module. */
export class CoapError extends Error {
  override readonly name = 'CoapError';
  readonly code: CoapErrorCode;

  constructor(code: CoapErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
