import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { apiWorld, type ApiWorld } from '../../server/api-world.ts';
import { rawDevice, type RawDevice } from '../../server/raw-device.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;
let device: RawDevice;
let endpoint: string;
let count = 0;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
/** The responses of the device: `DELETE /3303/1` to code, content format and text. Others get 4.04. */
const answers = new Map<string, { code: number; contentFormat?: number; text?: string; locationPath?: string[] }>();

beforeAll(async () => {
  world = await apiWorld(store());
});
afterAll(() => world.stop());
afterEach(async () => {
  answers.clear();
  await device.close();
});

async function registered(links: string): Promise<void> {
  endpoint = `tree-${++count}`;
  device = await rawDevice(world.coapPort, ({ method, path }) => {
    const found = answers.get(`${method} /${path.join('/')}`);
    return found ? { ...found, ...(found.text !== undefined && { payload: bytes(found.text) }) } : { code: 0x84 };
  });
  await register(links);
}

const register = async (links: string): Promise<void> => {
  const query = [`ep=${endpoint}`, 'lt=600', 'lwm2m=1.1', 'b=U'];
  expect(await device.register(query, links)).toMatchObject({ code: '2.01' });
};

async function update(links: string): Promise<void> {
  const found = await ask<{ registration: { location: string } }>('registration { location }');
  const path = found.registration.location.split('/');
  const answer = await device.request({ method: 'POST', path, contentFormat: 40, payload: bytes(links) });
  expect(answer).toMatchObject({ code: '2.04' });
}

async function ask<T>(selection: string): Promise<T> {
  const query = `query ($endpoint: String!) { device(endpoint: $endpoint) { ${selection} } }`;
  return (await world.data<{ device: T }>(query, { endpoint })).device;
}

interface Listed {
  readonly objects: readonly {
    readonly objectId: number;
    readonly instances: readonly {
      readonly instanceId: number;
      readonly resources: readonly { readonly resourceId: number; readonly value: unknown }[];
    }[];
  }[];
}

/** The tree: `/3303/0` to resource id to value; an object without instances is `/3303` to null. */
async function tree(): Promise<Record<string, unknown>> {
  const { objects } = await ask<Listed>('objects { objectId instances { instanceId resources { resourceId value } } }');
  return Object.fromEntries(
    objects.flatMap(({ objectId, instances }): [string, unknown][] =>
      instances.length === 0
        ? [[`/${objectId}`, null]]
        : instances.map(({ instanceId, resources }) => [
            `/${objectId}/${instanceId}`,
            Object.fromEntries(resources.map(({ resourceId, value }) => [resourceId, value])),
          ]),
    ),
  );
}

async function send(values: Record<string, number>): Promise<void> {
  const records = Object.entries(values).map(([n, v]) => ({ n, v }));
  expect(await device.send(records)).toMatchObject({ code: '2.04' });
}

async function call(mutation: string, input: string): Promise<unknown> {
  const { id } = await ask<{ id: string }>('id');
  const query = `mutation { ${mutation}(input: { deviceId: "${id}", ${input} }) {
    ... on UserError { message } ... on ${mutation[0]?.toUpperCase()}${mutation.slice(1)}Payload { rpc { status } } } }`;
  return (await world.data(query))[mutation];
}

async function read(path: string, text: string): Promise<void> {
  answers.set(`GET ${path}`, { code: 0x45, contentFormat: 0, text });
  expect(await call('readResources', `paths: ["${path}"]`)).toEqual(SUCCESSFUL);
}

function discovered(path: string, text: string): void {
  answers.set(`GET ${path}`, { code: 0x45, contentFormat: 40, text });
}

const SUCCESSFUL = { rpc: { status: 'SUCCESSFUL' } };

