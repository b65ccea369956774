import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DeviceProcess, runDevice } from './device-process.ts';
import { freshInstallation, type Installation, runTreeline, type TreelineProcess, until } from './treeline-process.ts';

const ENDPOINT = 'urn:imei:490154203237518';

interface Change {
  readonly resourceChanged: { readonly resources: readonly { readonly path: string; readonly value: unknown }[] };
}

describe('the main job, on the simulated device', () => {
  let installation: Installation;
  let treeline: TreelineProcess;
  let device: DeviceProcess;
  let id: string;

  beforeAll(async () => {
    installation = await freshInstallation();
    treeline = await runTreeline(installation.settings);
    const statuses = treeline.webSocket<{ deviceStatusChanged: { status: string; device: { id: string } } }>(
      'subscription { deviceStatusChanged { status device { id endpoint } } }',
    );
    const online = until(statuses, ({ deviceStatusChanged }) => deviceStatusChanged.status === 'ONLINE');
    device = runDevice(treeline.coap, ENDPOINT);
    id = (await online).deviceStatusChanged.device.id;
  });

  afterAll(async () => {
    await device.stop();
    await treeline.stop();
    await installation.drop();
  });

  it('shows the device with the values of its registration', async () => {
    const { device } = await treeline.query<{ device: unknown }>(
      `query ($endpoint: String!) {
        device(endpoint: $endpoint) {
          endpoint status profile { name }
          registration { lwm2mVersion binding queueMode transport }
          objects(objectIds: [3, 3303]) { objectId version definition { name } instances { instanceId path } }
        }
      }`,
      { endpoint: ENDPOINT },
    );
    expect(device).toMatchObject({
      endpoint: ENDPOINT,
      status: 'ONLINE',
      registration: { lwm2mVersion: '1.1', binding: 'U', queueMode: false, transport: 'UDP' },
      objects: [
        { objectId: 3, definition: { name: 'Device' }, instances: [{ instanceId: 0, path: '/3/0' }] },
        { objectId: 3303, definition: { name: 'Temperature' }, instances: [{ instanceId: 0, path: '/3303/0' }] },
      ],
    });
  });

  it('reads resources from the device and stores their values', async () => {
    const { readResources } = await treeline.query<{ readResources: { rpc: { status: string } } }>(
      `mutation ($id: ID!) {
        readResources(input: { deviceId: $id, paths: ["/3/0/0", "/3/0/9"] }) {
          __typename
          ... on ReadResourcesPayload { rpc { status result transitions { to } } }
        }
      }`,
      { id },
    );
    expect(readResources.rpc.status).toBe('SUCCESSFUL');
    const { device } = await treeline.query<{ device: { resource: { value: unknown; source: string } } }>(
      `query ($id: ID!) { device(id: $id) { resource(path: "/3/0/0") { value type source definition { name } } } }`,
      { id },
    );
    expect(device.resource).toMatchObject({
      value: expect.any(String),
      type: 'STRING',
      source: 'READ',
      definition: { name: 'Manufacturer' },
    });
  });

  it.each(['webSocket', 'sse'] as const)('streams a live temperature over %s', async (transport) => {
    const changes = treeline[transport]<Change>(
      `subscription ($id: ID!) { resourceChanged(deviceId: $id, paths: ["/3303/0/5700"]) { resources { path value } } }`,
      { id },
    );
    const seen = new Set<unknown>();
    const change = await until(changes, ({ resourceChanged: { resources } }) => {
      for (const { value } of resources) if (typeof value === 'number') seen.add(value);
      return seen.size > 1;
    });
    expect(change.resourceChanged.resources).toEqual([{ path: '/3303/0/5700', value: expect.any(Number) }]);
  });

  it('reboots the device, which registers again', async () => {
    const { callRpc } = await treeline.query<{ callRpc: { rpc: unknown } }>(
      `mutation ($id: ID!) {
        callRpc(input: { deviceId: $id, method: "reboot" }) {
          ... on CallRpcPayload { rpc { method status transitions { from to } error { code message } } }
        }
      }`,
      { id },
    );
    expect(callRpc.rpc).toMatchObject({ method: 'reboot', status: 'SUCCESSFUL', error: null });
    await device.heard(/Execute.*\/3\/0\/4/i);
  });

  it('stores the readings as telemetry', async () => {
    const points = treeline.webSocket<{ telemetry: { numericValues: Record<string, number> } }>(
      'subscription ($id: ID!) { telemetry(deviceId: $id) { numericValues } }',
      { id },
    );
    await until(points, ({ telemetry }) => 'temperature' in telemetry.numericValues);
    const { device } = await treeline.query<{
      device: { telemetry: { edges: { node: { numericValues: object } }[] } };
    }>(
      `query ($id: ID!) {
        device(id: $id) { telemetry(metrics: ["temperature"], first: 5) { edges { node { timestamp numericValues } } } }
      }`,
      { id },
    );
    expect(device.telemetry.edges[0]?.node.numericValues).toEqual({ temperature: expect.any(Number) });
  });

  it('stops within 5 s with exit code 0, and has all data after the next start', async () => {
    const query = `query ($id: ID!) {
      device(id: $id) { endpoint resource(path: "/3/0/0") { value } telemetry(first: 1) { edges { node { timestamp } } } }
    }`;
    const before = Date.now();
    expect(await treeline.stop()).toBe(0);
    expect(Date.now() - before).toBeLessThan(5_000);
    treeline = await runTreeline(installation.settings);
    const { device } = await treeline.query<{ device: unknown }>(query, { id });
    expect(device).toMatchObject({
      endpoint: ENDPOINT,
      resource: { value: expect.any(String) },
      telemetry: { edges: [{ node: { timestamp: expect.any(String) } }] },
    });
  });
});
