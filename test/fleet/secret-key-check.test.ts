import { randomBytes, randomUUID } from 'node:crypto';
import { beforeEach, expect, it } from 'vitest';
import { keepSecretKey, reseal, Seal, SealError, secretKeyState, type SecretKeyState } from '../../src/fleet/index.ts';
import { keyContext } from '../../src/fleet/credentials/index.ts';
import { credentials, devices, profiles, settings, tenants } from '../../src/store/index.ts';
import { useStore } from '../store/database.ts';

const store = useStore();
const [right, wrong] = [new Seal(randomBytes(32)), new Seal(randomBytes(32))];
const at = new Date();

beforeEach(() =>
  store().asSystem(async (tx) => {
    await tx.delete(settings);
    await tx.delete(devices);
    await tx.delete(profiles);
    await tx.delete(tenants);
  }),
);

function stateOf(seal: Seal | null): Promise<SecretKeyState> {
  return store().asSystem((tx) => secretKeyState(tx, seal));
}

function keep(seal: Seal): Promise<void> {
  return store().asSystem((tx) => keepSecretKey(tx, seal));
}

/** Stores a credential whose key is sealed in the row of `context`. */
async function storeSecret(seal: Seal, context?: string): Promise<void> {
  const [tenantId, profileId, deviceId, id] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const profile = { id: profileId, tenantId, name: 'p', isDefault: true, mappings: [], methods: [] };
  const sealedKey = seal.close(randomBytes(32), keyContext(context ?? id));
  await store().asSystem(async (tx) => {
    await tx.insert(tenants).values({ id: tenantId, name: 't', createdAt: at });
    await tx.insert(profiles).values({ ...profile, createdAt: at, updatedAt: at });
    const device = { id: deviceId, tenantId, endpoint: 'urn:a', tags: [], profileId, status: 'NEVER_SEEN' as const };
    await tx.insert(devices).values({ ...device, createdAt: at, updatedAt: at });
    await tx
      .insert(credentials)
      .values({ id, tenantId, deviceId, kind: 'psk', identity: id, sealedKey, createdAt: at });
  });
}

it('is unknown to an empty database, which accepts any key or none', async () => {
  expect([await stateOf(right), await stateOf(null)]).toEqual(['unknown', 'unknown']);
});

it('is compared with the check value, also without a stored secret', async () => {
  await keep(right);
  expect([await stateOf(right), await stateOf(wrong), await stateOf(null)]).toEqual(['same', 'other', 'other']);
});

it('is compared with the secrets of a database without a check value', async () => {
  await storeSecret(right);
  expect([await stateOf(right), await stateOf(wrong), await stateOf(null)]).toEqual(['unknown', 'other', 'other']);
});

it('is right when it opens one of the secrets, because earlier versions may have stored those of two keys', async () => {
  await storeSecret(wrong);
  await storeSecret(right);
  expect(await stateOf(right)).toBe('unknown');
});

it('is not right when it does not open the secret that has its id', async () => {
  await storeSecret(right, randomUUID());
  expect(await stateOf(right)).toBe('other');
});

it('changes with a reseal, which a third key does not start', async () => {
  await keep(right);
  const next = new Seal(randomBytes(32));
  await expect(reseal(store(), wrong, next)).rejects.toThrow(SealError);
  expect(await stateOf(right)).toBe('same');
  await reseal(store(), right, next);
  expect([await stateOf(right), await stateOf(next)]).toEqual(['other', 'same']);
  await reseal(store(), right, next);
  expect(await stateOf(next)).toBe('same');
});
