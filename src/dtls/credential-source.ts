import type { AlertDescription } from './alert.ts';

/** How a peer proved who it is: what the layers above see of it. */
export interface SecurityIdentity {
  readonly kind: 'psk' | 'rpk' | 'x509';
  /** For people: the PSK identity, the SHA-256 of the public key in hex, or the certificate's subject. */
  readonly name: string;
  /** What the look-up answered with; opaque here. */
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
      /** In words, for the handshake log. */
      readonly reason: string;
    };

/**
 * Who may connect. Every answer may take its time; a rejected promise fails the handshake with `internal_error`.
 *
 * The key of an unknown identity is null and not an error: the handshake goes on with a random one, so that a stranger
 * can't tell a wrong identity from a wrong key.
 */
export interface CredentialSource {
  /** `identity`: the exact bytes of the ClientKeyExchange, at most 128 of them. */
  psk(identity: Uint8Array): Promise<PskCredential | null>;
  /** `spki`: DER SubjectPublicKeyInfo, whose private key the peer has just proved to hold. */
  rawPublicKey(spki: Uint8Array): Promise<{ readonly credential: string } | null>;
  /** `chain`: DER, the peer's own first, whose private key it has just proved to hold. */
  certificate(chain: readonly Uint8Array[]): Promise<CertificateVerdict>;
}

/** What a peer proved, kept with its session so that a resumption or a restart can ask again whether it still counts. */
export type Proof =
  | { readonly kind: 'psk'; readonly identity: Buffer; readonly keyDigest: Buffer }
  | { readonly kind: 'rpk'; readonly spki: Buffer }
  | { readonly kind: 'x509'; readonly chain: readonly Buffer[] };
