import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Actor, Definitions } from '../../../src/fleet/index.ts';
import { createDefinitions } from '../../../src/fleet/objects/definitions.ts';
import { ObjectModels } from '../../../src/fleet/objects/object-models.ts';
import { OwnDefinitions } from '../../../src/fleet/objects/own-definitions.ts';
import { registryModel } from '../../../src/lwm2m/index.ts';
import { objectDefinitions, tenants } from '../../../src/store/index.ts';
import { objectXml } from '../../lwm2m/object-xml.ts';
import { ManualClock } from '../../manual-clock.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, OTHER, type FleetWorld } from '../fleet-world.ts';

const store = useStore();

beforeAll(async () => {
  const rows = [ADMIN, OTHER].map(({ tenantId: id }) => ({ id, name: id, createdAt: new Date() }));
  await store().asSystem((tx) => tx.insert(tenants).values(rows).onConflictDoNothing());
});
beforeEach(async () => {
  await store().asSystem((tx) => tx.delete(objectDefinitions));
});

/** The definitions of one process. */
interface Process {
  readonly definitions: Definitions;
  readonly models: ObjectModels;
  readonly clock: ManualClock;
  readonly warnings: string[];
}

const running: ObjectModels[] = [];
afterEach(async () => {
  for (const models of running.splice(0)) await models.stop();
});

async function started(): Promise<Process> {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const warn = (_details: object, message: string): void => void warnings.push(message);
  const log = { info: warn, warn, error: warn };
  const models = new ObjectModels({ store: store(), registry: registryModel(), clock, log });
  await models.start();
  running.push(models);
  return {
    definitions: createDefinitions(models, new OwnDefinitions(store(), models, clock)),
    models,
    clock,
    warnings,
  };
}

describe('a tenant’s own definition', () => {
  let world: FleetWorld;
  afterEach(() => world.stop());

  it('is in force at once for devices that are registered, and until it is deleted', async () => {
    world = await fleetWorld(store());
    const device = world.device();
    expect(await device.register('urn:pump', [], '</26241/0>')).toBe('2.01');
    const known = await world.fleet.devices.get(ADMIN, { endpoint: 'urn:pump' });
    if (!known) throw new Error('it has registered');
    device.values.set('/26241/0/0', '42');
    const read = async (): Promise<unknown> => {
      await world.during(world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'read', paths: ['/26241/0/0'] }));
      const tree = await world.fleet.devices.resources(ADMIN, [known.id], []);
      const [state] = tree.get(known.id) ?? [];
      return state && { value: state.value, type: state.type, typeGuessed: state.typeGuessed };
    };
    const untyped = await read();
    expect(untyped).toEqual({ value: '42', type: 'String', typeGuessed: true });
    await world.during(world.fleet.definitions.upload(ADMIN, objectXml([26241])));
    expect(await read()).toEqual({ value: 42, type: 'Unsigned Integer', typeGuessed: false });
    await world.during(world.fleet.definitions.delete(ADMIN, 26241, '1.0'));
    expect(await read()).toEqual(untyped);
    expect(world.warnings).toEqual([]);
  });

  it('types what the device sends by itself, too', async () => {
    world = await fleetWorld(store());
    const device = world.device();
    await device.register('urn:pump:sending', [], '</26242/0>');
    await world.during(world.fleet.definitions.upload(ADMIN, objectXml([26242], { type: 'Time' })));
    await device.send('POST', '/dp', { format: 110, text: '[{"n":"/26242/0/0","v":1780065000}]' });
    const known = await world.fleet.devices.get(ADMIN, { endpoint: 'urn:pump:sending' });
    const tree = known && (await world.fleet.devices.resources(ADMIN, [known.id], []));
    expect(known && tree?.get(known.id)?.[0]?.value).toBe('2026-05-29T14:30:00Z');
  });

  it('may leave the type of a resource open: written values and their attributes have any type', async () => {
    world = await fleetWorld(store());
    const device = world.device();
    await device.register('urn:pump:typeless', [], '</26244/0>');
    const [pump] = await world.during(world.fleet.definitions.upload(ADMIN, objectXml([26244], { type: '' })));
    expect(pump?.resources).toMatchObject([{ name: 'Speed', operations: 'RW', type: null }]);
    const known = await world.fleet.devices.get(ADMIN, { endpoint: 'urn:pump:typeless' });
    if (!known) throw new Error('it has registered');
    const values = [{ path: '/26244/0/0', value: 'fast' }];
    const write = world.fleet.rpcs.perform(ADMIN, known.id, { kind: 'write', mode: 'REPLACE', values });
    expect(await world.during(write)).toMatchObject({ status: 'SUCCESSFUL' });
    const limit = world.fleet.rpcs.perform(ADMIN, known.id, {
      kind: 'write-attributes',
      path: '/26244/0/0',
      attributes: { gt: 5 },
    });
    expect(await world.during(limit)).toMatchObject({ status: 'SUCCESSFUL' });
    expect(device.asked.filter((request) => request.startsWith('PUT'))).toHaveLength(2);
  });

  it('is there after a restart', async () => {
    const before = await started();
    await before.definitions.upload(ADMIN, objectXml([26243]));
    world = await fleetWorld(store());
    expect(await world.fleet.definitions.get(ADMIN, 26243)).toMatchObject({ name: 'Pump', source: 'TENANT' });
  });
});

