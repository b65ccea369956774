import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useStore } from '../store/database.ts';
import { apiWorld, type ApiWorld } from './api-world.ts';

const store = useStore();
let world: ApiWorld;

/** The first query of a page: everything about the devices, without sizes. */
const PAGE = `{ devices { nodes { id endpoint name status objects { objectId definition { name } instances { instanceId
  resources { resourceId value type timestamp definition { name units operations range } } } } } } }`;
const TREE = 'objects { objectId instances { instanceId resources { resourceId value } } }';
const READ = `mutation ($id: ID!) { readResources(input: { deviceId: $id, paths: ["/"] }) {
  ... on ReadResourcesPayload { rpc { status } } } }`;

interface Tree {
  readonly objects: readonly { readonly instances: readonly { readonly resources: readonly object[] }[] }[];
}

beforeAll(async () => {
  world = await apiWorld(store());
  await world.device('urn:one', { objects: [3303, 3304] });
  await world.device('urn:two', { objects: [3303] });
  for (const endpoint of ['urn:one', 'urn:two']) {
    const { device } = await world.data<{ device: { id: string } }>(
      'query ($endpoint: String!) { device(endpoint: $endpoint) { id } }',
      { endpoint },
    );
    expect(await world.data(READ, device)).toEqual({ readResources: { rpc: { status: 'SUCCESSFUL' } } });
  }
});
afterAll(() => world.stop());

async function costOf(query: string): Promise<number> {
  const { body } = await world.ask(query);
  expect(body.errors).toBeUndefined();
  return (body.extensions as { cost: { complexity: number } }).cost.complexity;
}

describe('the cost of a query', () => {
  it('of all that two devices have is far below the limit', async () => {
    expect(await costOf(PAGE)).toBeLessThan(5_000);
  });

  it('is not below the number of fields of the largest tree', async () => {
    const { device } = await world.data<{ device: Tree }>(`{ device(endpoint: "urn:one") { ${TREE} } }`);
    const instances = device.objects.flatMap((object) => object.instances);
    const resources = instances.flatMap((instance) => instance.resources);
    expect(resources.length).toBeGreaterThan(20);
    const fields = 2 + 2 * device.objects.length + 2 * instances.length + 2 * resources.length;
    const cost = await costOf(`{ device(endpoint: "urn:one") { ${TREE} } }`);
    expect(cost).toBeGreaterThanOrEqual(fields);
    // Objects and instances count once as registered and once as stored.
    expect(cost).toBeLessThanOrEqual(2 * fields);
    // Each of several devices counts as the largest one.
    expect(await costOf(`{ devices(first: 2) { nodes { ${TREE} } } }`)).toBe(1 + 2 * cost);
  });

  it('counts the devices of the tenant, and not more than the page has', async () => {
    expect(await costOf('{ devices { nodes { id } } }')).toBe(1 + 2 * 2);
    expect(await costOf('{ devices(first: 1) { nodes { id } } }')).toBe(1 + 1 * 2);
    expect(await costOf('{ devices(first: 200) { nodes { id } } }')).toBe(1 + 2 * 2);
  });

  it('counts the paths that each select one resource', async () => {
    expect(await costOf('{ device(endpoint: "urn:one") { resources(paths: ["/3/0/0", "/3/0/1"]) { value } } }')).toBe(
      4,
    );
    const wild = await costOf('{ device(endpoint: "urn:one") { resources(paths: ["/3/0/*"]) { value } } }');
    expect(wild).toBeGreaterThan(20);
  });

  it('counts the largest device that the tenant had, also after it was deleted', async () => {
    const query = `{ device(endpoint: "urn:two") { ${TREE} } }`;
    const before = await costOf(query);
    await world.device('urn:large', { objects: [3303, 3304, 3305, 3315, 3316] });
    const { device } = await world.data<{ device: { id: string } }>('{ device(endpoint: "urn:large") { id } }');
    await world.data(READ, device);
    const after = await costOf(query);
    expect(after).toBeGreaterThan(before);
    await world.data('mutation ($id: ID!) { deleteDevice(input: { id: $id }) { __typename } }', device);
    expect(await costOf(query)).toBe(after);
  });

  it('above the limit is refused with the most expensive path and the missing page sizes', async () => {
    const small = await apiWorld(store(), { limits: { complexity: 100 } });
    try {
      const { body } = await small.ask(`{ viewer { role } devices { nodes { ${TREE} } } }`);
      expect(body.data).toBeUndefined();
      expect(body.errors?.[0]).toMatchObject({
        message: expect.stringMatching(
          /^The operation costs \d+; the limit is 100\. The most expensive path is devices\.nodes\.objects\.instances\.resources\.\w+\. devices has no `first`, so it counts 2 items\. Request smaller pages or fewer fields\.$/,
        ),
        extensions: { code: 'COST_LIMIT_EXCEEDED' },
      });
      const paged = await small.ask(`{ devices(first: 2) { nodes { ${TREE} } } }`);
      expect(paged.body.errors?.[0]?.message).not.toContain('has no `first`');
    } finally {
      await small.stop();
    }
  });
});
