import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Path } from '../../../src/lwm2m/index.ts';
import type { SimulatedDevice } from '../../../src/simulator/index.ts';
import type { ApiWorld } from '../../server/api-world.ts';
import { useStore } from '../../store/database.ts';
import { oneDevice, READ } from '../one-device.ts';

const store = useStore();
let world: ApiWorld;
let device: SimulatedDevice;
let id: string;
let deviceId: string;

beforeAll(async () => {
  ({ world, device, id, deviceId } = await oneDevice(store()));
});
afterAll(() => world.stop());

const data: ApiWorld['data'] = (...asked) => world.data(...asked);

describe('an operation', () => {
  it('reads from the device', async () => {
    device.tree.set(Path.of(3303, 0, 5700), { type: 'Float', value: 23.75 });
    expect(await data(READ, { deviceId, paths: ['/3303/0/5700'] })).toEqual({
      readResources: {
        __typename: 'ReadResourcesPayload',
        rpc: { status: 'SUCCESSFUL', method: 'read', error: null },
        values: [{ path: '/3303/0/5700', type: 'FLOAT', value: 23.75 }],
      },
    });
  });

  it('writes to the device, and the tree has the new value', async () => {
    const query = `mutation ($id: ID!) { writeResources(input: { deviceId: $id, values: [{ path: "/3/0/14", value: "+05:30" }] }) {
      ... on WriteResourcesPayload { rpc { status result error { message } } }
      ... on UserError { message }
    } }`;
    expect(await data(query, { id })).toMatchObject({ writeResources: { rpc: { status: 'SUCCESSFUL' } } });
    expect(device.tree.value(Path.of(3, 0, 14))).toEqual({ type: 'String', value: '+05:30' });
    expect(
      await data('query ($id: ID!) { device(id: $id) { resource(path: "/3/0/14") { value source } } }', { id }),
    ).toEqual({
      device: { resource: { value: '+05:30', source: 'WRITE' } },
    });
  });

  it('executes a resource with arguments', async () => {
    const query = `mutation ($id: ID!) { executeResource(input: { deviceId: $id, path: "/3303/0/5605", arguments: [{ digit: 0, value: "x" }, { digit: 1 }] }) {
      ... on ExecuteResourcePayload { rpc { status params } } ... on UserError { message } } }`;
    expect(await data(query, { id })).toMatchObject({
      executeResource: {
        rpc: { status: 'SUCCESSFUL', params: { path: '/3303/0/5605', arguments: { 0: 'x', 1: null } } },
      },
    });
  });

  it('creates and deletes an instance', async () => {
    const create = `mutation ($id: ID!) { createInstance(input: { deviceId: $id, objectId: 3303, instanceId: 4, values: [{ path: "5750", value: "attic" }] }) {
      ... on CreateInstancePayload { instanceId rpc { status error { coapCode message } } } ... on UserError { message } } }`;
    expect(await data(create, { id })).toMatchObject({ createInstance: { rpc: { status: 'SUCCESSFUL' } } });
    expect(device.tree.instanceIds(3303)).toEqual([0, 4]);
    const remove = `mutation ($id: ID!) { deleteInstance(input: { deviceId: $id, path: "/3303/4" }) {
      ... on DeleteInstancePayload { rpc { status } } ... on UserError { message } } }`;
    expect(await data(remove, { id })).toMatchObject({ deleteInstance: { rpc: { status: 'SUCCESSFUL' } } });
    expect(device.tree.instanceIds(3303)).toEqual([0]);
  });

  it('writes attributes, and Discover lists them', async () => {
    const write = `mutation ($id: ID!) { writeAttributes(input: { deviceId: $id, path: "/3303/0/5601", attributes: { pmin: 10, pmax: 60 } }) {
      ... on WriteAttributesPayload { rpc { status } } ... on UserError { message } } }`;
    expect(await data(write, { id })).toMatchObject({ writeAttributes: { rpc: { status: 'SUCCESSFUL' } } });
    const discover = `mutation ($id: ID!) { discoverResources(input: { deviceId: $id, path: "/3303/0" }) {
      ... on DiscoverResourcesPayload { links { uri attributes { name value } } } ... on UserError { message } } }`;
    expect(await data(discover, { id })).toMatchObject({
      discoverResources: {
        links: expect.arrayContaining([
          {
            uri: '/3303/0/5601',
            attributes: expect.arrayContaining([
              { name: 'pmin', value: '10' },
              { name: 'pmax', value: '60' },
            ]),
          },
        ]),
      },
    });
  });

  it('observes until it is cancelled', async () => {
    const observe = `mutation ($id: ID!) { observeResources(input: { deviceId: $id, paths: ["/3/0/13"] }) {
      ... on ObserveResourcesPayload { rpc { status } values { path type } } ... on UserError { message } } }`;
    expect(await data(observe, { id })).toMatchObject({
      observeResources: { rpc: { status: 'SUCCESSFUL' }, values: [{ path: '/3/0/13', type: 'TIME' }] },
    });
    const running = 'query ($id: ID!) { device(id: $id) { observations { paths reasons composite } } }';
    const { device: observed } = (await data(running, { id })) as { device: { observations: unknown[] } };
    expect(observed.observations).toContainEqual({ paths: ['/3/0/13'], reasons: ['REQUESTED'], composite: false });
    const cancel = `mutation ($id: ID!) { cancelObservation(input: { deviceId: $id, paths: ["/3/0/13"] }) {
      ... on CancelObservationPayload { rpc { status } } ... on UserError { message } } }`;
    expect(await data(cancel, { id })).toMatchObject({ cancelObservation: { rpc: { status: 'SUCCESSFUL' } } });
    const after = (await data(running, { id })) as typeof observed & { device: { observations: unknown[] } };
    expect(after.device.observations).not.toContainEqual(expect.objectContaining({ paths: ['/3/0/13'] }));
  });

  it('ends FAILED, without a GraphQL error, if the device refuses it', async () => {
    const { readResources } = await data(READ, { deviceId: id, paths: ['/3303/9/5700'] });
    expect(readResources).toMatchObject({
      rpc: { status: 'FAILED', error: { code: 'DEVICE_ERROR', coapCode: '4.04' } },
      values: [],
    });
  });

  it('is refused with the path of the invalid field', async () => {
    for (const [paths, field] of [
      [[], ['paths']],
      [['/3303/*/5700'], ['paths', '0']],
      [
        ['/3/0/9', '/3/0/9'],
        ['paths', '1'],
      ],
    ]) {
      expect(await data(READ, { deviceId: id, paths })).toMatchObject({
        readResources: { __typename: 'ValidationError', field },
      });
    }
    expect(await data(READ, { deviceId: 'nonsense', paths: ['/3'] })).toMatchObject({
      readResources: { __typename: 'ValidationError', field: ['deviceId'] },
    });
  });

  it('is refused for a viewer', async () => {
    expect(await data(READ, { deviceId: id, paths: ['/3/0/9'] }, world.tokens.viewer)).toEqual({
      readResources: {
        __typename: 'ForbiddenError',
        message: 'Mutation.readResources is not for the role viewer',
      },
    });
  });

  it('returns DeviceUnreachableError with the recorded RPC if the device never registered', async () => {
    const provision = `mutation { provisionDevice(input: { endpoint: "urn:never", name: "Never", tags: ["roof"] }) {
      ... on ProvisionDevicePayload { device { id status name tags } } ... on UserError { message } } }`;
    const { provisionDevice } = (await data(provision)) as { provisionDevice: { device: { id: string } } };
    expect(provisionDevice.device).toMatchObject({ status: 'NEVER_SEEN', name: 'Never', tags: ['roof'] });
    const call = `mutation ($id: ID!) { callRpc(input: { deviceId: $id, method: "reboot" }) {
      __typename ... on DeviceUnreachableError { message rpc { status method } } } }`;
    expect(await data(call, { id: provisionDevice.device.id })).toEqual({
      callRpc: {
        __typename: 'DeviceUnreachableError',
        message: expect.any(String),
        rpc: { status: 'TIMEOUT', method: 'reboot' },
      },
    });
  });
});

