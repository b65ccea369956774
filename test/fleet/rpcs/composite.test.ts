import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { useStore } from '../../store/database.ts';
import { fleetWorld, type FleetWorld } from '../fleet-world.ts';
import { perform, registered } from './rpc-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const paths = ['/3/0/9', '/3303/0/5700'];

describe('a composite operation', () => {
  it('becomes single Reads when the device acknowledges it and sends nothing more', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'wakaama');
    device.answers.set('FETCH /', null);
    const pending = perform(world, known, { kind: 'read', paths });
    await world.advance(100);
    const asked = device.scripted.asked.findLast(({ line }) => line === 'FETCH /');
    device.scripted.acknowledge(asked?.message.messageId ?? -1);
    await world.advance(20_000);
    expect(await world.during(pending)).toMatchObject({
      status: 'SUCCESSFUL',
      result: { values: [{ value: 80 }, { value: 22.5 }] },
    });
    await world.during(perform(world, known, { kind: 'read', paths }));
    expect(device.asked.filter((line) => line === 'FETCH /')).toHaveLength(1);
  });

  it.each([codes.notFound, codes.methodNotAllowed, codes.notImplemented])(
    'becomes single Reads after the code %i, until the device registers again',
    async (code) => {
      world = await fleetWorld(store());
      const { device, known } = await registered(world, `refuses ${code}`);
      device.answers.set('FETCH /', { code });
      expect(await world.during(perform(world, known, { kind: 'read', paths }))).toMatchObject({
        status: 'SUCCESSFUL',
      });
      await world.during(perform(world, known, { kind: 'read', paths }));
      expect(device.asked.filter((line) => line === 'FETCH /')).toHaveLength(1);
      await device.register(`refuses ${code}`);
      await world.during(perform(world, known, { kind: 'read', paths }));
      expect(device.asked.filter((line) => line === 'FETCH /')).toHaveLength(2);
    },
  );

  it('is not replaced with ALWAYS, and not tried with NEVER', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'chosen');
    device.answers.set('FETCH /', { code: codes.methodNotAllowed });
    expect(await world.during(perform(world, known, { kind: 'read', paths, composite: 'ALWAYS' }))).toMatchObject({
      status: 'FAILED',
      error: { coapCode: '4.05' },
    });
    expect(device.asked).toEqual(['FETCH /']);
    await world.during(perform(world, known, { kind: 'read', paths, composite: 'NEVER' }));
    expect(device.asked).toEqual(['FETCH /', 'GET /3/0/9', 'GET /3303/0/5700']);
  });

  it.each([
    [{ kind: 'read', paths: ['/'], composite: 'NEVER' }],
    [{ kind: 'read', paths, withoutAccept: true, composite: 'ALWAYS' }],
    [{ kind: 'write', mode: 'REPLACE', values: [{ path: '/1/0/1', value: 60 }], composite: 'ALWAYS' }],
  ] as const)('refuses %j before it is a call', async (input) => {
    world = await fleetWorld(store());
    const { known } = await registered(world, `refused ${Math.random()}`);
    await expect(perform(world, known, input)).rejects.toMatchObject({ code: 'VALIDATION' });
  });
});
