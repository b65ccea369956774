import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { plainAddress } from '../network/index.ts';

/** Who sends a request, as far as the connection and trusted proxies tell. */
export interface Client {
  /** The IP address of the client; IPv4-mapped ones as IPv4. `unknown` when the connection has ended. */
  readonly address: string;
  /** Host and port that the client asked for; a trusted proxy tells it with X-Forwarded-Host. */
  readonly host: string | undefined;
  /** `http` or `https`, as a trusted proxy tells it with X-Forwarded-Proto; null when none does. */
  readonly scheme: string | null;
  /** The request’s X-Request-Id, or a new one. */
  readonly requestId: string;
}

const REQUEST_ID = /^[\x21-\x7e]{1,128}$/;

/** Finds the clients of requests. `proxies`: IP addresses and networks (`10.0.0.0/8`) whose X-Forwarded headers count. */
export function createClientFinder(proxies: readonly string[]): (request: IncomingMessage) => Client {
  const trusted = new BlockList();
  for (const proxy of proxies) {
    const [network = '', prefix] = proxy.split('/');
    const family = familyOf(network);
    if (prefix === undefined) trusted.addAddress(network, family);
    else trusted.addSubnet(network, Number(prefix), family);
  }
  const isTrusted = (address: string): boolean => isIP(address) > 0 && trusted.check(address, familyOf(address));

  return ({ socket, headers }) => {
    const peer = plainAddress(socket.remoteAddress ?? '');
    const given = headers['x-request-id'];
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    if (!isTrusted(peer)) return { address: peer || 'unknown', host: headers.host, scheme: null, requestId };
    return {
      address: forwardedFor(peer, String(headers['x-forwarded-for'] ?? ''), isTrusted),
      host: last(headers['x-forwarded-host']) ?? headers.host,
      scheme: last(headers['x-forwarded-proto']) ?? null,
      requestId,
    };
  };
}

/**
 * The last address of X-Forwarded-For that is not a trusted proxy: each proxy appends the address of its peer, so what
 * stands before an untrusted address may be invented.
 */
function forwardedFor(peer: string, header: string, isTrusted: (address: string) => boolean): string {
  let client = peer;
  for (const hop of header.split(',').reverse()) {
    const address = plainAddress(withoutPort(hop.trim()));
    if (isIP(address) === 0) break;
    client = address;
    if (!isTrusted(address)) break;
  }
  return client;
}

/** The nearest proxy’s value: the last one. */
function last(header: string | string[] | undefined): string | undefined {
  return (
    String(header ?? '')
      .split(',')
      .at(-1)
      ?.trim()
      .toLowerCase() || undefined
  );
}

function withoutPort(hop: string): string {
  return /^\[(.+)\](?::\d+)?$/.exec(hop)?.[1] ?? /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(hop)?.[1] ?? hop;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
