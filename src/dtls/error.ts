import type { AlertDescription } from './alert.ts';

/**
 * An error of the DTLS server. In a handshake, `code` is the alert that the server sends, and the message is the reason
 * for the handshake log; it contains no secret.
 *
 * `settings`: a setting is invalid. `saved_sessions`: saved sessions can't be restored.
 */
export class DtlsError extends Error {
  readonly code: AlertDescription | 'settings' | 'saved_sessions';

  constructor(code: DtlsError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DtlsError';
    this.code = code;
  }
}
