export type ServerErrorCode = 'PORT_IN_USE' | 'CANNOT_LISTEN';

/** Why the HTTP server could not start. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
  readonly code: ServerErrorCode;

  constructor(code: ServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
