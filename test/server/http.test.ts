import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useStore } from '../store/database.ts';
import { apiWorld, type ApiWorld } from './api-world.ts';

const store = useStore();
let world: ApiWorld;
beforeAll(async () => {
  world = await apiWorld(store(), { allowedOrigins: ['https://app.example.com'] });
});
afterAll(() => world.stop());

const VIEWER = '{ viewer { role tenant { slug } subject } }';
const origin = (): string => new URL(world.url).origin;

function metrics(headers: Record<string, string>): Promise<Response> {
  return fetch(`${origin()}/metrics`, { headers });
}

function post(body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(world.url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${world.tokens.admin}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

describe('authentication', () => {
  it('answers viewer with the tenant, the role and the subject of the token', async () => {
    expect((await world.ask(VIEWER)).body.data).toEqual({
      viewer: { role: 'ADMIN', tenant: { slug: 'default' }, subject: 'admin-token' },
    });
    expect((await world.ask(VIEWER, {}, world.tokens.viewer)).body.data).toMatchObject({ viewer: { role: 'VIEWER' } });
    expect((await world.ask(VIEWER, {}, world.tokens.other)).body.data).toMatchObject({
      viewer: { tenant: { slug: 'globex' } },
    });
  });

  it.each([
    ['no header', undefined, /A token is required/],
    ['another scheme', 'Basic dXNlcjpwYXNz', /A token is required/],
    ['an empty token', 'Bearer ', /A token is required/],
    ['an unknown token', 'Bearer an-unknown-token', /is unknown or was revoked/],
    ['a token of 10,000 characters', `Bearer ${'x'.repeat(10_000)}`, /is unknown or was revoked/],
  ])('answers 401 with the reason to %s', async (_case, authorization, why) => {
    const response = await fetch(world.url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
      body: JSON.stringify({ query: VIEWER }),
    });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="treeline"');
    expect(await response.json()).toEqual({
      errors: [{ message: expect.stringMatching(why), extensions: { code: 'UNAUTHENTICATED' } }],
    });
  });

  it('ignores a token in the URL', async () => {
    const response = await fetch(`${world.url}?token=${world.tokens.admin}&query=${encodeURIComponent(VIEWER)}`);
    expect(response.status).toBe(401);
  });
});

/** Requests the GraphiQL page as a browser does. */
function page(headers: Record<string, string> = {}): Promise<Response> {
  return fetch(world.url, { headers: { Accept: 'text/html', ...headers } });
}

/** The URLs of the assets that the page names. */
async function assetsOf(): Promise<string[]> {
  const text = await (await page()).text();
  return [...text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path = '']) => new URL(path, world.url).href);
}

