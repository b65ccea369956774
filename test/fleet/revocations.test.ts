import { beforeAll, expect, it, vi } from 'vitest';

import { createEventBus } from '../../src/events/index.ts';
import { createAccess, createRevocations, type FleetEvents, type Revocations } from '../../src/fleet/index.ts';
import { useStore } from '../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from './fleet-world.ts';

const store = useStore();
let world: FleetWorld;
/** Another process on the same database: it has its own bus, so that it hears nothing of the world. */
let bus: ReturnType<typeof createEventBus<FleetEvents>>;
let other: Revocations;

beforeAll(async () => {
  world = await fleetWorld(store());
  bus = createEventBus<FleetEvents>();
  other = createRevocations({ store: store(), bus, clock: world.network.clock, log: console });
  await other.check();
  return () => {
    other.stop();
    return world.stop();
  };
});

/** Collects the events that the check publishes. */
async function found<K extends 'keyRevoked' | 'credentialEnded' | 'trustChanged'>(
  topic: K,
  check: () => Promise<void> = () => other.check(),
): Promise<FleetEvents[K][]> {
  const values: FleetEvents[K][] = [];
  const events = bus.subscribe(topic, null);
  const read = (async () => {
    for await (const event of events) if (event.kind === 'event') values.push(event.value);
  })();
  await check();
  await Promise.resolve();
  events.close();
  await read;
  return values;
}

it('finds an API key that another process revoked, once', async () => {
  const access = createAccess(store(), world.bus, world.network.clock);
  const { id } = await access.createKey(ADMIN, { name: 'a', role: 'viewer' });
  expect(await found('keyRevoked')).toEqual([]);
  await access.revokeKey(ADMIN, id);
  expect(await found('keyRevoked')).toEqual([{ tenantId: ADMIN.tenantId, keyId: id }]);
  expect(await found('keyRevoked')).toEqual([]);
});

it('finds a device credential that was revoked or whose rotation ended', async () => {
  const device = await world.fleet.devices.provision(ADMIN, { endpoint: 'urn:a' });
  const { credential } = await world.fleet.credentials.create(ADMIN, device.id, { kind: 'psk' });
  await world.fleet.credentials.rotate(ADMIN, credential.id, { overlapSeconds: 1 });
  const event = { tenantId: ADMIN.tenantId, deviceId: device.id, credentialId: credential.id };
  expect(await found('credentialEnded')).toEqual([]);
  // Within 30 seconds it checks by itself.
  const published = bus.snapshot().published;
  const checked = async (): Promise<void> => {
    await world.advance(30_000);
    await vi.waitFor(() => expect(bus.snapshot().published).toBe(published + 1));
  };
  expect(await found('credentialEnded', checked)).toEqual([event]);
});

it('finds that trust anchors or revoked certificates changed', async () => {
  expect(await found('trustChanged')).toEqual([]);
  await world.fleet.credentials.revokeCertificate(ADMIN, { fingerprint: 'ab'.repeat(32), reason: 'lost' });
  expect(await found('trustChanged')).toEqual([{ tenantId: ADMIN.tenantId, counts: false }]);
});
