import type { AlertDescription } from './alert.ts';
import type { Channel } from './channel.ts';
import type { Authenticated } from './client-authentication.ts';
import { DtlsError } from './error.ts';
import type { FlightSender } from './flight-sender.ts';
import type { Resumable } from './resumption.ts';

export interface Established extends Authenticated {
  readonly channel: Channel;
  /** Sends the final flight again; null when the peer's flight was the last one. */
  readonly finalFlight: FlightSender | null;
  /** What the next handshake may resume; null without extended master secret (RFC 7627 §5.3). */
  readonly resumable: Resumable | null;
  /** The session that this one goes on from. */
  readonly resumed: Resumable | null;
}

export interface HandshakeFailure {
  /** What the device was told; null when it was told nothing. */
  readonly alert: AlertDescription | null;
  /** In words, without secrets. */
  readonly reason: string;
}

/** What the device is told, and what the log says. */
export function failureOf(error: unknown): { readonly alert: AlertDescription; readonly reason: string } {
  if (error instanceof DtlsError && error.code !== 'settings' && error.code !== 'saved_sessions') {
    return { alert: error.code, reason: error.message };
  }
  return { alert: 'internal_error', reason: 'internal server error' };
}
