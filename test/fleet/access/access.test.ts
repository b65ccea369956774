import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { createEventBus } from '../../../src/events/index.ts';
import { createAccess } from '../../../src/fleet/access/keys.ts';
import { ensureAdminToken } from '../../../src/fleet/access/admin-token.ts';
import { DEFAULT_TENANT, ensureDefaultTenant } from '../../../src/fleet/access/tenants.ts';
import type { Access, Actor, FleetEvents, TenantId } from '../../../src/fleet/index.ts';
import { apiKeys, settings, tenants, type Store } from '../../../src/store/index.ts';
import { ManualClock } from '../../manual-clock.ts';
import { useStore } from '../../store/database.ts';

const store = useStore({ poolSize: 1 });
const clock = new ManualClock();
const bus = createEventBus<FleetEvents>();
const admin: Actor = { tenantId: DEFAULT_TENANT, role: 'admin', subject: 'admin-token', keyId: null };
const stranger: Actor = { ...admin, tenantId: 'umbrella' as TenantId };
let access: Access;

beforeAll(async () => {
  access = createAccess(store(), bus, clock);
  await ensureDefaultTenant(store(), clock);
  await ensureDefaultTenant(store(), clock);
  await store().asSystem((tx) => tx.insert(tenants).values({ id: 'umbrella', name: '', createdAt: new Date() }));
});

beforeEach(async () => {
  await store().asSystem(async (tx) => {
    await tx.delete(apiKeys);
    await tx.delete(settings);
  });
});

describe('the admin token', () => {
  it('is made at the first start, shown once, and is the default tenant’s admin', async () => {
    const made = await ensureAdminToken(store(), null);
    expect(made).toMatch(/^tl_[\w-]{43}$/);
    expect(await ensureAdminToken(store(), null)).toBeNull();
    expect(await access.authenticate(made ?? '')).toEqual(admin);
  });

  it('that is given replaces the one before, and is never shown', async () => {
    const made = await ensureAdminToken(store(), null);
    expect(await ensureAdminToken(store(), 'chosen by the operator')).toBeNull();
    expect(await access.authenticate('chosen by the operator')).toEqual(admin);
    expect(await access.authenticate(made ?? '')).toBeNull();
    expect(await ensureAdminToken(store(), null)).toBeNull();
    expect(await access.authenticate('chosen by the operator')).toEqual(admin);
  });

  it('is not in the database', async () => {
    await ensureAdminToken(store(), 'chosen by the operator');
    const stored = await store().asSystem((tx) => tx.select().from(settings));
    expect(JSON.stringify(stored)).not.toContain('chosen');
  });
});

