import { isIPv6 } from 'node:net';

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

const MAPPED_IPV4 = /^::ffff:(?=\d+\.)/i;

/**
 * Whom an IP address is counted to: an IPv4 address, also one mapped to IPv6, is somebody's; of IPv6 it is the first 64
 * bits, which name a network whose every address one host may take (RFC 4291 §2.5.1).
 */
export function networkOf(address: string): string {
  if (!isIPv6(address) || MAPPED_IPV4.test(address)) return address.replace(MAPPED_IPV4, '');
  const [before = '', after] = address.split('::');
  const head = before.split(':');
  const tail = after?.split(':') ?? [];
  const groups = [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group || '0', 16).toString(16))
    .join(':');
}
