import { describe, expect, it } from 'vitest';
import type { Actor, TenantId } from '../../src/fleet/index.ts';
import { Sessions } from '../../src/server/sessions.ts';

function actor(keyId: string | null): Actor {
  const tenantId = 'acme' as TenantId; // any tenant
  return { tenantId, role: 'viewer', subject: keyId === null ? 'admin-token' : `key:${keyId}`, keyId };
}

/** Opens sessions of the keys a, a, b and of the admin token; records which have ended and why. */
function opened() {
  const sessions = new Sessions();
  const ended: string[] = [];
  const close = ['a', 'a', 'b', null].map((key, at) =>
    sessions.open(actor(key), ({ code }) => void ended.push(`${at} ${code}`)),
  );
  return { sessions, ended, close };
}

describe('sessions', () => {
  it('end with their key, and sessions of other keys stay open', () => {
    const { sessions, ended } = opened();
    sessions.revoke('a');
    sessions.revoke('a');
    expect(ended).toEqual(['0 KEY_REVOKED', '1 KEY_REVOKED']);
    expect(sessions.count).toBe(2);
  });

  it('that open with a revoked key end immediately', async () => {
    const { sessions } = opened();
    for (let key = 0; key < 2_000; key++) sessions.revoke(`key-${key}`);
    const why = await new Promise((resolve) => {
      sessions.open(actor('key-1999'), resolve);
    });
    expect(why).toEqual({ code: 'KEY_REVOKED', message: 'The API key was revoked.' });
  });

  it('that open with a key revoked before 1,000 others do not end, because so many are remembered', async () => {
    const { sessions } = opened();
    for (let key = 0; key < 1_001; key++) sessions.revoke(`key-${key}`);
    const ended: string[] = [];
    sessions.open(actor('key-0'), () => ended.push('key-0'));
    sessions.open(actor('key-1'), () => ended.push('key-1'));
    sessions.open(actor(null), () => ended.push('the admin token'));
    await Promise.resolve();
    expect(ended).toEqual(['key-1']);
  });

  it('that are closed before they end are not ended', async () => {
    const { sessions } = opened();
    sessions.revoke('c');
    let ended = 0;
    const close = sessions.open(actor('c'), () => ended++);
    close();
    await Promise.resolve();
    expect([ended, sessions.count]).toEqual([0, 4]);
  });

  it('of all keys end when revocations were missed', () => {
    const { sessions, ended } = opened();
    sessions.revokeAny();
    expect(ended).toEqual(['0 KEY_REVOKED', '1 KEY_REVOKED', '2 KEY_REVOKED']);
    expect(sessions.count).toBe(1);
  });

  it('that ended by themselves are not ended again', () => {
    const { sessions, ended, close } = opened();
    close[0]?.();
    sessions.close();
    expect(ended).toEqual(['1 SERVER_CLOSING', '2 SERVER_CLOSING', '3 SERVER_CLOSING']);
    expect(sessions.count).toBe(0);
  });

  it('that open while the server closes end immediately', async () => {
    const { sessions } = opened();
    sessions.close();
    const why = await new Promise((resolve) => {
      sessions.open(actor('c'), resolve);
    });
    expect(why).toEqual({ code: 'SERVER_CLOSING', message: 'The server is closing.' });
    expect(sessions.count).toBe(0);
  });
});