describe('an API key', () => {
  it('gives its tenant and role to a request with its token', async () => {
    for (const role of ['viewer', 'operator', 'admin'] as const) {
      const { id, token } = await access.createKey(admin, { name: ' dashboard ', role });
      expect(token).toMatch(/^tl_[\w-]{43}$/);
      expect(await access.authenticate(token)).toEqual({ tenantId: 'default', role, subject: `key:${id}`, keyId: id });
    }
    expect((await access.keys(admin)).map(({ name, role }) => [name, role])).toEqual(
      expect.arrayContaining([
        ['dashboard', 'viewer'],
        ['dashboard', 'operator'],
        ['dashboard', 'admin'],
      ]),
    );
  });

  it('is stored without its token', async () => {
    const { token } = await access.createKey(admin, { name: 'dashboard', role: 'viewer' });
    const rows = await store().asSystem((tx) => tx.select().from(apiKeys));
    expect(JSON.stringify(rows)).not.toContain(token.slice(3));
  });

  it('is refused once it is revoked, and the revocation is published', async () => {
    const { id, token } = await access.createKey(admin, { name: 'dashboard', role: 'viewer' });
    const revocations = bus.subscribe('keyRevoked', DEFAULT_TENANT)[Symbol.asyncIterator]();
    await access.revokeKey(admin, id);
    expect(await access.authenticate(token)).toBeNull();
    expect(await access.keys(admin)).toEqual([]);
    expect((await revocations.next()).value).toEqual({ kind: 'event', value: { tenantId: 'default', keyId: id } });
    await expect(access.revokeKey(admin, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('of another tenant can be neither seen nor revoked', async () => {
    const { id, token } = await access.createKey(admin, { name: 'dashboard', role: 'viewer' });
    expect(await access.keys(stranger)).toEqual([]);
    await expect(access.revokeKey(stranger, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await access.authenticate(token)).not.toBeNull();
  });

  it.each([
    ['an empty name', { name: '  ', role: 'viewer' }, 'name'],
    ['a name too long', { name: 'n'.repeat(201), role: 'viewer' }, 'name'],
    ['a role that there is not', { name: 'n', role: 'root' as 'admin' }, 'role'],
  ] as const)('is not made with %s', async (_case, input, field) => {
    await expect(access.createKey(admin, input)).rejects.toMatchObject({ code: 'VALIDATION', field: [field] });
  });

  it('is managed by admins only', async () => {
    for (const role of ['viewer', 'operator'] as const) {
      const actor: Actor = { ...admin, role };
      await expect(access.createKey(actor, { name: 'n', role })).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(access.keys(actor)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(access.revokeKey(actor, 'x')).rejects.toMatchObject({ code: 'FORBIDDEN' });
    }
    await expect(access.revokeKey(admin, 'no uuid')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is listed after older ones', async () => {
    const ids: string[] = [];
    for (const name of ['c', 'a', 'b']) {
      ids.push((await access.createKey(admin, { name, role: 'viewer' })).id);
      await clock.advance(1_000);
    }
    const keys = await access.keys(admin);
    expect(keys.map(({ id }) => id)).toEqual(ids);
    expect(keys.at(-1)?.createdAt).toEqual(new Date(clock.now() - 1_000));
  });

  it('is refused when the tenant has 200 that are not revoked', async () => {
    await store().asTenant('default', (tx) =>
      tx.insert(apiKeys).values(
        Array.from({ length: 199 }, (_, n) => ({
          id: crypto.randomUUID(),
          tenantId: 'default',
          name: 'n',
          role: 'viewer' as const,
          tokenHash: String(n),
          createdAt: new Date(),
        })),
      ),
    );
    const { id } = await access.createKey(admin, { name: 'n', role: 'viewer' });
    await expect(access.createKey(admin, { name: 'n', role: 'viewer' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await access.revokeKey(admin, id);
    expect(await access.createKey(admin, { name: 'n', role: 'viewer' })).toMatchObject({ id: expect.any(String) });
  });
});

describe('an unknown token', () => {
  it.each(['', 'tl_', 'tl_' + 'A'.repeat(43), 'x'.repeat(1_000_000), "' or true --", '\0'])(
    'is refused',
    async (token) => {
      await ensureAdminToken(store(), null);
      await access.createKey(admin, { name: 'dashboard', role: 'viewer' });
      expect(await access.authenticate(token)).toBeNull();
    },
  );
});

/** An Access that counts its transactions as system. */
function counting() {
  const seen = { transactions: 0 };
  const counted: Store = {
    ...store(),
    asSystem(run) {
      seen.transactions++;
      return store().asSystem(run);
    },
  };
  const ownBus = createEventBus<FleetEvents>();
  return { seen, bus: ownBus, access: createAccess(counted, ownBus, clock) };
}

describe('a token that was valid a moment ago', () => {
  it('costs no transaction for 5 seconds; an invalid one always does', async () => {
    const { token } = await access.createKey(admin, { name: 'dashboard', role: 'viewer' });
    const { seen, access: own } = counting();
    const actor = await own.authenticate(token);
    await clock.advance(4_999);
    expect(await own.authenticate(token)).toEqual(actor);
    expect(seen.transactions).toBe(1);
    await clock.advance(1);
    await own.authenticate(token);
    expect(seen.transactions).toBe(2);
    await own.authenticate('unknown');
    await own.authenticate('unknown');
    expect(seen.transactions).toBe(4);
  });

  it('is refused when this or another process revokes its key', async () => {
    const { id, token } = await access.createKey(admin, { name: 'dashboard', role: 'viewer' });
    const own = counting();
    expect(await access.authenticate(token)).not.toBeNull();
    expect(await own.access.authenticate(token)).not.toBeNull();
    await access.revokeKey(admin, id);
    expect(await access.authenticate(token)).toBeNull();
    own.bus.publish('keyRevoked', DEFAULT_TENANT, { tenantId: DEFAULT_TENANT, keyId: id });
    await clock.advance(0);
    expect(await own.access.authenticate(token)).toBeNull();
  });
});