describe('the object list of a device', () => {
  it('removes instances and objects from the tree that a new Register does not list', async () => {
    await registered('</1/0>,</3/0>,</3303/0>,</3303/1>,</3304/0>');
    await send({ '/3/0/9': 80, '/3303/0/5700': 20, '/3303/1/5700': 21, '/3304/0/5700': 50 });
    await register('</1/0>,</3/0>,</3303/1>');
    expect(await tree()).toEqual({ '/1/0': {}, '/3/0': { 9: 80 }, '/3303/1': { 5700: 21 } });
    expect(await ask('resource(path: "/3303/0/5700") { value }')).toEqual({ resource: null });
  });

  it('removes them when an Update does not list them, but not when the Update has no list', async () => {
    await registered('</1/0>,</3/0>,</3303/0>,</3303/1>');
    await send({ '/3303/0/5700': 20, '/3303/1/5700': 21 });
    await read('/3315/0/5700', '1013');
    await update('');
    expect(await tree()).toMatchObject({ '/3303/0': { 5700: 20 }, '/3315/0': { 5700: 1013 } });
    await update('</1/0>,</3/0>,</3303>');
    expect(await tree()).toEqual({ '/1/0': {}, '/3/0': {}, '/3303': null });
  });

  it('keeps the values of a device that lists objects without instances', async () => {
    await registered('</1>,</3>,</3303>,</3304>');
    await send({ '/3/0/9': 80, '/3303/0/5700': 20, '/3304/0/5700': 50 });
    await register('</1>,</3>,</3303>');
    expect(await tree()).toEqual({ '/1': null, '/3/0': { 9: 80 }, '/3303/0': { 5700: 20 } });
  });

  it('keeps objects that a list need not name, and Device without its only instance', async () => {
    await registered('</3>,</3303/0>');
    await send({ '/3/0/9': 80 });
    await read('/1/0/1', '600');
    await register('</3>,</3303/0>');
    expect(await tree()).toEqual({ '/1/0': { 1: 600 }, '/3/0': { 9: 80 }, '/3303/0': {} });
  });
});

describe('the instances of a device', () => {
  it('lose one that was deleted, before the device lists its objects again', async () => {
    await registered('</1/0>,</3/0>,</3303/0>,</3303/1>');
    await send({ '/3303/0/5700': 20, '/3303/1/5700': 21 });
    answers.set('DELETE /3303/1', { code: 0x42 });
    expect(await call('deleteInstance', 'path: "/3303/1"')).toEqual(SUCCESSFUL);
    expect(await tree()).toEqual({ '/1/0': {}, '/3/0': {}, '/3303/0': { 5700: 20 } });
    const { registration } = await ask<{ registration: unknown }>('registration { objects { objectId instanceIds } }');
    expect(registration).toMatchObject({ objects: [{}, {}, { objectId: 3303, instanceIds: [0] }] });
  });

  it('keep one whose Delete the device refused', async () => {
    await registered('</1/0>,</3/0>,</3303/0>,</3303/1>');
    answers.set('DELETE /3303/1', { code: 0x81 });
    expect(await call('deleteInstance', 'path: "/3303/1"')).toEqual({ rpc: { status: 'FAILED' } });
    expect(await tree()).toEqual({ '/1/0': {}, '/3/0': {}, '/3303/0': {}, '/3303/1': {} });
  });

  it('gain one that was created', async () => {
    await registered('</1/0>,</3/0>,</3303/0>');
    answers.set('POST /3303', { code: 0x41, locationPath: ['3303', '7'] });
    expect(await call('createInstance', 'objectId: 3303, values: []')).toEqual(SUCCESSFUL);
    expect(await tree()).toEqual({ '/1/0': {}, '/3/0': {}, '/3303/0': {}, '/3303/7': {} });
  });
});

