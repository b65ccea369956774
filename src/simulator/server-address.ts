/** The address of a server and the transport to it. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** Default: plain UDP. */
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

/** PEM. The server's certificate must be issued by one of the authorities or be one of them. */
export interface TlsCredentials {
  readonly certificate: string;
  readonly privateKey: string;
  readonly authorities: string;
}

/** The binding letter in a Register and in the Server object (Core 1.2 §6.2.1). */
export function bindingOf({ channel }: ServerAddress): 'U' | 'T' {
  return channel?.kind === 'tcp' || channel?.kind === 'tls' ? 'T' : 'U';
}
