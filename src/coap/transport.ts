/**
 * How a peer proved who it is. `credential` is what the credential look-up answered with, opaque to CoAP.
 */
export interface SecurityIdentity {
  readonly kind: 'psk' | 'rpk' | 'x509';
  /** For people: the PSK identity, the SHA-256 of the public key in hex, or the certificate's subject. */
  readonly name: string;
  readonly credential: string;
}

/** One remote end as its transport knows it. */
export interface Peer {
  /**
   * The transport identity: `address:port` over UDP, the session over DTLS. Equal keys mean the same peer; over DTLS
   * with a Connection ID the address may change under a key that stays.
   */
  readonly key: string;
  readonly address: string;
  readonly port: number;
  /** Null over NoSec. */
  readonly security: SecurityIdentity | null;
}

/**
 * What carries datagrams: UDP and DTLS implement it, TCP and TLS by translation, tests pass a network of their own. Nothing
 * above knows more.
 */
export interface Transport {
  readonly kind: 'udp' | 'dtls' | 'tcp' | 'tls';
  /** Sends one datagram or loses it; never throws. */
  send(peer: Peer, datagram: Uint8Array): void;
  /** Sets the one receiver. It must not keep `datagram` past the call unless it copies it. */
  onDatagram(receive: (peer: Peer, datagram: Uint8Array) => void): void;
  /** Sets the one listener for peers that are gone for good (a session or connection that ended). UDP never calls it. */
  onPeerGone(gone: (peer: Peer) => void): void;
  close(): Promise<void>;
}
