import type { AlertDescription } from './alert.ts';

/**
 * Why DTLS refused something. In a handshake the code is the alert the peer gets; the message says it in words for the
 * handshake log and holds no secret.
 *
 * `settings`: the server was given something it can't work with. `saved_sessions`: saved sessions can't be read back.
 */
export class DtlsError extends Error {
  readonly code: AlertDescription | 'settings' | 'saved_sessions';

  constructor(code: DtlsError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DtlsError';
    this.code = code;
  }
}
