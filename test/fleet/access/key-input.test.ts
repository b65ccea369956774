import { describe, expect, it } from 'vitest';
import { createEventBus } from '../../../src/events/index.ts';
import {
  type AccessEvents,
  type Actor,
  createAccess,
  DEFAULT_TENANT,
  LONGEST_TOKEN,
} from '../../../src/fleet/access/index.ts';
import { ManualClock } from '../../manual-clock.ts';
import { REACHED, reachedStore } from '../reached-store.ts';

const ADMIN: Actor = { tenantId: DEFAULT_TENANT, role: 'admin', subject: 'admin-token', keyId: null };
const access = createAccess(reachedStore, createEventBus<AccessEvents>(), new ManualClock());

describe('a token', () => {
  it.each([0, LONGEST_TOKEN + 1])('of %d characters is unknown without a query', async (length) => {
    expect(await access.authenticate('x'.repeat(length))).toBeNull();
  });

  it.each([1, LONGEST_TOKEN])('of %d characters is looked up', async (length) => {
    await expect(access.authenticate('x'.repeat(length))).rejects.toThrow(REACHED);
  });
});

describe('the name of an API key', () => {
  it.each(['', ' '.repeat(9), 'n'.repeat(201)])('is refused unless it has 1 to 200 characters (%#)', async (name) => {
    const created = access.createKey(ADMIN, { name, role: 'viewer' });
    await expect(created).rejects.toMatchObject({ code: 'VALIDATION', field: ['name'] });
  });

  it.each(['n', ` ${'n'.repeat(200)} `])('has 1 to 200 characters between its spaces (%#)', async (name) => {
    await expect(access.createKey(ADMIN, { name, role: 'viewer' })).rejects.toThrow(REACHED);
  });
});

it('does not look up an API key by an id that is not a UUID', async () => {
  await expect(access.revokeKey(ADMIN, 'no uuid')).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

it.each(['viewer', 'operator'] as const)('lets the role %s manage no API key', async (role) => {
  const actor: Actor = { ...ADMIN, role };
  const forbidden = { code: 'FORBIDDEN' };
  await expect(access.createKey(actor, { name: 'n', role })).rejects.toMatchObject(forbidden);
  await expect(access.keys(actor)).rejects.toMatchObject(forbidden);
  await expect(access.revokeKey(actor, 'x')).rejects.toMatchObject(forbidden);
});
