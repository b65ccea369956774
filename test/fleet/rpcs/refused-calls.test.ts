import { afterEach, describe, expect, it } from 'vitest';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';
import { perform, registered } from './rpc-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

describe('a parameter of callRpc', () => {
  it.each<[string, Record<string, unknown>, string[], string]>([
    ['reboot', { delay: 5 }, ['params', 'delay'], '"delay"'],
    ['factory_reset', { '0': 1 }, ['params', '0'], '"0"'],
    ['reboot', { constructor: 1 }, ['params', 'constructor'], '"constructor"'],
    ['read', { paths: ['/3/0/9'], delay: 5 }, ['params', 'delay'], '"delay"'],
    ['read', { paths: ['/3/0/9', '3/0'] }, ['params', 'paths', '1'], '3/0'],
    ['execute', { path: '/3/0/9' }, ['params', 'path'], '/3/0/9 is not executable'],
    ['write', { values: [{ path: '/3/0/13', value: 'noon' }] }, ['params', 'values', '0', 'value'], 'noon'],
    ['discover', { path: '/3', depth: 9 }, ['params', 'depth'], '9'],
    ['lifetime', { seconds: 'long' }, ['params', 'seconds'], 'long'],
    ['lifetime', { seconds: 1, minutes: 1 }, ['params', 'minutes'], '"minutes"'],
  ])('that is unknown or invalid is refused with its place in the call: %s %j', async (method, params, field, said) => {
    world = await fleetWorld(store());
    const { known, device } = await registered(world, `params ${Math.random()}`);
    await world.fleet.profiles.update(ADMIN, known.profileId, {
      methods: [{ name: 'lifetime', operation: 'WRITE', path: '/1/0/1', parameters: { value: '{{seconds}}' } }],
    });
    await expect(world.fleet.rpcs.call(ADMIN, known.id, method, params)).rejects.toMatchObject({
      code: 'VALIDATION',
      field,
      message: expect.stringContaining(said),
    });
    expect(device.asked).toEqual([]);
    expect((await world.fleet.rpcs.page(ADMIN, known.id, { first: 1 })).edges).toEqual([]);
  });
});

describe('a Write that violates the definition', () => {
  it.each([
    [{ path: '/3/0/0', value: 'x' }, 'not writable'],
    [{ path: '/3/0/4', value: 'x' }, 'executable'],
    [{ path: '/5/0/3', value: 1 }, 'not writable'],
    [{ path: '/3/0', value: { 0: 'x' } }, 'not writable'],
  ])('is refused before sending, and sent with force: %j', async (value, why) => {
    world = await fleetWorld(store());
    const { known, device } = await registered(world, `defined ${Math.random()}`);
    const write = { kind: 'write', mode: 'REPLACE', values: [value] } as const;
    await expect(perform(world, known, write)).rejects.toMatchObject({
      code: 'VALIDATION',
      message: expect.stringContaining(why),
    });
    expect(device.asked).toEqual([]);
    if (why === 'executable') return;
    expect(await world.during(perform(world, known, { ...write, force: true }))).toMatchObject({
      status: 'SUCCESSFUL',
    });
  });
});

describe('what the LwM2M version of the device lacks', () => {
  it.each([
    ['1.0', { kind: 'write-attributes', path: '/3/0/9', attributes: { epmin: 5 } }, ['attributes']],
    ['1.1', { kind: 'write-attributes', path: '/3/0/9', attributes: { hqmax: 5 } }, ['attributes']],
    ['1.1', { kind: 'write-attributes', path: '/3/0/0', attributes: { gt: 5 } }, ['attributes']],
    ['1.1', { kind: 'observe', paths: ['/3/0/9'], attributes: { edge: true } }, ['attributes']],
    ['1.1', { kind: 'create', objectId: 3303, values: [], contentFormat: 110 }, ['contentFormat']],
  ] as const)('is a ValidationError in %s: %j', async (version, input, field) => {
    world = await fleetWorld(store());
    const { known, device } = await registered(world, `version ${Math.random()}`, [`lwm2m=${version}`]);
    await expect(world.during(perform(world, known, input))).rejects.toMatchObject({ code: 'VALIDATION', field });
    expect(device.asked).toEqual([]);
    expect((await world.fleet.rpcs.page(ADMIN, known.id, { first: 1 })).edges).toEqual([]);
  });
});
