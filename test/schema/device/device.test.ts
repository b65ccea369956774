import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiWorld } from '../../server/api-world.ts';
import { devices } from '../../../src/store/index.ts';
import { useStore } from '../../store/database.ts';
import { oneDevice, READ } from '../one-device.ts';

const store = useStore();
let world: ApiWorld;
let id: string;
let deviceId: string;

beforeAll(async () => {
  ({ world, id, deviceId } = await oneDevice(store()));
});
afterAll(() => world.stop());

const data: ApiWorld['data'] = (...asked) => world.data(...asked);

describe('a registered device', () => {
  it('has its registration', async () => {
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

  it('shows the measured awake time beside the one that was set', async () => {
    const measured = { measuredAwakeTime: 20, awakeMeasuredAt: new Date('2026-05-01T10:00:00Z') };
    const query = '{ device(endpoint: "urn:imei:123") { awakeTime measuredAwakeTime awakeMeasuredAt } }';
    const nothing = { awakeTime: null, measuredAwakeTime: null, awakeMeasuredAt: null };
    expect(await data(query)).toEqual({ device: nothing });
    await store().asTenant('default', (tx) => tx.update(devices).set(measured).where(eq(devices.id, deviceId)));
    expect(await data(query)).toEqual({
      device: { awakeTime: null, measuredAwakeTime: 20, awakeMeasuredAt: '2026-05-01T10:00:00.000Z' },
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

  it('must be queried by exactly one of id and endpoint', async () => {
    for (const query of ['{ device { id } }', '{ device(id: "x", endpoint: "y") { id } }']) {
      expect((await world.ask(query)).body.errors?.[0]).toMatchObject({
        message: 'device needs exactly one of id and endpoint',
        extensions: { code: 'VALIDATION' },
      });
    }
  });

  it('is not found by an unknown or invalid id', async () => {
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

  it('is in the list of devices, which is counted, filtered and sorted', async () => {
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
  it('lists values that were read, with their definitions, and registered objects without values', async () => {
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

  it('returns a single resource by its path', async () => {
    for (const path of ['/3303', '/3303/0', '/3303/*/5700']) {
      const { body } = await world.ask(
        'query ($path: ResourcePath!) { device(endpoint: "urn:imei:123") { resource(path: $path) { value } } }',
        { path },
      );
      expect(body.errors?.[0]).toMatchObject({ extensions: { code: 'VALIDATION', field: ['path'] } });
    }
  });
});

describe('definitions', () => {
  it('are found by object id and version, and by search', async () => {
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
  it('are created, changed, assigned to devices and deleted', async () => {
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