describe('the resources of a device', () => {
  interface Resources {
    readonly resources: readonly { readonly path: string; readonly operations: string[] | null }[];
  }
  const operations = async (paths: string): Promise<Record<string, unknown>> => {
    const { resources } = await ask<Resources>(`resources(paths: ["${paths}"]) { path operations }`);
    return Object.fromEntries(resources.map(({ path, operations: allowed }) => [path, allowed]));
  };

  it('are those of a Discover, with what each allows', async () => {
    await registered('</1/0>,</3/0>,</33000/0>');
    discovered('/3', '</3>;ver=1.1,</3/0>,</3/0/4>,</3/0/6>;dim=2,</3/0/9>,</3/0/14>');
    discovered('/33000', '</33000>,</33000/0>,</33000/0/1>');
    expect(await call('discoverResources', 'path: "/3"')).toEqual(SUCCESSFUL);
    expect(await call('discoverResources', 'path: "/33000"')).toEqual(SUCCESSFUL);
    expect(await operations('/3')).toEqual({
      '/3/0/4': ['EXECUTE'],
      '/3/0/6': ['READ'],
      '/3/0/9': ['READ'],
      '/3/0/14': ['READ', 'WRITE'],
    });
    expect(await operations('/33000')).toEqual({ '/33000/0/1': null });
    expect(await ask('resource(path: "/3/0/9") { value type timestamp source typeGuessed }')).toEqual({
      resource: { value: null, type: null, timestamp: null, source: null, typeGuessed: false },
    });
  });

  it('keep their values when a Discover lists them, and leave the tree when it does not', async () => {
    await registered('</1/0>,</3/0>,</3303/0>,</3303/1>,</3303/2>');
    await send({ '/3303/0/5700': 20, '/3303/0/5601': 1, '/3303/1/5700': 21, '/3/0/6/0': 1, '/3/0/6/1': 5 });
    discovered('/3303', '</3303>,</3303/0>,</3303/0/5605>,</3303/0/5700>,</3303/2>');
    discovered('/3/0', '</3/0>,</3/0/4>,</3/0/6>;dim=2');
    expect(await call('discoverResources', 'path: "/3303"')).toEqual(SUCCESSFUL);
    expect(await call('discoverResources', 'path: "/3/0"')).toEqual(SUCCESSFUL);
    expect(await tree()).toEqual({
      '/1/0': {},
      '/3/0': { 4: null, 6: { 0: 1, 1: 5 } },
      '/3303/0': { 5605: null, 5700: 20 },
      '/3303/2': {},
    });
  });

  it('stay after a Read, which returns neither actions nor resources that can only be written', async () => {
    await registered('</1/0>,</3/0>,</5/0>');
    discovered('/3/0', '</3/0>,</3/0/4>,</3/0/9>');
    discovered('/5/0', '</5/0>,</5/0/0>,</5/0/1>');
    expect(await call('discoverResources', 'path: "/3/0"')).toEqual(SUCCESSFUL);
    expect(await call('discoverResources', 'path: "/5/0"')).toEqual(SUCCESSFUL);
    answers.set('GET /3/0', { code: 0x45, contentFormat: 110, text: '[{"n":"/3/0/9","v":80}]' });
    answers.set('PUT /5/0/0', { code: 0x44 });
    expect(await call('readResources', 'paths: ["/3/0"]')).toEqual(SUCCESSFUL);
    expect(await call('writeResources', 'values: [{ path: "/5/0/0", value: "AAEC" }]')).toEqual(SUCCESSFUL);
    expect(await tree()).toEqual({ '/1/0': {}, '/3/0': { 4: null, 9: 80 }, '/5/0': { 0: null, 1: null } });
    // A repeated Discover changes no value.
    discovered('/3/0', '</3/0>,</3/0/4>,</3/0/9>');
    expect(await call('discoverResources', 'path: "/3/0"')).toEqual(SUCCESSFUL);
    expect(await tree()).toMatchObject({ '/3/0': { 4: null, 9: 80 } });
  });

  it('leave the tree with their instance, also those without a value', async () => {
    await registered('</1/0>,</3/0>,</3303/0>,</3303/1>');
    discovered('/3303', '</3303>,</3303/0>,</3303/0/5605>,</3303/1>,</3303/1/5605>');
    expect(await call('discoverResources', 'path: "/3303"')).toEqual(SUCCESSFUL);
    answers.set('DELETE /3303/1', { code: 0x42 });
    expect(await call('deleteInstance', 'path: "/3303/1"')).toEqual(SUCCESSFUL);
    expect(await tree()).toEqual({ '/1/0': {}, '/3/0': {}, '/3303/0': { 5605: null } });
  });

  it('are not those of the root: no LwM2M version has a Discover of it (Core 1.2 §6.3.2)', async () => {
    await registered('</1/0>,</3/0>');
    expect(await call('discoverResources', 'path: "/"')).toEqual({
      message: 'path: "/": must name at least an object, such as /3, not the root',
    });
  });
});
