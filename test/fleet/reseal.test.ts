import { randomBytes, randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { createEventBus } from '../../src/events/index.ts';
import {
  createCredentialLookUp,
  createCredentials,
  reseal,
  Seal,
  SealError,
  type FleetEvents,
} from '../../src/fleet/index.ts';
import { planContext } from '../../src/fleet/bootstrap/bootstrap-plans.ts';
import { factoryContext } from '../../src/fleet/bootstrap/factory-credentials.ts';
import { createProfiles } from '../../src/fleet/profiles/profiles.ts';
import { createProvisioning } from '../../src/fleet/devices/provisioning.ts';
import { bootstrapPlans, factoryCredentials, tenants } from '../../src/store/index.ts';
import { useStore } from '../store/database.ts';
import { registryModel } from '../../src/lwm2m/index.ts';
import { ADMIN } from './fleet-world.ts';

const store = useStore();
const [old, next] = [new Seal(randomBytes(32)), new Seal(randomBytes(32))];
const plan = Buffer.from('{"a plan": "with keys"}');
const factoryKey = randomBytes(32);
const [planId, factoryId] = [randomUUID(), randomUUID()];
const IDENTITY = Buffer.from('urn:dev:os:resealed');
let key: string;

beforeAll(async () => {
  const { tenantId } = ADMIN;
  const now = new Date();
  await store().asSystem((tx) => tx.insert(tenants).values({ id: tenantId, name: tenantId, createdAt: now }));
  const bus = createEventBus<FleetEvents>();
  const profiles = createProfiles(store(), systemClock, () => registryModel());
  const book = createCredentials({ store: store(), clock: systemClock, bus, seal: old });
  const { device, made } = await createProvisioning(store(), profiles, bus, systemClock).provision(
    ADMIN,
    { endpoint: IDENTITY.toString() },
    (tx, owner) => book.issue(tx, owner, { kind: 'psk' }),
  );
  key = made.secret?.keyHex ?? '';
  await store().asTenant(tenantId, async (tx) => {
    const sealedPlan = old.close(plan, planContext(planId));
    await tx.insert(bootstrapPlans).values({ id: planId, tenantId, deviceId: device.id, sealedPlan, updatedAt: now });
    await tx.insert(factoryCredentials).values({
      id: factoryId,
      tenantId,
      name: 'factory',
      identity: 'factory',
      sealedKey: old.close(factoryKey, factoryContext(factoryId)),
      endpointPattern: 'urn:*',
      profileId: device.profileId,
      mostDevices: 1,
      createdAt: now,
      expiresAt: now,
    });
  });
});

function found(seal: Seal): Promise<{ readonly key: Uint8Array } | null> {
  return createCredentialLookUp({ store: store(), clock: systemClock, seal }).psk(IDENTITY);
}

it('changes nothing when a secret was sealed under a third key', async () => {
  const third = new Seal(randomBytes(32));
  await expect(reseal(store(), third, next)).rejects.toThrow(/another secret key/);
  expect(await found(old)).toMatchObject({ key: Buffer.from(key, 'hex') });
});

it('seals every secret anew, once', async () => {
  expect(await reseal(store(), old, next)).toBe(3);
  expect(await found(next)).toMatchObject({ key: Buffer.from(key, 'hex') });
  await expect(found(old)).rejects.toThrow(SealError);
  const [[planRow], [factoryRow]] = await store().asSystem(async (tx) => [
    await tx.select().from(bootstrapPlans),
    await tx.select().from(factoryCredentials),
  ]);
  expect(next.open(planRow?.sealedPlan ?? plan, planContext(planId))).toEqual(plan);
  expect(next.open(factoryRow?.sealedKey ?? plan, factoryContext(factoryId))).toEqual(factoryKey);
  expect(await reseal(store(), old, next)).toBe(0);
});
