import { once } from 'node:events';
import { request as httpsRequest } from 'node:https';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { text } from 'node:stream/consumers';
import { createClient, type Client } from 'graphql-ws';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { ADMIN_TOKEN } from '../e2e/treeline-process.ts';
import { AUTHORIZATION, ENDPOINT, useProduct } from './clients/product.ts';
import { HOST, Proxy, requirePeer, type ProxyName } from './peers/index.ts';

const DEVICES = '{ devices(first: 1) { nodes { id endpoint } } }';
const CHANGES = 'subscription ($id: ID!) { deviceChanged(deviceId: $id) { changed } }';
const RENAME = 'mutation ($id: ID!, $name: String!) { updateDevice(input: { id: $id, name: $name }) { __typename } }';
/** Addresses of the clients, other than that of the proxies. */
const CLIENTS = { nginx: '127.0.0.2', caddy: '127.0.0.3' };
/** Pings come every 12 seconds; an event that a proxy holds back would come later than this. */
const AT_ONCE = { timeout: 5_000, interval: 20 };

interface Devices {
  readonly devices: { readonly nodes: readonly { readonly id: string; readonly endpoint: string }[] };
}

interface Request {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: object;
}

// The metrics are open on the server, so that nothing but the proxy keeps them from the world.
const product = useProduct({ TREELINE_TRUSTED_PROXIES: '127.0.0.1', TREELINE_METRICS_WITHOUT_TOKEN: 'true' });

/** Resolves when the server has this number of sessions: WebSockets and subscriptions. */
const sessions = (count: number): Promise<void> =>
  vi.waitFor(
    async () => {
      const metrics = await product().treeline.metrics();
      expect(/^treeline_subscribers\{what="operations"\} (\d+)$/m.exec(metrics)?.[1]).toBe(String(count));
    },
    { timeout: 20_000, interval: 50 },
  );

describe.each<ProxyName>(['nginx', 'caddy'])('the example of docs/operations.md for', (name) => {
  requirePeer(name, 'openssl')(name, () => {
    let proxy: Proxy;
    let id: string;
    const clients: Client[] = [];

    beforeAll(async () => {
      const { treeline } = product();
      proxy = await Proxy.start(name, Number(new URL(treeline.graphql).port));
      id = (await treeline.query<Devices>(DEVICES)).devices.nodes[0]?.id ?? '';
    });
    afterAll(async () => {
      await Promise.all(clients.map((client) => client.dispose()));
      await proxy?.stop();
    });

    async function open({ method = 'GET', path = '/graphql', headers, body }: Request): Promise<IncomingMessage> {
      const request = httpsRequest({
        host: '127.0.0.1',
        localAddress: CLIENTS[name],
        port: proxy.port,
        servername: HOST,
        ca: proxy.authority,
        agent: false,
        method,
        path,
        headers: { Host: HOST, ...(body && { 'Content-Type': 'application/json' }), ...headers },
      });
      request.end(body && JSON.stringify(body));
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return response;
    }

    const post = (body: object, headers: OutgoingHttpHeaders = {}): Promise<IncomingMessage> =>
      open({ method: 'POST', body, headers: { ...AUTHORIZATION, ...headers } });

    const rename = (to: string): Promise<unknown> => product().treeline.query(RENAME, { id, name: to });

    it('passes a query on', async () => {
      const response = await post({ query: DEVICES });
      expect(response.statusCode).toBe(200);
      expect(JSON.parse(await text(response))).toMatchObject({
        data: { devices: { nodes: [{ id, endpoint: ENDPOINT }] } },
      });
    });

    it('passes an event of SSE on at once', async () => {
      const response = await post({ query: CHANGES, variables: { id } }, { Accept: 'text/event-stream' });
      expect(response.headers['content-type']).toContain('text/event-stream');
      let received = '';
      response.on('data', (chunk: Buffer) => (received += chunk.toString()));
      response.on('error', () => {}); // the end of this test
      await sessions(1);
      await rename(`${name} over SSE`);
      await vi.waitFor(() => expect(received).toContain('{"data":{"deviceChanged":{"changed":'), AT_ONCE);
      response.destroy();
      await sessions(0);
    });

    it('passes a subscription over WebSocket on', async () => {
      const { authority, port } = proxy;
      class Socket extends WebSocket {
        constructor(url: string, protocol: string) {
          const options = { ca: authority, servername: HOST, headers: { Host: HOST, Origin: `https://${HOST}` } };
          super(url, protocol, options);
        }
      }
      const client = createClient({
        url: `wss://127.0.0.1:${port}/graphql`,
        webSocketImpl: Socket,
        connectionParams: { token: ADMIN_TOKEN },
        retryAttempts: 0,
      });
      clients.push(client);
      const event = client.iterate({ query: CHANGES, variables: { id } }).next();
      event.catch(() => {}); // awaited below
      await Promise.race([sessions(2), event]);
      await rename(`${name} over WebSocket`);
      expect(await event).toMatchObject({ value: { data: { deviceChanged: { changed: expect.any(Array) } } } });
      await client.dispose();
      await sessions(0);
    });

    it.each(['/metrics', '/metrics?x=1', '/%6Detrics', '//metrics', '/x/../metrics', '/metrics/'])(
      'does not pass %s on',
      async (path) => {
        expect((await fetch(new URL('/metrics', product().treeline.graphql))).status).toBe(200);
        const response = await open({ path });
        expect(response.statusCode).toBe(404);
        expect(await text(response)).not.toContain('treeline_');
      },
    );

    it('shows GraphiQL, whose own query is allowed, and no other page’s', async () => {
      const page = await open({ headers: { Accept: 'text/html' } });
      expect([page.statusCode, await text(page)]).toEqual([200, expect.stringContaining('GraphiQL')]);
      const own = await post({ query: '{ viewer { role } }' }, { Origin: `https://${HOST}` });
      expect([own.statusCode, await text(own)]).toEqual([200, expect.stringContaining('{"role":"ADMIN"}')]);
      for (const Origin of ['https://other.example.com', `http://${HOST}`]) {
        const other = await post({ query: '{ viewer { role } }' }, { Origin });
        expect([other.statusCode, await text(other)]).toEqual([403, expect.stringContaining(Origin)]);
      }
    });

    it('returns the X-Request-Id of the caller, or a new one', async () => {
      const asked = await post({ query: DEVICES }, { 'X-Request-Id': 'of-the-caller' });
      expect(asked.headers['x-request-id']).toBe('of-the-caller');
      expect((await open({ path: '/healthz' })).headers['x-request-id']).toMatch(/^[0-9a-f-]{32,36}$/);
    });

    it('tells the address of the client, whatever the client says', async () => {
      // The limit of invalid tokens counts addresses, and beginnings of tokens, which differ here.
      const statuses: (number | undefined)[] = [];
      for (let index = 0; index <= 30; index++) {
        const headers = { Authorization: `Bearer ${index}-${name}-unknown`, 'X-Forwarded-For': `192.0.2.${index}` };
        statuses.push((await post({ query: DEVICES }, headers)).statusCode);
      }
      expect([statuses.at(0), statuses.at(-1)]).toEqual([401, 429]);
    });
  });
});
