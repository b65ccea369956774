import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';

import { useBareServers, until } from './bare-server.ts';

const start = useBareServers();

describe('/healthz', () => {
  it('says that the process lives, and is kept by no cache', async () => {
    const { origin } = await start();
    const response = await fetch(`${origin}/healthz?from=probe`);
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }]);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(response.headers.get('cache-control')).toBe('no-store');
  });
});

describe('/readyz', () => {
  it('answers 503 with what is wrong while the process is not ready', async () => {
    const { origin } = await start({ ready: async () => ({ ready: false, checks: { database: 'away' } }) });
    const response = await fetch(`${origin}/readyz`);
    expect([response.status, await response.json()]).toEqual([503, { ready: false, checks: { database: 'away' } }]);
  });

  it('answers 503 while the server closes, without asking anything', async () => {
    let asked = 0;
    const held: (() => void)[] = [];
    const { origin, server } = await start({
      ready: async () => ({ ready: asked++ === 0, checks: {} }),
      metrics: () => new Promise((resolve) => held.push(() => resolve({ contentType: 'text/plain', text: 'up 1\n' }))),
    });
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.setEncoding('utf8').on('data', (text) => (received += text));
    socket.write(`GET /metrics HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer admin\r\n\r\n`);
    await until(() => held.length === 1);
    const closed = server.close();
    socket.write(`GET /readyz HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
    for (const release of held) release();
    await until(() => received.includes('"checks"'));
    expect(received).toMatch(/^HTTP\/1\.1 200 .*HTTP\/1\.1 503 .*\{"ready":false,"checks":\{"server":"closing"\}\}/s);
    expect(asked).toBe(0);
    socket.destroy();
    await closed;
  });

  it('answers 500 with an id, which is logged, when that fails', async () => {
    const { origin, logged } = await start({ ready: () => Promise.reject(new Error('secret')) });
    const response = await fetch(`${origin}/readyz`);
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(text).not.toContain('secret');
    expect(JSON.parse(text)).toMatchObject({ errors: [{ extensions: { code: 'INTERNAL_SERVER_ERROR' } }] });
    expect(logged).toMatchObject([{ err: { message: 'secret' } }]);
    expect(text).toContain(logged[0]?.['id']);
  });
});

describe('/metrics', () => {
  it.each([
    [{}, 401],
    [{ Authorization: 'Bearer viewer' }, 401],
    [{ Authorization: 'Bearer nobody' }, 401],
    [{ Authorization: 'Bearer admin' }, 200],
  ])('for a request with %j answers %i', async (headers, status) => {
    const { origin } = await start();
    const response = await fetch(`${origin}/metrics`, { headers: { ...headers } });
    expect(response.status).toBe(status);
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer realm="treeline"' : null);
    expect((await response.text()) === 'up 1\n').toBe(status === 200);
  });

  it('answers everybody where the settings say so', async () => {
    const { origin } = await start({ openMetrics: true });
    expect((await fetch(`${origin}/metrics`)).status).toBe(200);
  });
});

describe('a connection that the server keeps', () => {
  it('is closed when it falls idle while the server closes', async () => {
    const held: (() => void)[] = [];
    const { origin, server } = await start({
      metrics: () => new Promise((resolve) => held.push(() => resolve({ contentType: 'text/plain', text: 'up 1\n' }))),
    });
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    socket.resume();
    socket.write(`GET /metrics HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer admin\r\n\r\n`);
    await until(() => held.length === 1);
    const closed = server.close();
    expect(server.close()).toBe(closed);
    for (const release of held) release();
    await once(socket, 'close');
    await closed;
  });
});
