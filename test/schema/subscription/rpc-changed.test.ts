import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fleet } from '../../../src/fleet/index.ts';
import { apiWorld, dataOf, type ApiWorld } from '../../server/api-world.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;
/** Holds the next but one look-up of RPCs: the subscription looks up the RPC, and then its state for the first event. */
const hold = { after: Number.POSITIVE_INFINITY, reached: () => {}, released: Promise.resolve() };

beforeAll(async () => {
  world = await apiWorld(store(), {}, (fleet: Fleet) => ({
    ...fleet,
    rpcs: {
      ...fleet.rpcs,
      many: async (...asked) => {
        if (hold.after-- === 0) {
          hold.reached();
          await hold.released;
        }
        return fleet.rpcs.many(...asked);
      },
    },
  }));
});
afterAll(() => world.stop());

const CHANGES = 'subscription ($id: ID!) { rpcChanged(id: $id) { status attempts } }';

/** A read that waits for a device that has not registered yet. */
async function waitingRpc(endpoint: string): Promise<string> {
  const { provisionDevice } = await world.data<{ provisionDevice: { device: { id: string } } }>(
    'mutation ($endpoint: String!) { provisionDevice(input: { endpoint: $endpoint }) { ... on ProvisionDevicePayload { device { id } } } }',
    { endpoint },
  );
  const { readResources } = await world.data<{ readResources: { rpc: { id: string } } }>(
    'mutation ($id: ID!) { readResources(input: { deviceId: $id, paths: ["/3/0/9"], rpcMode: PERSISTENT }) { ... on ReadResourcesPayload { rpc { id } } } }',
    { id: provisionDevice.device.id },
  );
  return readResources.rpc.id;
}

function gate(): [opened: Promise<void>, open: () => void] {
  const opens: (() => void)[] = [];
  const opened = new Promise<void>((resolve) => opens.push(resolve));
  return [opened, () => opens.forEach((open) => open())];
}

async function statusOf(id: string): Promise<string> {
  const { rpc } = await world.data<{ rpc: { status: string } }>('query ($id: ID!) { rpc(id: $id) { status } }', { id });
  return rpc.status;
}

describe.each(['overWebSocket', 'overSse'] as const)('rpcChanged %s', (transport) => {
  it('delivers each status of one RPC and completes after the final one', async () => {
    const endpoint = `changed ${transport}`;
    const id = await waitingRpc(endpoint);
    const seen: string[] = [];
    for await (const event of world[transport](CHANGES, { id })) {
      seen.push(dataOf<{ rpcChanged: { status: string } }>(event).rpcChanged.status);
      if (seen.length === 1) await world.device(endpoint);
    }
    expect(seen).toEqual(['QUEUED', 'SENT', 'DELIVERED', 'SUCCESSFUL']);
  });

  it('delivers no older status after the first event', async () => {
    const endpoint = `late ${transport}`;
    const id = await waitingRpc(endpoint);
    const [reached, reach] = gate();
    const [released, release] = gate();
    Object.assign(hold, { after: 1, reached: reach, released });
    const events = world[transport](CHANGES, { id });
    const first = events.next();
    await reached;
    await world.device(endpoint);
    while ((await statusOf(id)) !== 'SUCCESSFUL');
    release();
    const seen = [await first, await events.next()];
    expect(seen).toEqual([
      { done: false, value: { data: { rpcChanged: { status: 'SUCCESSFUL', attempts: 1 } } } },
      { done: true, value: undefined },
    ]);
  });
});
