import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BootstrapPlan, Device } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, OTHER, otherTenant, type FleetWorld } from '../fleet-world.ts';
import { OURS } from './example-plan.ts';

const store = useStore();
let world: FleetWorld;
let run = 0;

beforeAll(async () => {
  world = await fleetWorld(store());
  await otherTenant(store());
});
afterAll(() => world.stop());

async function device(plan: BootstrapPlan | null): Promise<Device> {
  const made = await world.fleet.devices.provision(ADMIN, { endpoint: `planned-${run++}` });
  if (plan) await world.fleet.bootstraps.setPlan(ADMIN, { deviceId: made.id }, plan);
  return made;
}

describe('a plan', () => {
  it.each([
    ['nothing', { ...OURS, server: null }],
    ['a key for a server without DTLS', { ...OURS, server: { ...OURS.server, uri: 'coap://example.com' } }],
    ['a value of the wrong type', { ...OURS, values: [{ path: '/1/1/1', value: 'long' }] }],
    ['a name that there is not', { ...OURS, values: [{ path: '/3/0/15', value: '{{zone}}' }] }],
    ['a place twice', { ...OURS, values: [{ path: '/1/50/1', value: 1 }] }],
    ['a part of another Server instance', { ...OURS, values: [{ path: '/1/0/2', value: 1 }] }],
    ['a key of another length', { ...OURS, keyLength: 24 }],
    ['a read of something else', { ...OURS, reads: ['/0'] }],
    ['a delete of a resource', { ...OURS, deletes: ['/3/0/1'] }],
  ] as [string, BootstrapPlan][])('with %s is refused', async (_what, plan) => {
    const known = await device(null);
    const set = world.fleet.bootstraps.setPlan(ADMIN, { deviceId: known.id }, plan);
    await expect(set).rejects.toMatchObject({ code: 'VALIDATION' });
  });

  it('is shown with its keys blanked, and to its tenant only', async () => {
    const values = [
      { path: '/0/1', value: { '0': 'coaps://a', '5': 'AAAA' } },
      { path: '/0/2/0', value: 'coaps://b' },
      { path: '/0/2/5', value: 'AAAA' },
      { path: '/21/0/0', value: 'AAAA' },
    ];
    const known = await device({ ...OURS, values });
    const shown = await world.fleet.bootstraps.plan(ADMIN, { deviceId: known.id });
    expect(shown?.values).toEqual([
      { path: '/0/1', value: { '0': 'coaps://a', '5': '[redacted]' } },
      { path: '/0/2/0', value: 'coaps://b' },
      { path: '/0/2/5', value: '[redacted]' },
      { path: '/21/0/0', value: '[redacted]' },
    ]);
    expect(await world.fleet.bootstraps.plan(OTHER, { deviceId: known.id })).toBeNull();
  });
});
