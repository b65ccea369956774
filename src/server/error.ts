export type ServerErrorCode = 'PORT_IN_USE' | 'CANNOT_LISTEN';

/** The one error class of the server room: why it could not start. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
