/** Where a datagram came from or goes to. */
export interface Address {
  readonly address: string;
  readonly port: number;
  /** Which of our sockets it passes; devices are answered from where they asked. */
  readonly socket: number;
}

export function addressKey(address: Address): string {
  return `${address.address}|${address.port}|${address.socket}`;
}

export function isSameAddress(a: Address, b: Address): boolean {
  return a.port === b.port && a.address === b.address && a.socket === b.socket;
}
