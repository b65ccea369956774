export type Lwm2mErrorCode =
  /** A path that LwM2M does not have (Core 1.2 §7.1). */
  | 'INVALID_PATH'
  /** A value that its resource type can't hold. */
  | 'INVALID_VALUE'
  /** A payload that its content format does not allow, or that names what it may not. */
  | 'INVALID_PAYLOAD'
  /** No decoder or encoder for this content format, or the format can't carry what was asked. */
  | 'UNSUPPORTED_FORMAT'
  /** Parameters of an operation or a definition that break a rule. */
  | 'INVALID_ARGUMENT'
  /** The device has no registration. */
  | 'NOT_REGISTERED'
  /** A queue-mode device sleeps: nothing was sent (Core 1.2 §6.5). */
  | 'ASLEEP'
  /** No answer in time. */
  | 'TIMEOUT'
  /** The device answered, but not as its protocol asks (RST, bad blocks, undecodable payload). */
  | 'BAD_ANSWER'
  /** Cancelled by the caller. */
  | 'CANCELLED'
  /** A bound of ours. */
  | 'LIMIT';

/** The one error class of the LwM2M room. `offset` counts bytes (or characters of a text format) into the payload. */
export class Lwm2mError extends Error {
  override readonly name = 'Lwm2mError';
  readonly code: Lwm2mErrorCode;
  readonly offset: number | null;

  constructor(code: Lwm2mErrorCode, message: string, options?: ErrorOptions & { offset?: number | undefined }) {
    super(message, options);
    this.code = code;
    this.offset = options?.offset ?? null;
  }
}
