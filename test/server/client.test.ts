import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import { createClientFinder } from '../../src/server/client.ts';

function clientOf(peer: string | undefined, headers: Record<string, string>, proxies: string[] = []) {
  const socket = Object.defineProperty(new Socket(), 'remoteAddress', { value: peer });
  return createClientFinder(proxies)(Object.assign(new IncomingMessage(socket), { headers }));
}

const PROXIES = ['127.0.0.1', '10.0.0.0/8', 'fd00::/8'];

describe('the address of a client', () => {
  it.each<[string, string | undefined, string, string]>([
    ['is that of the connection', '192.0.2.7', '', '192.0.2.7'],
    ['is shown as IPv4 when it is mapped', '::ffff:192.0.2.7', '', '192.0.2.7'],
    ['is unknown when the connection has ended', undefined, '', 'unknown'],
    ['is not what a stranger claims', '192.0.2.7', '198.51.100.1', '192.0.2.7'],
    ['is what a trusted proxy says', '127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['is what a trusted proxy says over mapped IPv4', '::ffff:127.0.0.1', '198.51.100.1', '198.51.100.1'],
    ['is the last one that is no proxy', '127.0.0.1', '203.0.113.9, 198.51.100.1, 10.1.2.3', '198.51.100.1'],
    ['is what a proxy of an IPv6 network says', 'fd12::1', '2001:db8::7', '2001:db8::7'],
    ['has no port', '127.0.0.1', '198.51.100.1:4711', '198.51.100.1'],
    ['has no port over IPv6', '127.0.0.1', '[2001:db8::7]:4711', '2001:db8::7'],
    ['is the proxy where the header is no address', '127.0.0.1', 'unknown', '127.0.0.1'],
    ['is the nearest proxy where all are proxies', '127.0.0.1', '10.0.0.2', '10.0.0.2'],
  ])('%s', (_case, peer, header, address) => {
    expect(clientOf(peer, { 'x-forwarded-for': header }, PROXIES).address).toBe(address);
  });
});

describe('host and scheme', () => {
  const headers = { host: '127.0.0.1:4000', 'x-forwarded-host': 'API.example.com', 'x-forwarded-proto': 'https' };

  it('are what a trusted proxy says', () => {
    expect(clientOf('127.0.0.1', headers, PROXIES)).toMatchObject({ host: 'api.example.com', scheme: 'https' });
  });

  it('are those of the connection without a trusted proxy', () => {
    expect(clientOf('127.0.0.1', headers)).toMatchObject({ host: '127.0.0.1:4000', scheme: null });
  });
});

describe('the id of a request', () => {
  it('is the one that it has, or a new one', () => {
    expect(clientOf('::1', { 'x-request-id': 'abc-123' }).requestId).toBe('abc-123');
    for (const id of ['', 'two words', 'x'.repeat(129)])
      expect(clientOf('::1', { 'x-request-id': id }).requestId).toMatch(/^[0-9a-f-]{36}$/);
  });
});
