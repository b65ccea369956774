import { isIPv6 } from 'node:net';
import { plainAddress } from './text.ts';

/**
 * The unit for limits per address: an IPv4 address (also when mapped to IPv6), or the first 64 bits of an IPv6 address,
 * because one host may use every address of its /64 network (RFC 4291 §2.5.1).
 */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (!isIPv6(plain)) return plain;
  const [before = '', after] = plain.split('::');
  const head = before.split(':');
  const tail = after?.split(':') ?? [];
  const groups = [...head, ...Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0'), ...tail];
  return groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group || '0', 16).toString(16))
    .join(':');
}
