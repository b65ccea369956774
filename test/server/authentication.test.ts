import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import type { Access, Actor, TenantId } from '../../src/fleet/index.ts';
import { authenticate, tokenOfParameters, tokenOfRequest } from '../../src/server/authentication.ts';

const tenantId = 'acme' as TenantId; // any tenant
const ACTOR: Actor = { tenantId, role: 'viewer', subject: 'key:1', keyId: '1' };

/** Knows the one token, and remembers what it was asked. */
function accessTo(known: string) {
  const asked: string[] = [];
  const access: Pick<Access, 'authenticate'> = {
    async authenticate(token) {
      asked.push(token);
      return token === known ? ACTOR : null;
    },
  };
  return { access: access as Access, asked }; // the rest of it has nothing to do with tokens
}

function request(authorization?: string): IncomingMessage {
  const message = new IncomingMessage(new Socket());
  if (authorization !== undefined) message.headers.authorization = authorization;
  return message;
}

describe('a token', () => {
  it('is that of its actor', async () => {
    expect(await authenticate(accessTo('t').access, 't')).toEqual({ actor: ACTOR });
  });

  it('that is not known, and no token at all, have no actor, and each a reason of its own', async () => {
    const { access, asked } = accessTo('t');
    const unknown = await authenticate(access, 'x');
    const none = await authenticate(access, null);
    expect(unknown).toEqual({ actor: null, message: expect.stringMatching(/./) });
    expect(none).toEqual({ actor: null, message: expect.stringMatching(/./) });
    expect(none).not.toEqual(unknown);
    expect(asked).toEqual(['x']);
  });

  it('of 256 characters is looked up, and a longer one is not', async () => {
    const longest = 'x'.repeat(256);
    const { access, asked } = accessTo(longest);
    expect(await authenticate(access, longest)).toEqual({ actor: ACTOR });
    expect(await authenticate(accessTo(`${longest}x`).access, `${longest}x`)).toMatchObject({ actor: null });
    expect(asked).toEqual([longest]);
  });
});

describe('the Authorization header', () => {
  it.each([
    ['Bearer abc', 'abc'],
    ['bearer abc', 'abc'],
    ['BEARER   abc', 'abc'],
    ['Bearer !~', '!~'],
    ['Bearer', null],
    ['Bearer ', null],
    ['Bearerabc', null],
    ['Bearer abc def', null],
    ['Bearer abc ', null],
    ['Bearer \u007f', null],
    ['Bearer tökén', null],
    ['x Bearer abc', null],
    ['Basic abc', null],
    ['abc', null],
    ['', null],
  ])('%j holds the token %j', (header, token) => {
    expect(tokenOfRequest(request(header))).toBe(token);
  });

  it('that is absent holds none', () => {
    expect(tokenOfRequest(request())).toBeNull();
  });
});

describe('the parameters of a connection', () => {
  it.each<[Record<string, unknown> | undefined, string | null]>([
    [{ token: 'a' }, 'a'],
    [{ authorization: 'Bearer b' }, 'b'],
    [{ Authorization: 'Bearer c' }, 'c'],
    [{ token: 'a', authorization: 'Bearer b', Authorization: 'Bearer c' }, 'a'],
    [{ authorization: 'Bearer b', Authorization: 'Bearer c' }, 'b'],
    [{ token: '', authorization: 'Bearer b' }, 'b'],
    [{ token: 7, Authorization: 'Bearer c' }, 'c'],
    [{ authorization: 'Basic b', Authorization: 'Bearer c' }, 'c'],
    [{ token: '' }, null],
    [{ authorization: 7 }, null],
    [{ authorization: ['Bearer b'] }, null],
    [{ authorization: 'b' }, null],
    [{}, null],
    [undefined, null],
  ])('%j hold the token %j', (parameters, token) => {
    expect(tokenOfParameters(parameters)).toBe(token);
  });
});
