import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { objectXml } from '../lwm2m/object-xml.ts';
import { apiWorld, type ApiWorld } from '../server/api-world.ts';
import { useStore } from '../store/database.ts';

const store = useStore();
let world: ApiWorld;
let made = 0;

beforeAll(async () => {
  world = await apiWorld(store());
});
afterAll(() => world.stop());

type Result = Record<string, unknown> & { readonly __typename: string };

/** Does a mutation as admin. `selection` is of the payload. */
async function mutate(mutation: string, input: object, selection: string): Promise<Result> {
  const type = `${mutation[0]?.toUpperCase()}${mutation.slice(1)}`;
  const query = `mutation ($input: ${type}Input!) { ${mutation}(input: $input) {
    __typename ... on ${type}Payload { ${selection} } ... on UserError { message } ... on ConflictError { code changed updatedAt } } }`;
  const data = await world.data<Record<string, Result>>(query, { input });
  const result = data[mutation];
  if (!result) throw new Error(`${mutation} returned nothing`);
  return result;
}

async function newDevice(input: object = {}): Promise<string> {
  const result = await mutate('provisionDevice', { endpoint: `urn:edit:${++made}`, ...input }, 'device { id }');
  return (result['device'] as { id: string }).id;
}

async function newProfile(): Promise<string> {
  const result = await mutate('createDeviceProfile', { name: `edit ${++made}` }, 'profile { id }');
  return (result['profile'] as { id: string }).id;
}

const DEVICE = 'device { name tags awakeTime }';
const PROFILE = 'profile { name offlineAfter awakeTime mappings { metric } methods { name } }';

describe('concurrent edits of different fields', () => {
  it('all take effect on a device', async () => {
    const id = await newDevice();
    const edits = [{ name: 'Boiler' }, { tags: ['roof'] }, { awakeTime: 60 }];
    const results = await Promise.all(edits.map((edit) => mutate('updateDevice', { id, ...edit }, DEVICE)));
    expect(results.map(({ __typename }) => __typename)).toEqual(Array(3).fill('UpdateDevicePayload'));
    const { device } = await world.data('query ($id: ID!) { device(id: $id) { name tags awakeTime } }', { id });
    expect(device).toEqual({ name: 'Boiler', tags: ['roof'], awakeTime: 60 });
  });

  it('all take effect on a profile', async () => {
    const id = await newProfile();
    const edits = [
      { name: `renamed ${++made}` },
      { offlineAfter: 600 },
      { awakeTime: 60 },
      { mappings: [{ path: '/3303/0/5700', metric: 'temperature' }] },
      { methods: [{ name: 'zero', operation: 'EXECUTE', path: '/3303/0/5605' }] },
    ];
    const results = await Promise.all(edits.map((edit) => mutate('updateDeviceProfile', { id, ...edit }, PROFILE)));
    expect(results.map(({ __typename }) => __typename)).toEqual(Array(5).fill('UpdateDeviceProfilePayload'));
    const query = `query ($id: ID!) { deviceProfile(id: $id) { name offlineAfter awakeTime mappings { metric } methods { name } } }`;
    expect((await world.data(query, { id }))['deviceProfile']).toEqual({
      name: edits[0]?.name,
      offlineAfter: 600,
      awakeTime: 60,
      mappings: [{ metric: 'temperature' }],
      methods: [{ name: 'zero' }],
    });
  });

  it('of one bootstrap plan leave one of the plans', async () => {
    const deviceId = await newDevice();
    const zones = ['Europe/Berlin', 'Europe/Rome', 'Europe/Oslo', 'Europe/Paris', 'Europe/Lisbon'];
    const plans = zones.map((value) => ({ values: [{ path: '/3/0/15', value }] }));
    const results = await Promise.all(
      plans.map((plan) => mutate('setBootstrapPlan', { deviceId, plan }, 'plan { values { value } }')),
    );
    expect(results.map(({ __typename }) => __typename)).toEqual(zones.map(() => 'SetBootstrapPlanPayload'));
    // Each result has the plan of its own call.
    expect(results.map(({ plan }) => plan)).toEqual(zones.map((value) => ({ values: [{ value }] })));
  });
});

/** What is edited: the mutation, its input for the nth edit, and what a stale edit says was changed. */
const EDITS: Readonly<
  Record<
    string,
    { readonly make: () => Promise<object>; readonly payload: string; readonly changed: readonly string[] }
  >
