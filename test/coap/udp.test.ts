import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { codes, createCoapEndpoint, udpPeer, UdpTransport, type Peer } from '../../src/coap/index.ts';
import { text } from './reading.ts';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const closable of open.splice(0)) await closable.close();
});

async function bind(hosts: readonly string[], port = 0): Promise<UdpTransport> {
  const transport = await UdpTransport.bind({ hosts, port });
  open.push(transport);
  return transport;
}

const portOf = (transport: UdpTransport): number => transport.addresses[0]?.port ?? 0;

describe('CoAP over UDP', () => {
  it.each(['127.0.0.1', '::1'])('carries a request and its response over %s', async (host) => {
    const transport = await bind([host]);
    const server = createCoapEndpoint({ transport });
    const peers: Peer[] = [];
    server.onRequest(async ({ peer, payload }) => {
      peers.push(peer);
      return { code: codes.content, payload };
    });
    const client = createCoapEndpoint({ transport: await bind([host]) });
    const peer = udpPeer(host, portOf(transport));
    const payload = new Uint8Array(3_000).fill(0x61);
    const response = await client.request(peer, { method: 'POST', path: ['echo'], payload });
    expect(text(response.payload)).toBe('a'.repeat(3_000));
    expect(peers[0]).toMatchObject({ address: host, security: null });
  });

  it('serves IPv4 and IPv6 on the same port at once', async () => {
    const transport = await bind(['127.0.0.1', '::1']);
    expect(transport.addresses.map(({ address }) => address)).toEqual(['127.0.0.1', '::1']);
    expect(new Set(transport.addresses.map(({ port }) => port)).size).toBe(1);
    const server = createCoapEndpoint({ transport });
    server.onRequest(async ({ peer }) => ({ code: codes.content, payload: Buffer.from(peer.key) }));
    for (const host of ['127.0.0.1', '::1']) {
      const clientTransport = await bind([host]);
      const client = createCoapEndpoint({ transport: clientTransport });
      const response = await client.request(udpPeer(host, portOf(transport)), { method: 'GET', path: [] });
      expect(text(response.payload)).toBe(udpPeer(host, portOf(clientTransport)).key);
    }
  });

  it('answers from the address that got the request, on a host with two addresses', async () => {
    const transport = await bind(['127.0.0.1', '127.0.0.2']);
    createCoapEndpoint({ transport }).onRequest(async () => ({ code: codes.content }));
    const client = createSocket('udp4');
    open.push(client);
    for (const address of ['127.0.0.2', '127.0.0.1']) {
      client.send(Buffer.from(address === '127.0.0.1' ? '40010001' : '40010002', 'hex'), portOf(transport), address);
      const [, from] = await once(client, 'message');
      expect(from).toMatchObject({ address, port: portOf(transport) });
    }
  });

  it('rejects with the address when the port is in use', async () => {
    const port = portOf(await bind(['127.0.0.1']));
    const busy = UdpTransport.bind({ hosts: ['127.0.0.1'], port });
    await expect(busy).rejects.toMatchObject({
      code: 'BIND',
      message: expect.stringContaining(`can't listen on udp 127.0.0.1:${port}: `),
    });
    await expect(busy).rejects.toThrow('EADDRINUSE');
  });

  it('binds all its addresses or none', async () => {
    const port = portOf(await bind(['127.0.0.2']));
    await expect(UdpTransport.bind({ hosts: ['127.0.0.1', '127.0.0.2'], port })).rejects.toThrow('127.0.0.2');
    await bind(['127.0.0.1'], port);
  });

  it('drops a datagram that it can not send', async () => {
    const transport = await bind(['127.0.0.1']);
    const datagram = Buffer.from('40000001', 'hex');
    for (const [address, port] of [
      ['::1', 5683],
      ['127.0.0.1', 0],
      ['127.0.0.1', 70_000],
      ['not an address', 1],
    ] as const) {
      transport.send(udpPeer(address, port), datagram);
    }
    transport.send(udpPeer('127.0.0.1', 9), new Uint8Array(70_000));
    await transport.close();
    transport.send(udpPeer('127.0.0.1', 9), datagram);
    await transport.close();
  });
});
