import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';

import { FailedAuthentications } from '../../src/server/failed-authentications.ts';
import { ManualClock } from '../manual-clock.ts';
import { useBareServers, VIEWER } from './bare-server.ts';

const startServer = useBareServers();

/** A server that knows the token `viewer`, allows three failures per minute, and remembers what was looked up. */
async function start() {
  const asked: string[] = [];
  const server = await startServer({
    limits: { failedAuthentications: 3 },
    async authenticate(token) {
      asked.push(token);
      return token === 'viewer' ? VIEWER : null;
    },
  });
  const ask = async (token: string): Promise<number> => {
    const response = await server.post({ query: '{ viewer { role } }' }, { Authorization: `Bearer ${token}` });
    await response.text();
    return response.status;
  };
  return { ...server, asked, ask };
}

const INVALID = ['first-secret-token', 'second-secret-token', 'third-secret-token'];

describe('invalid tokens of one address', () => {
  it('are answered 401, and 429 with Retry-After once there were too many, without a look-up', async () => {
    const { ask, post, asked, server, clock } = await start();
    for (const token of INVALID) expect(await ask(token)).toBe(401);
    await clock.advance(20_000);
    const response = await post({ query: '{ viewer { role } }' }, { Authorization: 'Bearer fourth-token' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '40']);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'TOO_MANY_INVALID_TOKENS' } }] });
    expect(asked).toEqual(INVALID);
    expect(server.failedAuthentications()).toEqual({ refused: 3, limited: 1 });
    await clock.advance(39_999);
    expect(await ask('fifth-token')).toBe(429);
    await clock.advance(1);
    expect(await ask('sixth-token')).toBe(401);
  });

  it('do not lock out a token that was valid before, but one that was not', async () => {
    const { ask, clock } = await start();
    expect(await ask('viewer')).toBe(200);
    for (const token of INVALID) await ask(token);
    expect(await ask('viewer')).toBe(200);
    await clock.advance(3_600_000);
    for (const token of INVALID) await ask(token);
    expect(await ask('viewer')).toBe(429);
  });

  it('are logged once per address and minute, without the token', async () => {
    const { ask, logged, clock } = await start();
    for (const token of [...INVALID, ...INVALID]) await ask(token);
    const lines = () => logged.filter(({ msg }) => msg === 'an invalid token was refused');
    expect(lines()).toMatchObject([{ address: '127.0.0.1', refused: 1 }]);
    await clock.advance(60_000);
    await ask('first-secret-token');
    expect(lines()).toMatchObject([{ refused: 1 }, { refused: 4, limited: 3 }]);
    expect(JSON.stringify(logged)).not.toContain('secret');
  });

  it('close a WebSocket with 4429', async () => {
    const { ask, url } = await start();
    for (const token of INVALID) await ask(token);
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { token: 'fourth-token' } }));
    const [code] = await once(socket, 'close');
    expect(code).toBe(4429);
  });

  it('do not include requests without a token', async () => {
    const { url, ask } = await start();
    for (const _ of INVALID) expect((await fetch(url, { method: 'POST' })).status).toBe(401);
    expect(await ask('viewer')).toBe(200);
  });
});

describe('invalid tokens with one prefix', () => {
  it('are limited over all addresses; other tokens are not', async () => {
    const log = { info: () => {}, warn: () => {}, error: () => {} };
    const failures = new FailedAuthentications({ limit: 3, clock: new ManualClock(), log });
    const access = { authenticate: async () => null };
    const tryFrom = (address: string, token: string) => failures.authenticate(access, token, address);
    for (const host of [1, 2, 3]) {
      expect(await tryFrom(`192.0.2.${host}`, `tl_leaked-token-${host}`)).not.toHaveProperty('retryAfter');
    }
    expect(await tryFrom('192.0.2.4', 'tl_leaked-token-4')).toMatchObject({ actor: null, retryAfter: 60 });
    expect(await tryFrom('192.0.2.4', 'tl_another-token')).not.toHaveProperty('retryAfter');
  });
});
