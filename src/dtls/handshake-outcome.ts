import type { AlertDescription } from './alert.ts';
import type { Channel } from './channel.ts';
import type { Authenticated } from './client-authentication.ts';
import { DtlsError } from './error.ts';
import type { FlightSender } from './flight-sender.ts';
import type { Resumable } from './resumption.ts';

export interface Established extends Authenticated {
  readonly channel: Channel;
  /** Retransmits the final flight; null when the client sent the final flight. */
  readonly finalFlight: FlightSender | null;
  /** The state for the next resumption; null without extended master secret (RFC 7627 §5.3). */
  readonly resumable: Resumable | null;
  /** The session that this handshake resumed; null after a full handshake. */
  readonly resumed: Resumable | null;
}

export interface HandshakeFailure {
  /** The alert that the server sent; null when it sent none. */
  readonly alert: AlertDescription | null;
  /** A sentence for the handshake log; contains no secret. */
  readonly reason: string;
}

/** Returns the alert for the device and the reason for the log. */
export function failureOf(error: unknown): { readonly alert: AlertDescription; readonly reason: string } {
  if (error instanceof DtlsError && error.code !== 'settings' && error.code !== 'saved_sessions') {
    return { alert: error.code, reason: error.message };
  }
  return { alert: 'internal_error', reason: 'internal server error' };
}