> = {
  updateDevice: {
    make: async () => ({ id: await newDevice(), name: 'one', tags: ['a'] }),
    payload: 'edited: device { updatedAt }',
    changed: ['name', 'tags'],
  },
  updateDeviceProfile: {
    make: async () => ({ id: await newProfile(), offlineAfter: 1, awakeTime: 1 }),
    payload: 'edited: profile { updatedAt }',
    changed: ['offlineAfter'],
  },
  setBootstrapPlan: {
    make: async () => ({ deviceId: await newDevice(), plan: { values: [{ path: '/3/0/15', value: 'UTC' }] } }),
    payload: 'edited: plan { updatedAt }',
    changed: ['plan'],
  },
  setRegistrationProfile: {
    make: async () => ({ profileId: '6:1234', links: '</3/0>' }),
    payload: 'edited: registrationProfile { updatedAt }',
    changed: ['links'],
  },
  uploadObjectDefinition: {
    make: async () => ({ xml: objectXml([26241]) }),
    payload: 'edited: objectDefinitions { updatedAt }',
    changed: ['26241/1.0'],
  },
};

const SECOND: Readonly<Record<string, object>> = {
  updateDevice: { name: 'two', tags: ['b'] },
  updateDeviceProfile: { offlineAfter: 2 },
};

function updatedAtOf({ edited }: Result): string {
  const [one] = [edited].flat() as { updatedAt: string }[];
  return one?.updatedAt ?? '';
}

describe('an edit with ifUpdatedAt', () => {
  it.each(Object.entries(EDITS))('of %s is refused when somebody else edited first', async (mutation, edit) => {
    const input = await edit.make();
    const first = updatedAtOf(await mutate(mutation, input, edit.payload));
    const next = { ...input, ...SECOND[mutation] };
    const second = updatedAtOf(await mutate(mutation, { ...next, ifUpdatedAt: first }, edit.payload));
    expect(Date.parse(second)).toBeGreaterThan(Date.parse(first));
    const stale = await mutate(mutation, { ...next, ...input, ifUpdatedAt: first }, edit.payload);
    expect(stale).toEqual({
      __typename: 'ConflictError',
      code: 'CONFLICT',
      message: expect.stringContaining(`was last changed at ${second} (changed: ${edit.changed.join(', ')})`),
      changed: edit.changed,
      updatedAt: second,
    });
    const third = await mutate(mutation, { ...next, ...input, ifUpdatedAt: second }, edit.payload);
    expect(third['__typename']).toBe(`${mutation[0]?.toUpperCase()}${mutation.slice(1)}Payload`);
  });

  it('lets one of several concurrent edits pass', async () => {
    const id = await newDevice();
    const { device } = await world.data('query ($id: ID!) { device(id: $id) { createdAt updatedAt } }', { id });
    const { createdAt, updatedAt } = device as { createdAt: string; updatedAt: string };
    expect(updatedAt).toBe(createdAt);
    const names = ['one', 'two', 'three', 'four'];
    const edits = names.map((name) => mutate('updateDevice', { id, name, ifUpdatedAt: updatedAt }, DEVICE));
    const kinds = (await Promise.all(edits)).map(({ __typename }) => __typename);
    expect(kinds.toSorted()).toEqual(['ConflictError', 'ConflictError', 'ConflictError', 'UpdateDevicePayload']);
  });

  it('of a removed plan, registration profile or definition says that it was removed', async () => {
    const ifUpdatedAt = '2026-01-01T00:00:00Z';
    const gone = { code: 'CONFLICT', changed: expect.any(Array), updatedAt: null, __typename: 'ConflictError' };
    const plan = { values: [{ path: '/3/0/15', value: 'UTC' }] };
    expect(await mutate('setBootstrapPlan', { deviceId: await newDevice(), plan, ifUpdatedAt }, '__typename')).toEqual({
      ...gone,
      message: 'the bootstrap plan was removed',
    });
    const profile = { profileId: '6:99', links: '</3/0>', ifUpdatedAt };
    expect(await mutate('setRegistrationProfile', profile, '__typename')).toEqual({
      ...gone,
      message: 'the registration profile was deleted',
    });
    const upload = { xml: objectXml([26299]), ifUpdatedAt };
    expect(await mutate('uploadObjectDefinition', upload, '__typename')).toEqual({
      ...gone,
      message: 'the definition was deleted',
    });
  });

  it('that changes nothing leaves updatedAt as it is', async () => {
    const id = await newDevice({ name: 'same' });
    const { device } = await world.data('query ($id: ID!) { device(id: $id) { updatedAt } }', { id });
    const result = await mutate('updateDevice', { id, name: 'same' }, 'device { updatedAt }');
    expect(result['device']).toEqual(device);
  });
});
