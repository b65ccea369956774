import { once } from 'node:events';
import { request } from 'node:https';
import { connect } from 'node:net';
import { createClient } from 'graphql-ws';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { createServerIdentity } from '../../src/dtls/index.ts';
import type { TlsIdentity } from '../../src/server/index.ts';
import { until, useBareServers } from './bare-server.ts';

const start = useBareServers();
const clients: { dispose(): void | Promise<void> }[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.dispose())));

const QUERY = '{ viewer { role } }';

function identity(): TlsIdentity {
  const { certificates, privateKey } = createServerIdentity({
    commonName: 'api',
    names: ['localhost', '127.0.0.1'],
    now: Date.now(),
    days: 7,
  });
  return { certificate: certificates, key: privateKey };
}

/** Posts a query over a new connection that trusts `certificate`; resolves with the text of the answer. */
async function post(url: string, { certificate }: TlsIdentity): Promise<string> {
  const asked = request(url, {
    method: 'POST',
    ca: certificate,
    agent: false,
    headers: { 'Content-Type': 'application/json', Authorization: 'Bearer viewer' },
  });
  asked.end(JSON.stringify({ query: QUERY }));
  const [answer] = await once(asked, 'response');
  let text = '';
  for await (const part of answer) text += String(part);
  return text;
}

describe('a server with a certificate', () => {
  it('answers over HTTPS and WSS, and not over HTTP', async () => {
    const tls = identity();
    const { url } = await start({ tls });
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/graphql$/);
    expect(JSON.parse(await post(url, tls))).toMatchObject({ data: { viewer: { role: 'VIEWER' } } });
    class Trusting extends WebSocket {
      constructor(address: string, protocols: string[]) {
        super(address, protocols, { ca: tls.certificate });
      }
    }
    const client = createClient({
      url: url.replace('https', 'wss'),
      webSocketImpl: Trusting,
      connectionParams: { token: 'viewer' },
      retryAttempts: 0,
    });
    clients.push(client);
    expect(await client.iterate({ query: QUERY }).next()).toMatchObject({ value: { data: { viewer: {} } } });
    await expect(fetch(url.replace('https', 'http'))).rejects.toThrow();
  });

  it('uses another certificate for new connections', async () => {
    const [first, second] = [identity(), identity()];
    const { url, server } = await start({ tls: first });
    await post(url, first);
    server.useCertificate(second);
    await post(url, second);
    await expect(post(url, first)).rejects.toThrow(/certificate/);
  });

  it('cuts a handshake that has not ended when it closes', async () => {
    const { origin, server, clock } = await start({ tls: identity(), limits: { drainMs: 500 } });
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    let ended = false;
    socket.on('error', () => {}).on('close', () => (ended = true));
    await once(socket, 'connect');
    // The server accepts connections in order: after this one is answered, it has the other.
    await fetch(origin.replace('https', 'http')).catch(() => {});
    const since = Date.now();
    const closed = server.close();
    await clock.advance(500);
    await closed;
    await until(() => ended);
    // A TLS server ends a handshake by itself only after 10 s.
    expect(Date.now() - since).toBeLessThan(8_000);
  });
});
