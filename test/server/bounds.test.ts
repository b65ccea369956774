import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createClient } from 'graphql-sse';
import { describe, expect, it } from 'vitest';

import { DEFAULT_TENANT } from '../../src/fleet/index.ts';
import { useBareServers, until } from './bare-server.ts';

const start = useBareServers();

/** Costs 2 and is nested 2 deep. */
const ROLE = '{ viewer { role } }';
const SUBSCRIPTION = 'subscription { deviceStatusChanged { endpoint } }';

describe('the limits of an operation', () => {
  it('let pass what is exactly as large, with the cost', async () => {
    const { post } = await start({ limits: { complexity: 2, depth: 2 } });
    const response = await post({ query: ROLE });
    expect(await response.json()).toEqual({
      data: { viewer: { role: 'VIEWER' } },
      extensions: { cost: { complexity: 2, depth: 2, maximumComplexity: 2, maximumDepth: 2, remaining: 0 } },
    });
  });

  it.each([
    [{ complexity: 1 }, { maximumComplexity: 1, remaining: 0 }],
    [{ depth: 1 }, { maximumDepth: 1, remaining: 49_998 }],
  ])('of %j refuse what is larger, with the cost', async (limits, cost) => {
    const { post } = await start({ limits });
    const response = await post({ query: ROLE });
    expect(await response.json()).toEqual({
      errors: [{ message: expect.stringMatching(/./), extensions: { code: 'COST_LIMIT_EXCEEDED' } }],
      extensions: { cost: expect.objectContaining({ complexity: 2, depth: 2, ...cost }) },
    });
  });

  it.each([{ complexity: 1 }, { depth: 1 }])('of %j refuse a subscription that is larger', async (limits) => {
    const { url, server, bus } = await start({ limits });
    const client = createClient({ url, headers: { Authorization: 'Bearer viewer' }, retryAttempts: 0 });
    const results = client.iterate({ query: SUBSCRIPTION });
    expect(await results.next()).toMatchObject({
      value: { errors: [{ extensions: { code: 'COST_LIMIT_EXCEEDED' } }] },
    });
    expect(server.snapshot().sessions).toBe(0);
    bus.close();
    client.dispose();
  });

  it('let a text of so many tokens pass, and no longer one', async () => {
    const { post } = await start({ limits: { tokens: 6 } });
    expect(await (await post({ query: ROLE })).json()).toMatchObject({ data: {} });
    const longer = await post({ query: `query ${ROLE}` });
    expect(await longer.json()).toMatchObject({ errors: [{ message: expect.stringContaining('6') }] });
  });
});

describe('the limits of a request', () => {
  it('let a body of so many bytes pass, and no longer one', async () => {
    const body = JSON.stringify({ query: ROLE });
    const { post } = await start({ limits: { messageBytes: body.length } });
    expect((await post(body)).status).toBe(200);
    expect((await post(`${body} `)).status).toBe(413);
  });

  it('let so many connections open, and no more', async () => {
    const { origin } = await start({ limits: { connections: 1 } });
    const { hostname, port } = new URL(origin);
    const open = (): Socket => connect(Number(port), hostname);
    const first = open();
    await once(first, 'connect');
    const second = open();
    second.on('error', () => {}).resume();
    await once(second, 'close');
    first.write(`GET /healthz HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
    const [answer] = (await once(first, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
    first.destroy();
  });

  it('exclude files', async () => {
    const { url } = await start();
    const form = new FormData();
    form.set('operations', JSON.stringify({ query: ROLE }));
    form.set('map', '{}');
    const response = await fetch(url, { method: 'POST', headers: { Authorization: 'Bearer viewer' }, body: form });
    expect(response.status).toBe(415);
  });
});

describe('the page of GraphiQL', () => {
  it.each<[string, RequestInit, boolean, number]>([
    ['a browser that opens it', { headers: { Accept: 'text/html,*/*' } }, true, 200],
    ['a client that accepts JSON', { headers: { Accept: 'application/json' } }, true, 401],
    ['a POST', { method: 'POST', headers: { Accept: 'text/html' } }, true, 401],
    ['a browser where it is switched off', { headers: { Accept: 'text/html' } }, false, 401],
  ])('is there for %s: %#', async (_case, request, graphiql, status) => {
    const { url } = await start({ graphiql });
    const response = await fetch(url, request);
    await response.text();
    expect(response.status).toBe(status);
  });

  it('is not what a browser with a token gets where it is switched off', async () => {
    const { url } = await start({ graphiql: false });
    const response = await fetch(url, { headers: { Accept: 'text/html', Authorization: 'Bearer viewer' } });
    expect(response.headers.get('content-type') ?? '').not.toContain('text/html');
  });
});

describe('a preflight', () => {
  it('without an origin is answered 204', async () => {
    const { url } = await start();
    const response = await fetch(url, { method: 'OPTIONS' });
    expect([response.status, await response.text()]).toEqual([204, '']);
  });
});

describe('where the server listens', () => {
  const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));

  it.runIf(hasIpv6)('shows an IPv6 address in brackets', async () => {
    const { url, origin } = await start({ host: '::1' });
    expect(url).toMatch(/^http:\/\/\[::1\]:\d+\/graphql$/);
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  });

  it.each([
    ['192.0.2.1', '192.0.2.1:8080'],
    ['2001:db8::1', '[2001:db8::1]:8080'],
  ])('can’t be an address of another machine: %s', async (host, place) => {
    await expect(start({ host, port: 8080 })).rejects.toMatchObject({
      name: 'ServerError',
      code: 'CANNOT_LISTEN',
      message: expect.stringContaining(place),
    });
  });
});

describe('keys that were revoked while the listener was gone', () => {
  it('end the sessions of every key', async () => {
    const { url, server, bus } = await start();
    const client = createClient({ url, headers: { Authorization: 'Bearer viewer' }, retryAttempts: 0 });
    const results = client.iterate({ query: SUBSCRIPTION });
    const first = results.next();
    await until(() => server.snapshot().sessions === 1);
    // More than the buffer of a subscriber holds, and none of them is the key of the session.
    for (let key = 0; key < 2_000; key++)
      bus.publish('keyRevoked', DEFAULT_TENANT, { tenantId: DEFAULT_TENANT, keyId: `other-${key}` });
    expect(await first).toMatchObject({ value: { errors: [{ extensions: { code: 'KEY_REVOKED' } }] } });
    client.dispose();
  });
});
