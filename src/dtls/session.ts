import type { Address } from './address.ts';
import type { Channel } from './channel.ts';
import type { Proof, SecurityIdentity } from './credential-source.ts';
import type { FlightSender } from './flight-sender.ts';
import { NetworkPath } from './network-path.ts';
import { MAX_PLAINTEXT } from './record.ts';
import type { CipherSuite } from './suites.ts';

/** A device as the layers above DTLS see it. Equal keys mean the same session, even when the address changes. */
export interface Peer {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly security: SecurityIdentity;
}

export interface SessionParts {
  /** The server's Connection ID in hex. */
  readonly key: string;
  readonly suite: CipherSuite;
  readonly encryptThenMac: boolean;
  readonly channel: Channel;
  readonly identity: SecurityIdentity;
  readonly proof: Proof;
  /** The session id for a resumption; null when the session can't be resumed. */
  readonly sessionId: Buffer | null;
  /** Distinguishes a late copy of this session's ClientHello from a new one. */
  readonly clientRandom: Buffer;
  /** See `Negotiated.maxFragment`. Absent in sessions that an earlier version saved: not limited. */
  readonly maxFragment?: number | null;
}

/** An open session. */
export class Session {
  readonly parts: SessionParts;
  readonly path: NetworkPath;
  activeAt: number;
  forgeries = 0;
  #finalFlight: FlightSender | null;
  #peer: Peer;

  /** `finalFlight`: retransmits the server's final flight; null when the device sent the final flight. */
  constructor(parts: SessionParts, address: Address, now: number, finalFlight: FlightSender | null) {
    this.parts = parts;
    this.path = new NetworkPath(address);
    this.activeAt = now;
    this.#finalFlight = finalFlight;
    this.#peer = peerAt(parts, address);
  }

  get key(): string {
    return this.parts.key;
  }

  get channel(): Channel {
    return this.parts.channel;
  }

  get usesCid(): boolean {
    return this.parts.channel.readCid !== null;
  }

  /** The longest message that fits in a record. RFC 9146 §4: with a Connection ID, the type is part of the plaintext. */
  get longestMessage(): number {
    return (this.parts.maxFragment ?? MAX_PLAINTEXT) - (this.usesCid ? 1 : 0);
  }

  get peer(): Peer {
    return this.#peer;
  }

  moveTo(address: Address): void {
    this.path.moveTo(address);
    this.#peer = peerAt(this.parts, address);
  }

  /** Called when the device repeats its last flight. False when the server's last flight is known to have arrived. */
  repeatFinalFlight(): boolean {
    this.#finalFlight?.resend();
    return this.#finalFlight !== null;
  }

  /** Called when the device sends application data, because it then has the server's Finished. */
  forgetFinalFlight(): void {
    this.#finalFlight = null;
  }
}

function peerAt(parts: SessionParts, { address, port }: Address): Peer {
  return { key: parts.key, address, port, security: parts.identity };
}