describe('an RPC', () => {
  it('reboots the device, and lists its transitions', async () => {
    const call = `mutation ($id: ID!) { callRpc(input: { deviceId: $id, method: "reboot", idempotencyKey: "once" }) {
      ... on CallRpcPayload { rpc { id status createdBy attempts device { endpoint } transitions { from to } } } ... on UserError { message } } }`;
    const { callRpc } = (await data(call, { id })) as { callRpc: { rpc: { id: string } } };
    expect(callRpc.rpc).toMatchObject({
      status: 'SUCCESSFUL',
      createdBy: 'admin-token',
      attempts: 1,
      device: { endpoint: 'urn:imei:123' },
      transitions: [
        { from: null, to: 'QUEUED' },
        { from: 'QUEUED', to: 'SENT' },
        { from: 'SENT', to: 'DELIVERED' },
        { from: 'DELIVERED', to: 'SUCCESSFUL' },
      ],
    });
    const again = (await data(call, { id })) as typeof callRpc & { callRpc: { rpc: { id: string } } };
    expect(again.callRpc.rpc.id).toBe(callRpc.rpc.id);
    expect(
      await data('query ($id: ID!) { rpc(id: $id) { method } node(id: $id) { id } }', { id: callRpc.rpc.id }),
    ).toEqual({
      rpc: { method: 'reboot' },
      node: { id: callRpc.rpc.id },
    });
    const list = `query ($id: ID!) { device(id: $id) { rpcs(first: 1, status: [SUCCESSFUL]) { edges { node { method } } pageInfo { hasNextPage } } } }`;
    expect(await data(list, { id })).toMatchObject({
      device: { rpcs: { edges: [{ node: { method: 'reboot' } }], pageInfo: { hasNextPage: true } } },
    });
  });

  it('can’t be cancelled after it has ended', async () => {
    const { device: asked } = (await data(
      'query ($id: ID!) { device(id: $id) { rpcs(first: 1) { edges { node { id } } } } }',
      { id },
    )) as { device: { rpcs: { edges: { node: { id: string } }[] } } };
    const cancel = `mutation ($id: ID!) { cancelRpc(input: { id: $id }) { __typename ... on UserError { message } } }`;
    expect(await data(cancel, { id: asked.rpcs.edges[0]?.node.id })).toMatchObject({
      cancelRpc: { __typename: 'ConflictError' },
    });
  });
});
