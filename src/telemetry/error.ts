export type TelemetryErrorCode =
  /** No broker answers: nothing can be sent for now. */
  | 'UNREACHABLE'
  /** The broker takes nothing on this topic for now: it is not there, or not for us. */
  | 'REFUSED'
  /** A record, or the records sent together, are larger than the broker allows. */
  | 'TOO_LARGE';

/** The one error class of the telemetry room. */
export class TelemetryError extends Error {
  override readonly name = 'TelemetryError';
  readonly code: TelemetryErrorCode;

  constructor(code: TelemetryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
