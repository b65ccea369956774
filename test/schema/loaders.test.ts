import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Fleet } from '../../src/fleet/index.ts';
import { apiWorld, type ApiWorld } from '../server/api-world.ts';
import { useStore } from '../store/database.ts';

const store = useStore();
let world: ApiWorld;
const calls: string[] = [];

/** A part of the fleet that records the name of each call. */
function noun<T extends object>(name: string, part: T): T {
  return new Proxy(part, {
    get(target, verb, receiver) {
      const member: unknown = Reflect.get(target, verb, receiver);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        calls.push(`${name}.${String(verb)}`);
        return Reflect.apply(member, target, args) as unknown;
      };
    },
  });
}

function counted(fleet: Fleet): Fleet {
  return {
    ...fleet,
    devices: noun('devices', fleet.devices),
    profiles: noun('profiles', fleet.profiles),
    definitions: noun('definitions', fleet.definitions),
    rpcs: noun('rpcs', fleet.rpcs),
  };
}

beforeAll(async () => {
  world = await apiWorld(store(), {}, counted);
  await Promise.all(Array.from({ length: 12 }, (_, at) => world.device(`urn:${at}`, { objects: [3303, 3304] })));
});
afterAll(() => world.stop());

const TREE = `query ($first: Int!) { devices(first: $first) { totalCount edges { node {
  endpoint profile { name } registration { address } observations { paths }
  temperature: resource(path: "/3303/0/5700") { value definition { units } }
  humidity: resource(path: "/3304/0/5700") { value }
  battery: resources(paths: ["/3/0/9"]) { value }
  objects { version definition { name } instances { resources { value definition { name } } } }
} } } }`;

/** The calls for the trees of the given number of devices. */
async function asked(first: number): Promise<string[]> {
  calls.length = 0;
  const { devices } = await world.data<{ devices: { edges: unknown[] } }>(TREE, { first });
  expect(devices.edges).toHaveLength(first);
  return calls.toSorted();
}

/** Definitions are left out: they are in memory, and their batches depend on the timing of other results. */
function stored(all: readonly string[]): string[] {
  return all.filter((call) => call !== 'definitions.many');
}

describe('a nested device tree', () => {
  it('makes the same number of calls to the fleet for one device and for twelve', async () => {
    const [one, twelve] = [await asked(1), await asked(12)];
    expect(stored(twelve)).toEqual(stored(one));
    expect(one.filter((call) => call === 'devices.resources')).toHaveLength(2);
    for (const all of [one, twelve]) expect(all.length).toBeLessThanOrEqual(10);
  });
});
