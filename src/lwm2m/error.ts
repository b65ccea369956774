export type Lwm2mErrorCode =
  /** The text or the ids are not a valid LwM2M path (Core 1.2 §7.1). */
  | 'INVALID_PATH'
  /** The value is not valid for the type of its resource. */
  | 'INVALID_VALUE'
  /** The payload is malformed for its content format, or holds a path outside the request path. */
  | 'INVALID_PAYLOAD'
  /** The content format is not supported, or it cannot carry the given values. */
  | 'UNSUPPORTED_FORMAT'
  /** A parameter of an operation, or an object definition, violates a rule. */
  | 'INVALID_ARGUMENT'
  /** The device is not registered. */
  | 'NOT_REGISTERED'
  /** The queue-mode device sleeps (Core 1.2 §6.5), or its connection has ended; the server sent nothing. */
  | 'UNREACHABLE'
  /** The session or connection of the device ended after a request was sent and before the device answered it. */
  | 'DISCONNECTED'
  /** The device did not answer in time. */
  | 'TIMEOUT'
  /** The device violated the protocol in its response (RST, bad blocks, undecodable payload). */
  | 'BAD_ANSWER'
  /** The caller cancelled the operation, or the server stops. */
  | 'CANCELLED'
  /** A limit of the server is reached. */
  | 'LIMIT';

/**
 * The error class of src/lwm2m. `offset` is the position in the payload, in bytes (in characters for text formats).
 * `argument` is the invalid part of an operation, for INVALID_ARGUMENT: `['depth']`, `['paths', '1']`.
 */
export class Lwm2mError extends Error {
  override readonly name = 'Lwm2mError';
  readonly code: Lwm2mErrorCode;
  readonly offset: number | null;
  readonly argument: readonly string[] | null;

  constructor(
    code: Lwm2mErrorCode,
    message: string,
    options?: ErrorOptions & { offset?: number | undefined; argument?: readonly string[] },
  ) {
    super(message, options);
    this.code = code;
    this.offset = options?.offset ?? null;
    this.argument = options?.argument ?? null;
  }
}
