import { readFile } from 'node:fs/promises';
import { isNonNullType } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useStore } from '../store/database.ts';
import { oneDevice, type OneDevice } from './one-device.ts';
import { objectType, objectTypes } from './role-walk.ts';

const store = useStore();
let one: OneDevice;

beforeAll(async () => {
  one = await oneDevice(store());
});
afterAll(() => one.world.stop());

/** The fields that a viewer may not have, of types that it may have. */
async function refusedFields(): Promise<string[]> {
  const roles = JSON.parse(await readFile('test/data/roles.json', 'utf8')) as Record<string, string>;
  return objectTypes
    .filter(({ name }) => name !== 'Mutation')
    .flatMap((type) => {
      const fields = Object.keys(type.getFields()).map((field) => `${type.name}.${field}`);
      const open = type.name === 'Query' || fields.some((field) => roles[field] === 'viewer');
      return open ? fields.filter((field) => roles[field] !== 'viewer') : [];
    });
}

describe('a field that the role may not have', () => {
  it('is nullable in each type that the role may have', async () => {
    const fields = await refusedFields();
    expect(fields).toContain('Device.credentials');
    const strict = fields.filter((coordinate) => {
      const [type = '', field = ''] = coordinate.split('.');
      return isNonNullType(objectType(type).getFields()[field]?.type);
    });
    expect(strict).toEqual([]);
  });

  it('is null, with the error at the field; the rest of the operation has its data', async () => {
    const { world, id } = one;
    const query = `query ($id: ID!) { viewer { role } apiKeys { id } trustAnchors { id } factoryCredentials { id }
      device(id: $id) { endpoint credentials { id } handshakes { at } } }`;
    const { body } = await world.ask(query, { id }, world.tokens.viewer);
    expect(body.data).toEqual({
      viewer: { role: 'VIEWER' },
      apiKeys: null,
      trustAnchors: null,
      factoryCredentials: null,
      device: { endpoint: 'urn:imei:123', credentials: null, handshakes: null },
    });
    const paths = [
      ['apiKeys'],
      ['trustAnchors'],
      ['factoryCredentials'],
      ['device', 'credentials'],
      ['device', 'handshakes'],
    ];
    expect(body.errors?.map(({ path }) => path).toSorted()).toEqual(paths.toSorted());
    expect(new Set(body.errors?.map(({ extensions }) => extensions?.['code']))).toEqual(new Set(['FORBIDDEN']));
    const { data } = (await world.ask(query, { id })).body;
    expect(data).toMatchObject({ trustAnchors: [], device: { credentials: [], handshakes: [] } });
  });
});
