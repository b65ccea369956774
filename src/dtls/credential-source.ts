import type { AlertDescription } from './alert.ts';

/** The authenticated identity of a peer, for the layers above DTLS. */
export interface SecurityIdentity {
  readonly kind: 'psk' | 'rpk' | 'x509';
  /** A readable name: the PSK identity, the SHA-256 of the public key in hex, or the certificate's subject. */
  readonly name: string;
  /** The credential id from the look-up; opaque to DTLS. */
  readonly credential: string;
}

export interface PskCredential {
  readonly key: Uint8Array;
  readonly credential: string;
}

export type CertificateVerdict =
  | { readonly credential: string }
  | {
      readonly refused: Extract<
        AlertDescription,
        | 'bad_certificate'
        | 'unsupported_certificate'
        | 'certificate_revoked'
        | 'certificate_expired'
        | 'certificate_unknown'
        | 'unknown_ca'
        | 'access_denied'
      >;
      /** A sentence for the handshake log. */
      readonly reason: string;
    };

/**
 * Looks up the credentials of devices. A rejected promise fails the handshake with `internal_error`.
 *
 * `psk` resolves to null for an unknown identity. The handshake then continues with a random key, so that a client
 * can't distinguish a wrong identity from a wrong key.
 */
export interface CredentialSource {
  /** `identity`: the exact bytes of the ClientKeyExchange, at most 128. */
  psk(identity: Uint8Array): Promise<PskCredential | null>;
  /** `spki`: DER SubjectPublicKeyInfo. The peer has proved that it has the private key. */
  rawPublicKey(spki: Uint8Array): Promise<{ readonly credential: string } | null>;
  /** `chain`: DER, the peer's own certificate first. The peer has proved that it has its private key. */
  certificate(chain: readonly Uint8Array[]): Promise<CertificateVerdict>;
}

/**
 * What the peer proved in its handshake. The session keeps it, so that a resumption or a restart can check the
 * credential again.
 */
export type Proof =
  | { readonly kind: 'psk'; readonly identity: Buffer; readonly keyDigest: Buffer }
  | { readonly kind: 'rpk'; readonly spki: Buffer }
  | { readonly kind: 'x509'; readonly chain: readonly Buffer[] };
