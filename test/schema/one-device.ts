import type { SimulatedDevice } from '../../src/simulator/index.ts';
import type { Store } from '../../src/store/index.ts';
import { apiWorld, type ApiWorld } from '../server/api-world.ts';

export const READ = `mutation ($deviceId: ID!, $paths: [ResourcePath!]!) {
  readResources(input: { deviceId: $deviceId, paths: $paths }) {
    __typename
    ... on ReadResourcesPayload { rpc { status method error { code coapCode } } values { path type value } }
    ... on UserError { message }
    ... on ValidationError { field }
  }
}`;

export interface OneDevice {
  readonly world: ApiWorld;
  /** Registered as urn:imei:123. */
  readonly device: SimulatedDevice;
  /** The device's global id. */
  readonly id: string;
  readonly deviceId: string;
}

/** The API with one simulated device, whose values change only when a test changes them. */
export async function oneDevice(store: Store): Promise<OneDevice> {
  const world = await apiWorld(store);
  const device = await world.device('urn:imei:123');
  const found = await world.data<{ device: { id: string; deviceId: string } }>(
    '{ device(endpoint: "urn:imei:123") { id deviceId } }',
  );
  return { world, device, ...found.device };
}
