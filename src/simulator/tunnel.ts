/**
 * A loopback UDP port that carries datagrams to the server over another transport: node-coap supports only plain UDP.
 */
export interface Tunnel {
  /** The loopback port that the device uses as the server's port. */
  readonly port: number;
  close(): Promise<void>;
}

export interface TunnelEvents {
  log(line: string): void;
  /** An open connection ended: requests sent over it get no response. */
  lost(): void;
}
