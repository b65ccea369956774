import type { Device as KnownDevice, OperationInput, Rpc, RpcOptions } from '../../../src/fleet/index.ts';
import { ADMIN, type Device, type FleetWorld } from '../fleet-world.ts';

/** Registers a device that its profile leaves alone. */
export async function registered(
  world: FleetWorld,
  endpoint: string,
  query: readonly string[] = [],
  links?: string,
): Promise<{ device: Device; known: KnownDevice }> {
  const profile = await world.fleet.profiles.create(ADMIN, { name: `of ${endpoint}` });
  await world.fleet.devices.provision(ADMIN, { endpoint, profileId: profile.id });
  const device = world.device();
  await device.register(endpoint, query, links);
  const known = await world.fleet.devices.get(ADMIN, { endpoint });
  if (!known) throw new Error('not registered');
  return { device, known };
}

export function perform(
  world: FleetWorld,
  known: KnownDevice,
  operation: OperationInput,
  options?: RpcOptions,
): Promise<Rpc> {
  return world.fleet.rpcs.perform(ADMIN, known.id, operation, options);
}
