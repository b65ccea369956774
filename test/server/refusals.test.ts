import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { useBareServers, type BareServer } from './bare-server.ts';

const APP = 'https://app.example.com';
const ROLE = JSON.stringify({ query: '{ viewer { role } }' });

const start = useBareServers({ allowedOrigins: [APP] });

function upgrade({ url }: BareServer, path: string, headers: Record<string, string>): WebSocket {
  const target = new URL(path, url.replace('http', 'ws'));
  return new WebSocket(target, 'graphql-transport-ws', { headers });
}

describe('a request over HTTP', () => {
  it.each([
    ['a page on the list', 200, APP],
    ['a page of another origin', 403, 'https://evil.example'],
  ])('of %s is answered %i, which the page can read', async (_case, status, Origin) => {
    const { post } = await start();
    const response = await post(ROLE, { Origin });
    const body: unknown = await response.json();
    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe(Origin);
    if (status === 403) expect(body).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it.each([
    ['no token', {}],
    ['a token that is not known', { Authorization: 'Bearer nobody' }],
    ['another scheme', { Authorization: 'Basic dmlld2Vy' }],
  ])('with %s is answered 401', async (_case, headers) => {
    const { url } = await start();
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: ROLE,
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="treeline"');
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] });
  });

  it.each(['/', '/graphql/', '/healthz/x', '/Metrics'])('for %s is answered 404', async (path) => {
    const { origin } = await start();
    const response = await fetch(`${origin}${path}`, { headers: { Authorization: 'Bearer viewer' } });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
  });

  it('may have its query in the URL', async () => {
    const { url } = await start();
    const response = await fetch(`${url}?query=${encodeURIComponent('{ viewer { role } }')}`, {
      headers: { Authorization: 'Bearer viewer' },
    });
    expect(await response.json()).toMatchObject({ data: { viewer: { role: 'VIEWER' } } });
  });

  it('may hold one operation and no batch', async () => {
    const { post } = await start();
    const response = await post(`[${ROLE},${ROLE}]`);
    await response.text();
    expect(response.status).toBe(400);
  });
});

describe('the schema', () => {
  const query = '{ __schema { queryType { name } } }';

  it('may be asked for where introspection is on', async () => {
    const { post } = await start();
    expect(await (await post({ query })).json()).toMatchObject({
      data: { __schema: { queryType: { name: 'Query' } } },
    });
  });

  it('may not be asked for where it is off', async () => {
    const { post } = await start({ introspection: false });
    const refused = await (await post({ query })).json();
    expect(refused).toMatchObject({ errors: [{ message: expect.stringMatching(/introspection/i) }, {}] });
    expect(refused).not.toHaveProperty('data');
    expect(await (await post(ROLE)).json()).toMatchObject({ data: { viewer: { role: 'VIEWER' } } });
  });
});

describe('an upgrade to a WebSocket', () => {
  it.each<[string, string, Record<string, string>, number]>([
    ['of a page of another origin', '/graphql', { Origin: 'https://evil.example' }, 403],
    ['on another path', '/elsewhere', {}, 404],
    ['on a path that begins alike', '/graphql/x', {}, 404],
  ])('%s is refused', async (_case, path, headers, status) => {
    const world = await start();
    const socket = upgrade(world, path, headers);
    socket.on('error', () => {});
    const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }];
    expect(response.statusCode).toBe(status);
    socket.terminate();
    expect(world.server.snapshot().webSockets).toBe(0);
  });

  it('of a page on the list is taken', async () => {
    const world = await start();
    const socket = upgrade(world, '/graphql', { Origin: APP });
    await once(socket, 'open');
    expect(world.server.snapshot().webSockets).toBe(1);
    socket.terminate();
  });
});
