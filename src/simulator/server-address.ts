/** Where a server is, and how CoAP gets there. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** Plain UDP unless told. */
  readonly channel?: Channel;
}

export type Channel =
  | { readonly kind: 'udp' }
  | { readonly kind: 'dtls'; readonly psk: PreSharedKey }
  | { readonly kind: 'tcp' }
  | { readonly kind: 'tls'; readonly credentials: TlsCredentials };

export interface PreSharedKey {
  readonly identity: string;
  readonly key: Uint8Array;
}

/** PEM. The server must show a certificate of these authorities, or one that is itself among them. */
export interface TlsCredentials {
  readonly certificate: string;
  readonly privateKey: string;
  readonly authorities: string;
}

/** The letter of the binding in a Register and in the Server object (Core 1.2 §6.2.1). */
export function bindingOf({ channel }: ServerAddress): 'U' | 'T' {
  return channel?.kind === 'tcp' || channel?.kind === 'tls' ? 'T' : 'U';
}