describe('the definitions that a tenant sees', () => {
  it('are the registry’s, over which its own win, and no other tenant’s', async () => {
    const { definitions } = await started();
    await definitions.upload(ADMIN, objectXml([3303], { name: 'Our temperature', version: '1.1' }));
    const seen = async (actor: Actor): Promise<string[]> => {
      const { edges } = await definitions.page(actor, { first: 10 }, '3303');
      return edges.map(({ node }) => `${node.version} ${node.name} ${node.source}`);
    };
    expect(await seen(ADMIN)).toEqual(['1.0 Temperature REGISTRY', '1.1 Our temperature TENANT']);
    expect(await seen(OTHER)).toEqual(['1.0 Temperature REGISTRY', '1.1 Temperature REGISTRY']);
    const [newest, oldest] = await definitions.many(ADMIN, [
      { objectId: 3303, version: null },
      { objectId: 3303, version: '1.0' },
    ]);
    expect([newest?.source, oldest?.source]).toEqual(['TENANT', 'REGISTRY']);
  });

  it('are those of an upload, which replaces the same version', async () => {
    const { definitions } = await started();
    await definitions.upload(ADMIN, objectXml([26241, 26242], { name: 'First' }));
    const again = await definitions.upload(ADMIN, objectXml([26241], { name: 'Second' }));
    expect(again).toMatchObject([{ id: 26241, name: 'Second', source: 'TENANT' }]);
    expect((await definitions.get(ADMIN, 26241))?.name).toBe('Second');
    expect((await definitions.get(ADMIN, 26242))?.name).toBe('First');
  });

  it('are each process’s within half a minute of another’s change', async () => {
    const [here, there] = [await started(), await started()];
    const name = async (): Promise<string | undefined> => (await there.definitions.get(ADMIN, 26241))?.name;
    const pass = async (ms: number): Promise<void> => {
      await there.clock.advance(ms);
      await there.models.idle();
    };
    const view = there.models.of(ADMIN.tenantId);
    await here.definitions.upload(ADMIN, objectXml([26241], { name: 'First' }));
    expect(await name()).toBeUndefined();
    await pass(29_000);
    expect(await name()).toBeUndefined();
    await pass(1_000);
    expect(await name()).toBe('First');
    await here.definitions.upload(ADMIN, objectXml([26241], { name: 'Second' }));
    await pass(30_000);
    expect(await name()).toBe('Second');
    expect(view.object(26241)?.name).toBe('Second');
    await here.definitions.delete(ADMIN, 26241, '1.0');
    await pass(30_000);
    expect(await name()).toBeUndefined();
    expect(there.warnings).toEqual([]);
  });
});

async function refusal(xml: string, actor = ADMIN): Promise<unknown> {
  const { definitions } = await started();
  return definitions.upload(actor, xml).catch((error: unknown) => error);
}

describe('an upload', () => {
  it.each([
    ['a wrong type', objectXml([26241], { type: 'Number' }), /^line 14: <Type> "Number" is not String, /],
    ['an id out of range', objectXml([65535]), /^line 4: <ObjectID> "65535" is not an id from 0 to 65534/],
    ['what is no XML', '<LWM2M>\n<Object>\n</LWM2M>', /^line 3: /],
    ['another document', '<html></html>', /^line 1: <html> is not the root element <LWM2M>/],
    ['an object twice', objectXml([26241, 26241]), /^object 26241 1\.0 is defined twice/],
    ['a file that is too large', ' '.repeat(600_000), /the maximum is 524288$/],
    [
      'too many objects',
      objectXml(Array.from({ length: 201 }, (_, index) => 26241 + index)),
      /^at most 200 definitions/,
    ],
  ])('of %s is refused, saying where', async (_what, xml, message) => {
    expect(await refusal(xml)).toMatchObject({
      code: 'VALIDATION',
      field: ['xml'],
      message: expect.stringMatching(message),
    });
  });

  it('that goes beyond what a tenant may have is taken back whole', async () => {
    const { definitions } = await started();
    await definitions.upload(ADMIN, objectXml(Array.from({ length: 199 }, (_, index) => 26241 + index)));
    const beyond = definitions.upload(ADMIN, objectXml([30_001, 30_002]));
    await expect(beyond).rejects.toMatchObject({ code: 'VALIDATION', message: expect.stringContaining('201') });
    expect(await definitions.get(ADMIN, 30_001)).toBeNull();
    // Another tenant has its own bound.
    await definitions.upload(OTHER, objectXml([30_001, 30_002]));
    expect((await definitions.get(OTHER, 30_001))?.source).toBe('TENANT');
  });

  it('is for admins, as is a deletion', async () => {
    const operator: Actor = { ...ADMIN, role: 'operator' };
    expect(await refusal(objectXml([26241]), operator)).toMatchObject({ code: 'FORBIDDEN' });
    const { definitions } = await started();
    await definitions.upload(ADMIN, objectXml([26241]));
    await expect(definitions.delete(operator, 26241, '1.0')).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('a deletion', () => {
  it('is of the tenant’s own definitions only', async () => {
    const { definitions } = await started();
    await definitions.upload(OTHER, objectXml([26241]));
    for (const [objectId, version] of [
      [3303, '1.0'],
      [26241, '1.0'],
    ] as const) {
      await expect(definitions.delete(ADMIN, objectId, version)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
    expect((await definitions.get(OTHER, 26241))?.name).toBe('Pump');
  });

  it('gives the registry’s back', async () => {
    const { definitions } = await started();
    await definitions.upload(ADMIN, objectXml([3303], { name: 'Our temperature' }));
    expect(await definitions.delete(ADMIN, 3303, '1.0')).toMatchObject({ name: 'Our temperature', source: 'TENANT' });
    expect(await definitions.get(ADMIN, 3303, '1.0')).toMatchObject({ name: 'Temperature', source: 'REGISTRY' });
  });
});
