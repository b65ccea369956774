import type { Actor, DeviceId } from '../access/index.ts';
import type { CredentialKind } from './credential.ts';

/** A DTLS handshake of a device that has ended, with or without success. It contains no secrets. */
export interface HandshakeRecord {
  readonly id: string;
  readonly deviceId: DeviceId;
  /** The credential that the client claimed to have. The claim is proved only if `established` is true. */
  readonly credentialId: string;
  readonly at: Date;
  readonly durationMs: number;
  /** The client's address and port: `192.0.2.7:56830`. */
  readonly address: string;
  /** The cipher suite. Null if client and server did not agree on one. */
  readonly suite: string | null;
  /** True if the handshake resumed an earlier session (RFC 5246 §7.3). */
  readonly resumed: boolean;
  readonly established: boolean;
  /** The alert that the server sent to the device. Null if it sent none. */
  readonly alert: string | null;
  /** Why the handshake failed. Null if it succeeded. */
  readonly reason: string | null;
}

/** The DTLS server's report of a handshake that has ended. */
export interface HandshakeReport {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly durationMs: number;
  readonly from: { readonly address: string; readonly port: number };
  readonly suite: string | null;
  readonly resumed: boolean;
  /** The kind and name of the credential that the client claimed to have. Null if it claimed none. */
  readonly claim: { readonly kind: CredentialKind; readonly name: string } | null;
  /** The id of the valid credential with this name. Null if there is none. */
  readonly credential: string | null;
  readonly outcome:
    | { readonly established: true }
    | { readonly established: false; readonly alert: string | null; readonly reason: string };
}

/** Reads the handshakes of devices. */
export interface Handshakes {
  /** The last handshakes of each device, at most 20, the newest first. Requires the role admin. */
  list(actor: Actor, deviceIds: readonly DeviceId[]): Promise<Map<DeviceId, HandshakeRecord[]>>;
}
