import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Path } from '../../src/lwm2m/index.ts';
import type { SimulatedDevice } from '../../src/simulator/index.ts';
import { apiWorld, type ApiWorld } from '../server/api-world.ts';
import { useStore } from '../store/database.ts';

const store = useStore();
let world: ApiWorld;
let device: SimulatedDevice;
/** The device's global id. */
let id: string;
let deviceId: string;

const READ = `mutation ($deviceId: ID!, $paths: [ResourcePath!]!) {
  readResources(input: { deviceId: $deviceId, paths: $paths }) {
    __typename
    ... on ReadResourcesPayload { rpc { status method error { code coapCode } } values { path type value } }
    ... on UserError { message }
    ... on ValidationError { field }
  }
}`;

beforeAll(async () => {
  world = await apiWorld(store());
  device = await world.device('urn:imei:123');
  const found = await world.data<{ device: { id: string; deviceId: string } }>(
    '{ device(endpoint: "urn:imei:123") { id deviceId } }',
  );
  ({ id, deviceId } = found.device);
});
afterAll(() => world.stop());

const data: ApiWorld['data'] = (...asked) => world.data(...asked);

describe('a registered device', () => {
  it('tells how it can be reached', async () => {
    const query = `{ device(endpoint: "urn:imei:123") {
      status lastSeen name tags awakeTime profile { name isDefault mappings { path metric scale } }
      registration { lwm2mVersion binding queueMode lifetime address transport security { kind } rootPath objects { objectId version instanceIds } expiresAt }
    } }`;
    expect(await data(query)).toMatchObject({
      device: {
        status: 'ONLINE',
        lastSeen: expect.stringMatching(/Z$/),
        tags: [],
        profile: {
          isDefault: true,
          mappings: expect.arrayContaining([{ path: '/3303/0/5700', metric: 'temperature', scale: 1 }]),
        },
        registration: {
          lwm2mVersion: '1.1',
          binding: 'U',
          queueMode: false,
          transport: 'UDP',
          security: null,
          address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
          objects: expect.arrayContaining([{ objectId: 3303, version: expect.any(String), instanceIds: [0] }]),
        },
      },
    });
  });

  it('is found by its global id, by its UUID, by its endpoint and as a node', async () => {
    const query = `query ($id: ID!, $uuid: ID!) {
      byId: device(id: $id) { endpoint } byUuid: device(id: $uuid) { endpoint } byEndpoint: device(endpoint: "urn:imei:123") { endpoint }
      node(id: $id) { __typename id ... on Device { endpoint } }
    }`;
    const found = { endpoint: 'urn:imei:123' };
    expect(await data(query, { id, uuid: deviceId })).toEqual({
      byId: found,
      byUuid: found,
      byEndpoint: found,
      node: { __typename: 'Device', id, ...found },
    });
  });

  it('is asked for by exactly one of id and endpoint', async () => {
    for (const query of ['{ device { id } }', '{ device(id: "x", endpoint: "y") { id } }']) {
      expect((await world.ask(query)).body.errors?.[0]).toMatchObject({
        message: 'device wants exactly one of id and endpoint',
        extensions: { code: 'VALIDATION' },
      });
    }
  });

  it('is not found by what is no id of a device', async () => {
    const rpc = Buffer.from(`Rpc:${deviceId}`).toString('base64url');
    for (const [wrong, message] of [
      ['nonsense', /neither a global id of type Device nor a UUID/],
      [rpc, /is the id of type Rpc, not Device/],
    ] as const) {
      const { body } = await world.ask('query ($id: ID!) { device(id: $id) { id } }', { id: wrong });
      expect(body.errors?.[0]).toMatchObject({
        message: expect.stringMatching(message),
        extensions: { code: 'VALIDATION', field: ['id'] },
      });
    }
    expect(await data('{ device(id: "00000000-0000-4000-8000-000000000000") { id } }')).toEqual({ device: null });
  });

  it('is in the list, which is counted, filtered and ordered', async () => {
    const query = `query ($filter: DeviceFilter) { devices(first: 10, filter: $filter, orderBy: { field: LAST_SEEN, direction: DESC }) {
      totalCount edges { cursor node { endpoint } } pageInfo { hasNextPage hasPreviousPage }
    } }`;
    const one = { totalCount: 1, edges: [{ cursor: expect.any(String), node: { endpoint: 'urn:imei:123' } }] };
    for (const filter of [null, { ids: [id] }, { status: ['ONLINE'], objectId: 3303 }, { search: 'IMEI:12' }]) {
      expect(await data(query, { filter })).toMatchObject({ devices: one });
    }
    for (const filter of [{ status: ['OFFLINE'] }, { objectId: 3304 }, { tags: ['roof'] }, { search: 'nothing' }]) {
      expect(await data(query, { filter })).toMatchObject({ devices: { totalCount: 0, edges: [] } });
    }
  });
});

