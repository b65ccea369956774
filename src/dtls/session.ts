import type { Address } from './address.ts';
import type { Channel } from './channel.ts';
import type { Proof, SecurityIdentity } from './credential-source.ts';
import type { FlightSender } from './flight-sender.ts';
import { NetworkPath } from './network-path.ts';
import type { CipherSuite } from './suites.ts';

/** One device as the layers above see it: equal keys mean the same session, whatever its address. */
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
  /** What a resumption names; null when the session can't be resumed. */
  readonly sessionId: Buffer | null;
  /** Tells a late copy of the ClientHello that began this session from a new one. */
  readonly clientRandom: Buffer;
}

/** An open session. */
export class Session {
  readonly parts: SessionParts;
  readonly path: NetworkPath;
  activeAt: number;
  forgeries = 0;
  #finalFlight: FlightSender | null;
  #peer: Peer;

  /** `finalFlight`: sends the server's last flight again; null when the device's was the last one. */
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

  get peer(): Peer {
    return this.#peer;
  }

  moveTo(address: Address): void {
    this.path.moveTo(address);
    this.#peer = peerAt(this.parts, address);
  }

  /** The device repeated its Finished: it has not seen ours. */
  repeatFinalFlight(): void {
    this.#finalFlight?.resend();
  }

  /** The device has sent application data, so it has our Finished. */
  forgetFinalFlight(): void {
    this.#finalFlight = null;
  }
}

function peerAt(parts: SessionParts, { address, port }: Address): Peer {
  return { key: parts.key, address, port, security: parts.identity };
}