describe('GraphiQL', () => {
  it('loads without a token, with a small page and assets of this server that a browser may keep', async () => {
    const response = await page();
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
    const text = await response.text();
    expect(text.length).toBeLessThan(250_000);
    expect(text).not.toMatch(/<(?:script|link)[^>]+(?:src|href)="?https?:/);
    const assets = await assetsOf();
    expect(assets).toHaveLength(3);
    for (const asset of assets) {
      const { status, headers } = await fetch(asset);
      expect([status, headers.get('cache-control')]).toEqual([200, 'public, max-age=31536000, immutable']);
      expect(headers.get('content-encoding')).toBe('gzip');
    }
  });

  it('may not run in a frame or load anything from elsewhere', async () => {
    const { headers } = await page();
    expect(headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(headers.get('x-frame-options')).toBe('DENY');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('has a field for the token, and does not keep what is entered there', async () => {
    const start = (await assetsOf()).find((url) => url.endsWith('start.js')) ?? '';
    const script = await (await fetch(start)).text();
    expect(script).toContain('Bearer <token>');
    expect(script).toContain('"shouldPersistHeaders":false');
  });

  it('answers 304 to a browser that has the page, and the bytes to a client without gzip', async () => {
    const etag = (await page()).headers.get('etag') ?? '';
    expect((await page({ 'If-None-Match': etag })).status).toBe(304);
    for (const encoding of ['identity', 'gzip;q=0']) {
      const plain = await page({ 'Accept-Encoding': encoding });
      expect(plain.headers.get('content-encoding')).toBeNull();
      expect(await plain.text()).toContain('<!doctype html>');
    }
  });

  it('keeps no memory for clients that do not read', async () => {
    const app = (await assetsOf()).find((url) => url.endsWith('app.js')) ?? '';
    await (await fetch(app)).arrayBuffer();
    const { hostname, port, pathname } = new URL(app);
    const before = process.memoryUsage();
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect(Number(port), hostname).pause();
        await once(socket, 'connect');
        socket.write(`GET ${pathname} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n`);
        return socket;
      }),
    );
    // The server answers another client while the others do not read.
    expect((await page()).status).toBe(200);
    const after = process.memoryUsage();
    for (const socket of sockets) socket.destroy();
    const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
    expect(grown / sockets.length).toBeLessThan(1024 * 1024);
  });

  it('can query the schema with a token', async () => {
    const { body } = await world.ask(
      '{ __schema { queryType { name } types { fields { args { type { ofType { name } } } } } } }',
    );
    expect(body.errors).toBeUndefined();
    expect(body.data).toMatchObject({ __schema: { queryType: { name: 'Query' } } });
  });
});

describe('a browser', () => {
  it('may call from a listed origin', async () => {
    const preflight = await fetch(world.url, { method: 'OPTIONS', headers: { Origin: 'https://app.example.com' } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Authorization');
    const answer = await post({ query: VIEWER }, { Origin: 'https://app.example.com' });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example.com');
    expect(answer.headers.get('vary')).toContain('Origin');
  });

  it('may not call from another origin, but read why', async () => {
    const page = { Origin: 'https://evil.example' };
    // Without this the browser does not send the request, and shows no text.
    expect((await fetch(world.url, { method: 'OPTIONS', headers: page })).status).toBe(204);
    const answer = await post({ query: VIEWER }, page);
    expect(answer.status).toBe(403);
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://evil.example');
    expect(await answer.json()).toEqual({
      errors: [
        {
          message: 'The origin https://evil.example is not allowed. Add it to TREELINE_ALLOWED_ORIGINS.',
          extensions: { code: 'FORBIDDEN' },
        },
      ],
    });
  });

  it('may call from the origin of the server', async () => {
    expect((await post({ query: VIEWER }, { Origin: origin() })).status).toBe(200);
  });
});

describe('a request beyond a limit', () => {
  it('is refused for a body of more than 1 MiB, with and without Content-Length', async () => {
    const query = `{ viewer { role } } #${'x'.repeat(1024 * 1024)}`;
    expect((await post({ query })).status).toBe(413);
    const { hostname, port } = new URL(world.url);
    const socket = connect(Number(port), hostname);
    const chunk = 'x'.repeat(65_536);
    socket.write(
      `POST /graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nAuthorization: Bearer ${world.tokens.admin}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let sent = 0; sent < 20; sent++) socket.write(`${chunk.length.toString(16)}\r\n${chunk}\r\n`);
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('is refused for a batch', async () => {
    const response = await post([{ query: VIEWER }, { query: VIEWER }]);
    expect(response.status).toBe(400);
  });

  it('is refused for a query of more than 5,000 lexical tokens', async () => {
    const { body } = await world.ask(`{ ${'viewer { role } '.repeat(2_000)} }`);
    expect(body.errors?.[0]?.message).toMatch(/more that 5000 tokens/);
  });

  it('is refused for a page of more than 200 items', async () => {
    const { body } = await world.ask('{ devices(first: 201) { totalCount } }');
    expect(body.errors?.[0]).toMatchObject({
      message: 'first: 201 is not in 1..200',
      extensions: { code: 'VALIDATION', field: ['first'] },
    });
  });

  it('is refused above the complexity limit, with its cost', async () => {
    const { body } = await world.ask(
      '{ device(endpoint: "x") { rpcs(first: 200) { nodes { device { rpcs(first: 200) { nodes { method status } } } } } } }',
    );
    expect(body.errors?.[0]).toMatchObject({
      message: expect.stringMatching(/^The operation costs \d+; the limit is 50000\./),
      extensions: { code: 'COST_LIMIT_EXCEEDED' },
    });
    expect(body.extensions).toMatchObject({ cost: { maximumComplexity: 50_000, remaining: 0 } });
  });

  it('is refused above the depth limit', async () => {
    const nested = (depth: number): string =>
      depth === 0 ? 'endpoint' : `rpcs(first: 1) { edges { node { device { ${nested(depth - 1)} } } } }`;
    const { body } = await world.ask(`{ device(endpoint: "x") { ${nested(4)} } }`);
    expect(body.errors?.[0]?.message).toMatch(/^The operation has \d+ levels; the limit is 15\./);
  });
});

describe('the cost', () => {
  it('is in the extensions of every result, and viewer has the limits', async () => {
    const { body } = await world.ask('{ viewer { limits { maximumComplexity maximumDepth maximumPageSize } } }');
    expect(body.data).toEqual({
      viewer: { limits: { maximumComplexity: 50_000, maximumDepth: 15, maximumPageSize: 200 } },
    });
    expect(body.extensions).toEqual({
      cost: { complexity: 5, depth: 3, maximumComplexity: 50_000, maximumDepth: 15, remaining: 49_995 },
    });
  });

  it('counts only the executed operation of a document', async () => {
    const response = await post({
      query: 'query Big { devices(first: 200) { edges { node { id } } } } query Small { viewer { role } }',
      operationName: 'Small',
    });
    expect(await response.json()).toMatchObject({ extensions: { cost: { complexity: 2 } } });
  });
});

describe('an unexpected error', () => {
  it('is masked, has an id and is logged once under this id for any number of fields', async () => {
    const failing = await apiWorld(store(), {}, (fleet) => ({
      ...fleet,
      devices: {
        ...fleet.devices,
        many: async () => {
          throw new Error('password=hunter2');
        },
      },
    }));
    try {
      const id = '00000000-0000-4000-8000-000000000001';
      const { body } = await failing.ask(`{ a: device(id: "${id}") { id } b: device(id: "${id}") { id } }`);
      expect(body.errors).toHaveLength(2);
      const [first] = body.errors ?? [];
      expect(JSON.stringify(body)).not.toContain('hunter2');
      expect(first?.extensions).toMatchObject({ code: 'INTERNAL_SERVER_ERROR', id: expect.any(String) });
      expect(body.errors?.map(({ extensions }) => extensions?.['id'])).toEqual([
        first?.extensions?.['id'],
        first?.extensions?.['id'],
      ]);
      expect(failing.logged).toHaveLength(1);
      expect(failing.logged[0]).toMatchObject({ id: first?.extensions?.['id'], err: { message: 'password=hunter2' } });
    } finally {
      await failing.stop();
    }
  });
});

describe('health', () => {
  it('answers /healthz and /readyz', async () => {
    expect(await (await fetch(`${origin()}/healthz`)).json()).toEqual({ status: 'ok' });
    const ready = await fetch(`${origin()}/readyz`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toEqual({ ready: true, checks: { database: 'ok' } });
  });

  it('shows metrics to an admin only', async () => {
    expect((await metrics({})).status).toBe(401);
    expect((await metrics({ Authorization: `Bearer ${world.tokens.viewer}` })).status).toBe(401);
    const shown = await metrics({ Authorization: `Bearer ${world.tokens.admin}` });
    expect([shown.status, await shown.text()]).toEqual([200, 'treeline_up 1\n']);
  });

  it('answers 404 on other paths, with the path of the API', async () => {
    const response = await fetch(`${origin()}/`);
    expect(response.status).toBe(404);
    expect(await response.text()).toContain('/graphql');
  });
});

describe('a server that starts', () => {
  it('names the address whose port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    // A listening TCP server has an AddressInfo.
    const { port } = other.address() as AddressInfo;
    await expect(apiWorld(store(), { port })).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: `cannot listen on 127.0.0.1:${port}: the port is in use`,
    });
    other.close();
  });
});

describe('a body that is not JSON', () => {
  it('is answered 400, and no part of it is repeated', async () => {
    const response = await fetch(world.url, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/graphql-response+json',
        Authorization: `Bearer ${world.tokens.viewer}`,
      },
      body: '{"query": "secret-in-the-body',
    });
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain('invalid JSON');
    expect(text).not.toContain('secret');
  });
});

describe('without introspection', () => {
  it('answers queries but not about the schema', async () => {
    const closed = await apiWorld(store(), { introspection: false, graphiql: false });
    try {
      expect((await closed.ask(VIEWER)).body.errors).toBeUndefined();
      const misspelt = await closed.ask('{ devicez(first: 1) { totalCount } }');
      expect(misspelt.body.errors?.[0]?.message).toBe('Cannot query field "devicez" on type "Query".');
      const { body } = await closed.ask('{ __schema { queryType { name } } }');
      expect(body.errors?.[0]?.message).toMatch(/introspection/i);
      const answer = await fetch(closed.url, { headers: { Accept: 'text/html' } });
      expect(answer.status).toBe(401);
    } finally {
      await closed.stop();
    }
  });
});
