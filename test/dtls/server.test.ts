import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import { afterEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../src/clock.ts';
import type { Transport } from '../../src/coap/index.ts';
import { DtlsError, DtlsServer, type DtlsServerOptions } from '../../src/dtls/index.ts';
import { Client, type ClientOptions } from './client.ts';
import { PSK } from './network.ts';

const credentials: DtlsServerOptions['credentials'] = {
  psk: async (identity) =>
    Buffer.from(identity).toString() === PSK.identity ? { key: PSK.key, credential: 'psk-1' } : null,
  rawPublicKey: async () => null,
  certificate: async () => ({ refused: 'unknown_ca', reason: 'no anchors' }),
};

const cleanUp: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step();
});

async function serve(options: Partial<DtlsServerOptions> = {}): Promise<DtlsServer> {
  const server = await DtlsServer.bind({ hosts: ['127.0.0.1'], port: 0, credentials, ...options });
  cleanUp.push(() => server.close());
  return server;
}

/** Connects a device on its own socket. Resolves when its handshake has ended. */
async function connect(port: number, options: Partial<ClientOptions> = {}) {
  const socket = createSocket('udp4');
  const client = new Client({
    clock: systemClock,
    suites: ['TLS_PSK_WITH_AES_128_CCM_8'],
    psk: PSK,
    transmit: (datagram) => socket.send(datagram, port, '127.0.0.1'),
    ...options,
  });
  socket.on('message', (datagram) => client.receive(datagram));
  cleanUp.push(() => {
    client.stop();
    socket.close();
  });
  client.start();
  while (client.state === 'shaking hands') await once(socket, 'message');
  return { client, socket };
}

function portOf(server: DtlsServer): number {
  return server.addresses[0]?.port ?? 0;
}

describe('the DTLS server', () => {
  it('is a Transport of src/coap: it passes datagrams from devices to the receiver and sends the answers', async () => {
    const server = await serve();
    // The compiler checks the contract here; src/dtls may not import src/coap.
    const transport: Transport = server;
    expect(transport.kind).toBe('dtls');
    const gone: string[] = [];
    transport.onPeerGone((peer) => gone.push(peer.key));
    transport.onDatagram((peer, datagram) => transport.send(peer, Buffer.concat([Buffer.from('re: '), datagram])));
    const { client, socket } = await connect(portOf(server));
    client.send(Buffer.from('reading'));
    await once(socket, 'message');
    expect(client.received.map(String)).toEqual(['re: reading']);
    client.close();
    await once(socket, 'message');
    expect(gone).toHaveLength(1);
  });

  it('reports each handshake', async () => {
    const reports: unknown[] = [];
    const server = await serve({ onHandshake: (report) => reports.push(report) });
    await connect(portOf(server));
    expect(reports).toMatchObject([
      { from: { address: '127.0.0.1' }, suite: 'TLS_PSK_WITH_AES_128_CCM_8', credential: 'psk-1' },
    ]);
    expect(JSON.stringify(reports)).not.toContain(PSK.key.toString('hex'));
  });

  it('sends close_notify when it closes', async () => {
    const server = await serve();
    const { client, socket } = await connect(portOf(server));
    const message = once(socket, 'message');
    await server.close();
    await message;
    expect(client.alerts).toEqual(['close_notify']);
  });

  it('continues suspended sessions after a restart on the same port', async () => {
    const key = randomBytes(32);
    const first = await serve();
    const port = portOf(first);
    const { client, socket } = await connect(port);
    const gone: unknown[] = [];
    first.onPeerGone((peer) => gone.push(peer));
    const sessions = await first.suspend(key);
    expect(gone).toEqual([]);
    const second = await serve({ port, saved: { sessions, key } });
    second.onDatagram((peer, datagram) => second.send(peer, datagram));
    expect(second.restored).toEqual({ restored: 1, refused: 0 });
    client.send(Buffer.from('still here'));
    await once(socket, 'message');
    expect([client.state, client.received.map(String)]).toEqual(['open', ['still here']]);
  });

  it('listens on several addresses with one port and answers from the address that received the datagram', async () => {
    const server = await serve({ hosts: ['127.0.0.1', '::1'] });
    const [v4, v6] = server.addresses;
    expect(v6?.port).toBe(v4?.port);
    expect((await connect(portOf(server))).client.state).toBe('open');
  });

  it.each<[string, Partial<DtlsServerOptions>]>([
    ['an address that is not its own', { hosts: ['203.0.113.1'] }],
    ['a worker id above 255', { settings: { workerId: 256 } }],
    ['no suite', { settings: { suites: [] } }],
  ])('refuses to start with %s', async (_what, options) => {
    const refusal = serve(options);
    await expect(refusal).rejects.toBeInstanceOf(DtlsError);
    await expect(refusal).rejects.toMatchObject({ code: 'settings' });
  });

  it('drops a message to an unknown peer, and one that is too long', async () => {
    const server = await serve();
    server.send({ key: 'nobody' }, Buffer.from('x'));
    const { client } = await connect(portOf(server));
    expect(client.state).toBe('open');
    server.onDatagram((peer) => server.send(peer, Buffer.alloc(20_000)));
    expect(server.metrics.dropped).toEqual({ unsendable: 1 });
  });
});
