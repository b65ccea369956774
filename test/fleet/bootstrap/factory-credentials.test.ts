import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createEventBus } from '../../../src/events/index.ts';
import { type Actor, DEFAULT_TENANT } from '../../../src/fleet/access/index.ts';
import { createFactoryLookUp, FactoryCredentials, matches } from '../../../src/fleet/bootstrap/factory-credentials.ts';
import { type CredentialEvents, Seal } from '../../../src/fleet/credentials/index.ts';
import { ManualClock } from '../../manual-clock.ts';
import { REACHED, reachedStore as store } from '../reached-store.ts';

const ADMIN: Actor = { tenantId: DEFAULT_TENANT, role: 'admin', subject: 'admin-token', keyId: null };

const clock = new ManualClock();
const seal = new Seal(randomBytes(32));
const reached = (): Promise<never> => Promise.reject(new Error(REACHED));
const factory = new FactoryCredentials({
  store,
  bus: createEventBus<CredentialEvents>(),
  clock,
  seal,
  provisioning: { provision: reached, ofEndpoints: reached, add: reached, claim: reached },
  defaultProfile: async () => 'default',
});
const input = {
  name: 'batch',
  identity: 'batch-a',
  endpointPattern: 'urn:batch-a:*',
  mostDevices: 10,
  expiresAt: new Date(clock.now() + 1),
};

describe('a new factory credential', () => {
  it.each([
    ['name', { name: '' }],
    ['name', { name: 'x'.repeat(201) }],
    ['endpointPattern', { endpointPattern: '' }],
    ['endpointPattern', { endpointPattern: 'x'.repeat(253) }],
    ['mostDevices', { mostDevices: 0 }],
    ['mostDevices', { mostDevices: 1.5 }],
    ['mostDevices', { mostDevices: 1_000_001 }],
    ['expiresAt', { expiresAt: new Date(clock.now()) }],
    ['identity', { identity: '' }],
    ['key', { key: 'ab' }],
  ])('is refused for its %s (%#)', async (field, wrong) => {
    const created = factory.create(ADMIN, { ...input, ...wrong });
    await expect(created).rejects.toMatchObject({ code: 'VALIDATION', field: [field] });
  });

  it.each([
    {},
    { name: 'x' },
    { name: 'x'.repeat(200) },
    { endpointPattern: '*' },
    { endpointPattern: 'x'.repeat(252) },
    { mostDevices: 1 },
    { mostDevices: 1_000_000 },
  ])('is stored when its input is within the bounds (%#)', async (edge) => {
    await expect(factory.create(ADMIN, { ...input, ...edge })).rejects.toThrow(REACHED);
  });
});

describe('factory credentials', () => {
  it.each(['viewer', 'operator'] as const)('are managed by admins, not by the role %s', async (role) => {
    const actor: Actor = { ...ADMIN, role };
    const forbidden = { code: 'FORBIDDEN' };
    await expect(factory.list(actor)).rejects.toMatchObject(forbidden);
    await expect(factory.create(actor, input)).rejects.toMatchObject(forbidden);
    await expect(factory.revoke(actor, 'x')).rejects.toMatchObject(forbidden);
  });

  it('are looked up only by a valid id or identity', async () => {
    const lookUp = createFactoryLookUp({ store, clock, seal });
    expect(await lookUp.credential('no uuid')).toBeNull();
    expect(await lookUp.psk(Buffer.of(0xff))).toBeNull();
    await expect(lookUp.psk(Buffer.from('batch-a'))).rejects.toThrow(REACHED);
    await expect(lookUp.credential('d7b1c0e2-4a52-4d9c-9d0f-0d6d3c1f9a11')).rejects.toThrow(REACHED);
  });

  it('claim no endpoint that their pattern does not match', async () => {
    const credential = {
      ...input,
      id: 'd7b1c0e2-4a52-4d9c-9d0f-0d6d3c1f9a11',
      tenantId: DEFAULT_TENANT,
      profileId: 'default',
      createdAt: new Date(clock.now()),
      revokedAt: null,
    };
    expect(await factory.claim(credential, 'urn:batch-b:1')).toEqual(expect.any(String));
    await expect(factory.claim(credential, 'urn:batch-a:1')).rejects.toThrow(REACHED);
  });
});

describe('a pattern', () => {
  it.each([
    ['device', 'device'],
    ['*', ''],
    ['*', 'device'],
    ['de*', 'de'],
    ['*ice', 'device'],
    ['d*v*e', 'device'],
    ['d**e', 'device'],
    ['*ab*ab', 'xabyab'],
    ['a*b*c', 'abc'],
  ])('%s matches %s', (pattern, endpoint) => {
    expect(matches(pattern, endpoint)).toBe(true);
  });

  it.each([
    ['device', 'device1'],
    ['device', 'devic'],
    ['de*', 'xde'],
    ['*ice', 'ices'],
    ['d*x*e', 'device'],
    ['ab*ba', 'aba'],
    ['*ab*ab', 'ab'],
    ['a*bc*c', 'abc'],
    ['*b*a*', 'ab'],
    ['a*aa*a', 'aaa'],
  ])('%s does not match %s', (pattern, endpoint) => {
    expect(matches(pattern, endpoint)).toBe(false);
  });
});
