export type TelemetryErrorCode =
  /** No broker answers. */
  | 'UNREACHABLE'
  /** The broker refuses this topic: it does not exist, or this client may not write to it. */
  | 'REFUSED'
  /** One record, or the records of one send together, exceed the broker's size limit. */
  | 'TOO_LARGE';

/** Why events could not be sent to the broker. */
export class TelemetryError extends Error {
  override readonly name = 'TelemetryError';
  readonly code: TelemetryErrorCode;

  constructor(code: TelemetryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
