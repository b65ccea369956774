/** The source or destination of a datagram. */
export interface Address {
  readonly address: string;
  readonly port: number;
  /** Index of the server's socket. The server answers a device from the socket that received its datagram. */
  readonly socket: number;
}

export function addressKey(address: Address): string {
  return `${address.address}|${address.port}|${address.socket}`;
}

export function isSameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.address === b.address && a.socket === b.socket;
}
