import type { Actor, DeviceId } from '../access/index.ts';
import type { CredentialKind } from './credential.ts';

/** A DTLS handshake that ended, as the device's own log keeps it; without secrets. */
export interface HandshakeRecord {
  readonly id: string;
  readonly deviceId: DeviceId;
  /** Whose claim it was; proved only when `established`. */
  readonly credentialId: string;
  readonly at: Date;
  readonly durationMs: number;
  /** `192.0.2.7:56830` */
  readonly address: string;
  /** Null when client and server agreed on none. */
  readonly suite: string | null;
  /** Went on from an earlier session (RFC 5246 §7.3). */
  readonly resumed: boolean;
  readonly established: boolean;
  /** The alert that the device was sent; null when it was told nothing. */
  readonly alert: string | null;
  /** What went wrong, in words; null when nothing did. */
  readonly reason: string | null;
}

/** How a handshake ended, as the DTLS server tells it. */
export interface HandshakeReport {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly durationMs: number;
  readonly from: { readonly address: string; readonly port: number };
  readonly suite: string | null;
  readonly resumed: boolean;
  /** Who the device said it is. */
  readonly claim: { readonly kind: CredentialKind; readonly name: string } | null;
  /** The credential that counts for the claim; null when none does. */
  readonly credential: string | null;
  readonly outcome:
    | { readonly established: true }
    | { readonly established: false; readonly alert: string | null; readonly reason: string };
}

export interface Handshakes {
  /** The last handshakes of each device, the newest first; at most 20. For admins. */
  list(actor: Actor, deviceIds: readonly DeviceId[]): Promise<Map<DeviceId, HandshakeRecord[]>>;
}
