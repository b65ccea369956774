import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProfileInput } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
beforeAll(async () => {
  world = await fleetWorld(store());
});
afterAll(() => world.stop());

describe('profiles', () => {
  it('begin with the default one', async () => {
    const page = await world.fleet.profiles.page(ADMIN, { first: 10 });
    expect(page.edges.map(({ node }) => node)).toMatchObject([
      {
        name: 'Default',
        isDefault: true,
        offlineAfter: null,
        expectedInterval: null,
        mappings: [
          { path: '/3303/0/5700', metric: 'temperature' },
          { path: '/3304/0/5700', metric: 'humidity' },
          { path: '/3323/0/5700', metric: 'pressure' },
          { path: '/3/0/9', metric: 'battery_level' },
        ],
        methods: [{ name: 'reboot' }, { name: 'factory_reset' }],
      },
    ]);
  });

  it('are made, changed and deleted, but neither the default one nor one in use', async () => {
    const { profiles, devices } = world.fleet;
    const mappings = [{ path: '/3303/*/5700', metric: 'temperature_{instance}', scale: 0.1, attributes: { pmin: 5 } }];
    const made = await profiles.create(ADMIN, { name: 'Sensors', mappings, awakeTime: 30 });
    expect(await profiles.many(ADMIN, ['no-id', made.id])).toEqual([null, made]);
    await expect(profiles.create(ADMIN, { name: 'Sensors' })).rejects.toMatchObject({
      code: 'CONFLICT',
      field: ['name'],
    });
    expect(await profiles.update(ADMIN, made.id, { offlineAfter: 60 })).toMatchObject({
      name: 'Sensors',
      mappings,
      offlineAfter: 60,
      awakeTime: 30,
    });
    const device = await devices.provision(ADMIN, { endpoint: 'user-of-it', profileId: made.id });
    await expect(profiles.delete(ADMIN, made.id)).rejects.toMatchObject({ code: 'CONFLICT' });
    await devices.delete(ADMIN, device.id);
    expect(await profiles.delete(ADMIN, made.id)).toMatchObject({ id: made.id });
    const usual = (await profiles.page(ADMIN, { first: 1 })).edges[0]?.node;
    await expect(profiles.delete(ADMIN, usual?.id ?? '')).rejects.toMatchObject({ code: 'CONFLICT' });
  });

  it('page forward and backward', async () => {
    const { profiles } = world.fleet;
    for (const name of ['One', 'Two', 'Three']) {
      await world.advance(1);
      await profiles.create(ADMIN, { name });
    }
    const first = await profiles.page(ADMIN, { first: 2 });
    const second = await profiles.page(ADMIN, { first: 2, after: first.edges.at(-1)?.cursor ?? null });
    expect([...first.edges, ...second.edges].map(({ node }) => node.name)).toEqual(['Default', 'One', 'Two', 'Three']);
    const before = await profiles.page(ADMIN, { last: 2, before: second.edges[0]?.cursor ?? null });
    expect(before.edges.map(({ node }) => node.name)).toEqual(['Default', 'One']);
  });

  it('accept what can work: a number in a String, a resource without a definition, parameters for each part', async () => {
    const made = await world.fleet.profiles.create(ADMIN, {
      name: 'Possible',
      mappings: [
        { path: '/3/0/0', metric: 'model', kind: 'numeric', scale: 2 },
        { path: '/3/0/7', metric: 'power' },
        { path: '/3/0/8', metric: 'power_0' },
        { path: '/3303/0/5701', metric: 'celsius' },
        { path: '/3303/0/5701', metric: 'fahrenheit' },
        { path: '/3/0/7/1', metric: 'second' },
        { path: '/26241/0/4', metric: 'own', attributes: { gt: 5 } },
        { path: '/3303/0/5700', metric: 't', attributes: { gt: 30, lt: 10, st: 0.5 } },
      ],
      methods: [
        { name: 'label', operation: 'WRITE', path: '/{{o}}/0/5750', parameters: { value: '{{v}}', mode: '{{mode}}' } },
        { name: 'start', operation: 'EXECUTE', path: '/26241/0/4', parameters: { arguments: { 0: '{{a}}' } } },
      ],
    });
    expect(made.mappings).toHaveLength(8);
    await world.fleet.profiles.delete(ADMIN, made.id);
  });

  it.each<[Partial<ProfileInput>, string[]]>([
    [{ name: ' ' }, ['name']],
    [{ mappings: [{ path: '/3303', metric: 't' }] }, ['mappings', '0', 'path']],
    ...[
      [
        { path: '/3303/*/5700', metric: 't_{instance}' },
        { path: '/3304/0/5700', metric: 't_0' },
      ],
      [
        { path: '/3304/7/5700', metric: 't_{instance}_x' },
        { path: '/3303/*/5700', metric: 't_{instance}_x' },
      ],
      [
        { path: '/3303/*/5700', metric: 't{instance}1' },
        { path: '/3303/*/5701', metric: 't1{instance}' },
      ],
      // Because of `mv_0`, the instances of both multiple resources would become `mv__0`.
      [
        { path: '/3/0/7', metric: 'mv' },
        { path: '/3/0/8', metric: 'mv_' },
        { path: '/3303/0/5700', metric: 'mv_0' },
      ],
      [
        { path: '/3/0/7', metric: 'mv_1__' },
        { path: '/3303/*/5700', metric: 'mv_{instance}' },
      ],
    ].map((mappings): [Partial<ProfileInput>, string[]] => [{ mappings }, ['mappings', '1', 'metric']]),
    [
      {
        mappings: [
          { path: '/3/0/9', metric: 'a', attributes: { pmin: 1 } },
          { path: '/3/0/9', metric: 'b', attributes: { pmin: 2 } },
        ],
      },
      ['mappings', '1', 'attributes'],
    ],
    [{ mappings: [{ path: '/3303/*/5700', metric: 't' }] }, ['mappings', '0', 'metric']],
    [{ mappings: [{ path: '/3303/0/5700', metric: '9 lives' }] }, ['mappings', '0', 'metric']],
    [{ mappings: [{ path: '/3/0/9', metric: 'a', scale: Number.NaN }] }, ['mappings', '0', 'scale']],
    [{ mappings: [{ path: '/3/0/9', metric: 'a', attributes: { st: -1 } }] }, ['mappings', '0', 'attributes', 'st']],
    [
      {
        mappings: [
          { path: '/3/0/9', metric: 'a' },
          { path: '/3/0/10', metric: 'a' },
        ],
      },
      ['mappings', '1', 'metric'],
    ],
    [{ methods: [{ name: 'a b', operation: 'READ', path: '/3' }] }, ['methods', '0', 'name']],
    [{ methods: [{ name: 'a', operation: 'EXECUTE', path: '/3/0' }] }, ['methods', '0', 'path']],
    [{ methods: [{ name: 'a', operation: 'CREATE', path: '/3/0' }] }, ['methods', '0', 'path']],
    [{ methods: [{ name: 'reboot', operation: 'EXECUTE', path: '/3/1/4' }] }, ['methods', '0', 'name']],
    [{ methods: [{ name: 'read', operation: 'READ', path: '/3/0' }] }, ['methods', '0', 'name']],
    [{ mappings: [{ path: '/3/0/4', metric: 'a' }] }, ['mappings', '0', 'path']],
    [{ mappings: [{ path: '/5/0/0', metric: 'a', kind: 'string' }] }, ['mappings', '0', 'path']],
    [{ mappings: [{ path: '/19/0/0', metric: 'a' }] }, ['mappings', '0', 'kind']],
    [{ mappings: [{ path: '/0/0/0', metric: 'a' }] }, ['mappings', '0', 'path']],
    [{ mappings: [{ path: '/3/0/9/0', metric: 'a' }] }, ['mappings', '0', 'path']],
    [{ mappings: [{ path: '/3/0/22', metric: 'a', kind: 'numeric' }] }, ['mappings', '0', 'kind']],
    [{ mappings: [{ path: '/3/0/0', metric: 'a', scale: 2 }] }, ['mappings', '0', 'scale']],
    [{ mappings: [{ path: '/3/0/22', metric: 'a', offset: 1 }] }, ['mappings', '0', 'offset']],
    [{ mappings: [{ path: '/3/0/0', metric: 'a', attributes: { gt: 1 } }] }, ['mappings', '0', 'attributes', 'gt']],
    [
      { mappings: [{ path: '/3303/*/5700', metric: 'a_{instance}', attributes: { edge: true } }] },
      ['mappings', '0', 'attributes', 'edge'],
    ],
    [{ methods: [{ name: 'm', operation: 'EXECUTE', path: '/3/0/9' }] }, ['methods', '0', 'path']],
    [{ methods: [{ name: 'm', operation: 'READ', path: '/3/0/4' }] }, ['methods', '0', 'path']],
    [
      { methods: [{ name: 'm', operation: 'WRITE', path: '/3303/{{n}}/5700', parameters: { value: 1 } }] },
      ['methods', '0', 'path'],
    ],
    [{ methods: [{ name: 'm', operation: 'WRITE', path: '/1/0/1' }] }, ['methods', '0', 'parameters', 'value']],
    [
      { methods: [{ name: 'm', operation: 'READ', path: '/3/0/9', parameters: { depth: 1 } }] },
      ['methods', '0', 'parameters', 'depth'],
    ],
    [
      { methods: [{ name: 'm', operation: 'DELETE', path: '/3303/1', parameters: { '{{n}}': '{{n}}' } }] },
      ['methods', '0', 'parameters', '{{n}}'],
    ],
    [
      {
        methods: [
          { name: 'm', operation: 'WRITE', path: '/1/0/1', parameters: { value: '{{seconds}}', mode: 'APPEND' } },
        ],
      },
      ['methods', '0', 'parameters', 'mode'],
    ],
    [
      { mappings: [{ path: '/3/0/9', metric: 'a', attributes: { pmin: 60, pmax: 10 } }] },
      ['mappings', '0', 'attributes', 'pmin'],
    ],
    [{ offlineAfter: 0 }, ['offlineAfter']],
    [{ expectedInterval: 0 }, ['expectedInterval']],
    [{ awakeTime: 1.5 }, ['awakeTime']],
  ])('refuse %j', async (input, field) => {
    await expect(world.fleet.profiles.create(ADMIN, { name: 'Wrong', ...input })).rejects.toMatchObject({
      code: 'VALIDATION',
      field,
    });
  });
});