describe('the resource tree', () => {
  it('shows what was read, with its definition, and the objects that nothing was read of', async () => {
    await data(READ, { deviceId: id, paths: ['/3/0', '/3303/0'] });
    const query = `{ device(endpoint: "urn:imei:123") {
      objects { objectId version definition { name } instances { instanceId path resources { path } } }
      temperature: resource(path: "/3303/0/5700") { value type source timestamp definition { name operations units multiple } }
      some: resources(paths: ["/3303/*/5700", "/3/0/9", "/3/0/9"]) { path }
      none: resource(path: "/3303/7/5700") { value }
      only: objects(objectIds: [3303]) { objectId instances { resources { path } } }
    } }`;
    const { device: tree } = (await data(query)) as { device: Record<string, unknown> };
    expect(tree).toMatchObject({
      objects: [
        { objectId: 1, instances: [{ instanceId: 0, path: '/1/0' }] },
        {
          objectId: 3,
          definition: { name: 'Device' },
          instances: [{ resources: expect.arrayContaining([{ path: '/3/0/9' }]) }],
        },
        { objectId: 5 },
        { objectId: 3303, definition: { name: 'Temperature' } },
      ],
      temperature: {
        value: 21.5,
        type: 'FLOAT',
        source: expect.stringMatching(/READ|NOTIFICATION/),
        definition: { name: 'Sensor Value', operations: ['READ'], multiple: false },
      },
      some: [{ path: '/3303/0/5700' }, { path: '/3/0/9' }],
      none: null,
      only: [{ objectId: 3303, instances: [{ resources: expect.arrayContaining([{ path: '/3303/0/5700' }]) }] }],
    });
  });

  it('names a single resource where one is asked for', async () => {
    for (const path of ['/3303', '/3303/0', '/3303/*/5700']) {
      const { body } = await world.ask(
        'query ($path: ResourcePath!) { device(endpoint: "urn:imei:123") { resource(path: $path) { value } } }',
        { path },
      );
      expect(body.errors?.[0]).toMatchObject({ extensions: { code: 'VALIDATION', field: ['path'] } });
    }
  });
});

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

  it('writes to the device, and the tree knows', async () => {
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

  it('executes, with arguments', async () => {
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

  it('writes attributes, and discovers them', async () => {
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

  it('is the RPC’s failure when the device refuses, and no GraphQL error', async () => {
    const { readResources } = await data(READ, { deviceId: id, paths: ['/3303/9/5700'] });
    expect(readResources).toMatchObject({
      rpc: { status: 'FAILED', error: { code: 'DEVICE_ERROR', coapCode: '4.04' } },
      values: [],
    });
  });

  it('is refused with the field that is wrong', async () => {
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

  it('is not for viewers', async () => {
    expect(await data(READ, { deviceId: id, paths: ['/3/0/9'] }, world.tokens.viewer)).toEqual({
      readResources: {
        __typename: 'ForbiddenError',
        message: 'Mutation.readResources is not for the role viewer',
      },
    });
  });

  it('cannot reach a device that never came, and leaves its RPC on record', async () => {
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
  it('reboots the device, and is told with its transitions', async () => {
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

  it('that has ended can’t be cancelled', async () => {
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

describe('definitions', () => {
  it('are found by object and version, and searched', async () => {
    const query = `{
      objectDefinition(objectId: 3303) { objectId name version urn multiple resources { resourceId name type operations } }
      unknown: objectDefinition(objectId: 65000) { name }
      objectDefinitions(first: 5, search: "temperature") { edges { node { name } } }
    }`;
    expect(await data(query)).toMatchObject({
      objectDefinition: {
        objectId: 3303,
        name: 'Temperature',
        multiple: true,
        resources: expect.arrayContaining([
          { resourceId: 5700, name: 'Sensor Value', type: 'FLOAT', operations: ['READ'] },
        ]),
      },
      unknown: null,
      objectDefinitions: { edges: expect.arrayContaining([{ node: { name: 'Temperature' } }]) },
    });
  });
});

describe('profiles', () => {
  it('are made, changed, given to devices and deleted', async () => {
    const create = `mutation { createDeviceProfile(input: {
        name: "thermostat", offlineAfter: 600, awakeTime: 30,
        mappings: [{ path: "/3303/*/5700", metric: "temperature_{instance}", scale: 0.5, attributes: { pmin: 5 } }],
        methods: [{ name: "setpoint", operation: WRITE, path: "/3308/{{zone}}/5900", parameters: { value: "{{degrees}}" } }] }) {
      ... on CreateDeviceProfilePayload { profile { id name offlineAfter awakeTime mappings { path metric scale offset kind attributes { pmin pmax } } methods { name operation path parameters } } }
      ... on UserError { message } } }`;
    const { createDeviceProfile } = (await data(create)) as { createDeviceProfile: { profile: { id: string } } };
    const { profile } = createDeviceProfile;
    expect(profile).toMatchObject({
      name: 'thermostat',
      offlineAfter: 600,
      awakeTime: 30,
      mappings: [{ scale: 0.5, offset: 0, kind: null, attributes: { pmin: 5, pmax: null } }],
      methods: [{ operation: 'WRITE', parameters: { value: '{{degrees}}' } }],
    });
    expect(await data(create)).toMatchObject({ createDeviceProfile: { message: expect.any(String) } });
    const update = `mutation ($id: ID!) { updateDeviceProfile(input: { id: $id, name: "heating", offlineAfter: null }) {
      ... on UpdateDeviceProfilePayload { profile { name offlineAfter awakeTime mappings { path } } } ... on UserError { message } } }`;
    expect(await data(update, { id: profile.id })).toEqual({
      updateDeviceProfile: {
        profile: { name: 'heating', offlineAfter: null, awakeTime: 30, mappings: [{ path: '/3303/*/5700' }] },
      },
    });
    const before = (await data('query ($id: ID!) { device(id: $id) { profile { id } } }', { id })) as {
      device: { profile: { id: string } };
    };
    const give = `mutation ($id: ID!, $profileId: ID) { updateDevice(input: { id: $id, profileId: $profileId, name: "Boiler" }) {
      ... on UpdateDevicePayload { device { name profile { name } } } ... on UserError { message } } }`;
    expect(await data(give, { id, profileId: profile.id })).toEqual({
      updateDevice: { device: { name: 'Boiler', profile: { name: 'heating' } } },
    });
    const remove = `mutation ($id: ID!) { deleteDeviceProfile(input: { id: $id }) { __typename } }`;
    expect(await data(remove, { id: profile.id })).toEqual({ deleteDeviceProfile: { __typename: 'ConflictError' } });
    expect(await data(give, { id, profileId: before.device.profile.id })).toMatchObject({
      updateDevice: { device: { profile: { name: 'Default' } } },
    });
    expect(await data(remove, { id: profile.id })).toEqual({
      deleteDeviceProfile: { __typename: 'DeleteDeviceProfilePayload' },
    });
    expect(await data('query ($id: ID!) { deviceProfile(id: $id) { name } }', { id: profile.id })).toEqual({
      deviceProfile: null,
    });
  });
});
