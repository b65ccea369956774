/** The identity that a peer proved. `credential` is the result of the credential look-up; CoAP does not read it. */
export interface SecurityIdentity {
  readonly kind: 'psk' | 'rpk' | 'x509';
  /** For display: the PSK identity, the SHA-256 of the public key in hex, or the certificate's subject. */
  readonly name: string;
  readonly credential: string;
}

/** A remote endpoint as its transport identifies it. */
export interface Peer {
  /**
   * Identifies the peer: `address:port` over UDP, the session over DTLS, the connection over TCP. Over DTLS with a
   * Connection ID, the address may change while the key stays the same.
   */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** Null over NoSec. */
  readonly security: SecurityIdentity | null;
}

/** What a peer accepts, as far as its transport knows it. */
export interface MessageLimits {
  /** The largest datagram in bytes, payload included, that may be sent to the peer. */
  readonly messageBytes: number;
  /** False when bodies must not be sent in blocks (RFC 7959), because the peer did not announce that it reads them. */
  readonly blockwise: boolean;
}

/** UDP and DTLS have no negotiation: only the configured block size limits a message. */
export const UNLIMITED: MessageLimits = { messageBytes: Infinity, blockwise: true };

/**
 * Carries datagrams to and from peers. UDP and DTLS implement it directly, TCP and TLS by translation, and tests with a
 * simulated network. The CoAP engine knows nothing else of the network.
 */
export interface Transport {
  readonly kind: 'udp' | 'dtls' | 'tcp' | 'tls';
  /**
   * False when the session or connection of the peer has ended, so that nothing can be sent to it. Absent in transports
   * without sessions.
   */
  reaches?(peer: Peer): boolean;
  /** What the peer accepts. Absent in transports that do not learn it: then nothing is limited. */
  limitsOf?(peer: Peer): MessageLimits;
  /** Sends one datagram. It may be lost. Never throws. */
  send(peer: Peer, datagram: Uint8Array): void;
  /** Sets the only receiver. The receiver must copy `datagram` to keep it after the call. */
  onDatagram(receive: (peer: Peer, datagram: Uint8Array) => void): void;
  /** Sets the only listener for peers whose session or connection has ended. UDP never calls it. */
  onPeerGone(gone: (peer: Peer) => void): void;
  /**
   * Sets the only listener for the sessions that peers open, and for new addresses of sessions. `formerKey` is the key
   * of the session that the new one resumes, the key of `peer` for a new address, or null. Called before `onPeerGone`
   * for the former session, and before anything can be sent to `peer`. Absent in transports without sessions.
   */
  onPeerArrived?(arrived: (peer: Peer, formerKey: string | null) => void): void;
  close(): Promise<void>;
}
