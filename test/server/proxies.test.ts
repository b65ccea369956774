import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import { createClient } from 'graphql-sse';
import { describe, expect, it } from 'vitest';

import { until, useBareServers, type BareServer } from './bare-server.ts';

const start = useBareServers();
const SUBSCRIPTION = 'subscription { deviceStatusChanged { endpoint } }';
const QUERY = '{ viewer { role } }';

function stream({ url }: BareServer): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'text/event-stream', Authorization: 'Bearer viewer' },
    body: JSON.stringify({ query: SUBSCRIPTION }),
  });
}

describe('a stream of events', () => {
  it('tells proxies not to hold it back', async () => {
    const world = await start();
    const response = await stream(world);
    expect(response.headers.get('x-accel-buffering')).toBe('no');
    expect((await world.post({ query: QUERY })).headers.get('x-accel-buffering')).toBeNull();
    await response.body?.cancel();
  });

  it('is cut without an end when the server closes', async () => {
    const world = await start();
    const response = await stream(world);
    let text = '';
    const ended = (async () => {
      for await (const part of response.body ?? []) text += Buffer.from(part).toString();
    })();
    await until(() => world.server.snapshot().sessions === 1);
    await Promise.all([expect(ended).rejects.toThrow(), world.server.close()]);
    expect(text).not.toContain('event: complete');
  });

  it('is opened again by graphql-sse after the server closed', async () => {
    const world = await start();
    let retries = 0;
    const client = createClient({
      url: world.url,
      headers: { Authorization: 'Bearer viewer' },
      retryAttempts: 1,
      retry: async () => void retries++,
    });
    const results = client.iterate({ query: SUBSCRIPTION });
    results.next().catch(() => {});
    await until(() => world.server.snapshot().sessions === 1);
    await world.server.close();
    await until(() => retries === 1);
    client.dispose();
  });
});

describe('a request', () => {
  it('with a compressed body is answered 415', async () => {
    const { url } = await start();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip', Authorization: 'Bearer viewer' },
      body: gzipSync(JSON.stringify({ query: QUERY })),
    });
    expect([response.status, response.headers.get('accept-encoding')]).toEqual([415, 'identity']);
    expect(await response.json()).toMatchObject({ errors: [{ message: expect.stringContaining('"gzip"') }] });
  });

  it.each(['/graphql?query=%7B__typename%7D', '/healthz', '/readyz'])('HEAD %s is answered as GET', async (path) => {
    const { origin } = await start();
    const headers = { Authorization: 'Bearer viewer' };
    const [head, get] = await Promise.all([
      fetch(`${origin}${path}`, { method: 'HEAD', headers }),
      fetch(`${origin}${path}`, { headers }),
    ]);
    expect([head.status, head.headers.get('content-type')]).toEqual([200, get.headers.get('content-type')]);
    expect(await head.text()).toBe('');
  });

  it.each([
    ['POST', ''],
    ['GET', `?extensions=${encodeURIComponent('{"persistedQuery":{"version":1,"sha256Hash":"abc"}}')}`],
  ])('by %s for a persisted query is answered that there are none', async (method, query) => {
    const { url } = await start();
    const response = await fetch(url + query, {
      method,
      headers: { 'Content-Type': 'application/json', Authorization: 'Bearer viewer' },
      ...(method === 'POST' && {
        body: JSON.stringify({ extensions: { persistedQuery: { version: 1, sha256Hash: 'abc' } } }),
      }),
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      errors: [{ message: 'PersistedQueryNotSupported', extensions: { code: 'PERSISTED_QUERY_NOT_SUPPORTED' } }],
    });
  });

  it('with the text and the hash of a persisted query is executed', async () => {
    const { post } = await start();
    const persistedQuery = { version: 1, sha256Hash: 'abc' };
    const response = await post({ query: QUERY, extensions: { persistedQuery } });
    expect(await response.json()).toMatchObject({ data: { viewer: { role: 'VIEWER' } } });
  });
});

describe('X-Request-Id', () => {
  it('is returned, and logged with the failure and the address of the client', async () => {
    const { origin, logged } = await start({
      ready: () => Promise.reject(new Error('broken')),
      trustedProxies: ['127.0.0.1'],
    });
    const response = await fetch(`${origin}/readyz`, {
      headers: { 'X-Request-Id': 'req-1', 'X-Forwarded-For': '192.0.2.7' },
    });
    expect([response.status, response.headers.get('x-request-id')]).toEqual([500, 'req-1']);
    expect(logged).toMatchObject([{ requestId: 'req-1', client: '192.0.2.7', err: { message: 'broken' } }]);
  });

  it('is new for a request without one', async () => {
    const { origin } = await start();
    const ids = await Promise.all([1, 2].map(async () => (await fetch(origin)).headers.get('x-request-id')));
    expect(new Set(ids).size).toBe(2);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('behind a trusted proxy', () => {
  it('the limit of invalid tokens counts each client alone', async () => {
    const { post } = await start({ trustedProxies: ['127.0.0.1'], limits: { failedAuthentications: 1 } });
    const ask = async (client: string, token: string): Promise<number> =>
      (await post({ query: QUERY }, { 'X-Forwarded-For': client, Authorization: `Bearer ${token}` })).status;
    expect(await ask('192.0.2.7', 'first-unknown-token')).toBe(401);
    expect(await ask('192.0.2.7', 'other-unknown-token')).toBe(429);
    expect(await ask('192.0.2.8', 'third-unknown-token')).toBe(401);
  });
});

describe('an idle connection', () => {
  it('stays open as long as the settings say', async () => {
    const { origin } = await start({ keepAliveMs: 90_000 });
    const asked = httpRequest(`${origin}/healthz`, { headers: { Connection: 'keep-alive' } }).end();
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    expect(response.headers['keep-alive']).toBe('timeout=90');
    asked.destroy();
  });
});
