import { afterEach, describe, expect, it } from 'vitest';
import { codes, type Code } from '../../../src/coap/index.ts';
import type { Device as KnownDevice, OperationInput } from '../../../src/fleet/index.ts';
import type { DeviceAnswer } from '../../lwm2m/scripted-device.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type Device, type FleetWorld } from '../fleet-world.ts';
import { perform, registered } from '../rpcs/rpc-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const BATTERY = '/3/0/9';
const TEMPERATURE = '/3303/0/5700';
const paths = [BATTERY, TEMPERATURE];
const OBSERVED: DeviceAnswer = {
  code: codes.content,
  contentFormat: 110,
  payload: `[{"n":"${BATTERY}","v":80},{"n":"${TEMPERATURE}","v":22.5}]`,
  observe: 1,
};

async function running(known: KnownDevice): Promise<unknown[]> {
  const observations = (await world.fleet.devices.observations(ADMIN, [known.id])).get(known.id) ?? [];
  return observations.map((each) => [each.paths.join(' '), each.reasons.join()]);
}

async function observed(endpoint: string, answer: DeviceAnswer, query: readonly string[] = [], more: object = {}) {
  world = await fleetWorld(store());
  const { device, known } = await registered(world, endpoint, query);
  device.answers.set('FETCH /', answer);
  const input: OperationInput = { kind: 'observe', paths, ...more };
  const rpc = await world.during(perform(world, known, input));
  await world.advance(100);
  return { device, known, rpc };
}

function asked(device: Device, method: string): string[] {
  return device.asked.filter((line) => line.startsWith(method));
}

describe('an observation of several paths', () => {
  it.each<Code>([codes.notFound, codes.methodNotAllowed, codes.notImplemented])(
    'is one for each path on a device that answers Observe-Composite with the code %i',
    async (code) => {
      const { device, known, rpc } = await observed(`refuses ${code}`, { code });
      expect(rpc).toMatchObject({ status: 'SUCCESSFUL', result: { values: [{ value: 80 }, { value: 22.5 }] } });
      const singly = [
        [BATTERY, 'REQUESTED'],
        [TEMPERATURE, 'REQUESTED'],
      ];
      expect(await running(known)).toEqual(singly);
      await device.send('POST', device.scripted.location);
      await world.advance(100);
      expect(asked(device, 'FETCH')).toHaveLength(1);
      expect(await running(known)).toEqual(singly);
    },
  );

  it('starts again for each path when such a device registers again, and ends with its cancellation', async () => {
    const { device, known } = await observed('returning', { code: codes.methodNotAllowed });
    await device.register('returning');
    await world.advance(100);
    expect([...device.observing.keys()]).toEqual(paths);
    expect(await running(known)).toHaveLength(2);
    expect(asked(device, 'FETCH')).toHaveLength(2);
    const rpc = await world.during(perform(world, known, { kind: 'cancel-observation', paths }));
    expect(rpc).toMatchObject({ status: 'SUCCESSFUL' });
    await world.advance(100);
    expect(await running(known)).toEqual([]);
    await device.register('returning');
    await world.advance(100);
    expect(await running(known)).toEqual([]);
  });

  it('is one for each path on a device that acknowledges the request and sends nothing more', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'wakaama');
    device.answers.set('FETCH /', null);
    const pending = perform(world, known, { kind: 'observe', paths });
    await world.advance(100);
    const request = device.scripted.asked.findLast(({ line }) => line === 'FETCH /');
    device.scripted.acknowledge(request?.message.messageId ?? -1);
    await world.advance(20_000);
    expect(await world.during(pending)).toMatchObject({ status: 'SUCCESSFUL' });
    expect([...device.observing.keys()]).toEqual(paths);
  });

  it('fails and leaves nothing running when a path is refused in both ways', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'half');
    device.answers.set('FETCH /', { code: codes.methodNotAllowed });
    device.answers.set(`GET ${TEMPERATURE}`, { code: codes.notFound });
    const rpc = await world.during(perform(world, known, { kind: 'observe', paths }));
    expect(rpc).toMatchObject({ status: 'FAILED', error: { coapCode: '4.04' } });
    await world.advance(100);
    expect(await running(known)).toEqual([]);
  });
});

describe('the attributes of a requested observation', () => {
  it.each([
    ['1.1', ['PUT /3/0/9?pmin=10', 'PUT /3303/0/5700?pmin=10', 'FETCH /']],
    ['1.2', ['FETCH /?pmin=10']],
  ])('of several paths are set again when a device of LwM2M %s registers again', async (version, requests) => {
    const attributes = { attributes: { pmin: 10 } };
    const { device, known } = await observed(`again ${version}`, OBSERVED, [`lwm2m=${version}`], attributes);
    expect(device.asked).toEqual(requests);
    expect(await running(known)).toEqual([[paths.join(' '), 'REQUESTED']]);
    await device.register(`again ${version}`, [`lwm2m=${version}`]);
    await world.advance(100);
    expect(device.asked).toEqual([...requests, ...requests]);
    expect(await running(known)).toEqual([[paths.join(' '), 'REQUESTED']]);
  });

  it('of one path are set again', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'one attribute');
    const input: OperationInput = { kind: 'observe', paths: [BATTERY], attributes: { pmin: 10 } };
    await world.during(perform(world, known, input));
    await world.advance(100);
    expect(device.asked).toEqual(['PUT /3/0/9?pmin=10', 'GET /3/0/9']);
    await device.register('one attribute');
    await world.advance(100);
    expect(device.asked.slice(2)).toEqual(['PUT /3/0/9?pmin=10', 'GET /3/0/9']);
  });

  it('are set for each path on a device that refuses Observe-Composite', async () => {
    const refusing = { code: codes.methodNotAllowed };
    const { device, known } = await observed('plain', refusing, [], { attributes: { pmin: 10 } });
    await device.register('plain');
    await world.advance(100);
    const last = device.asked.slice(-5);
    expect(last).toContain('PUT /3/0/9?pmin=10');
    expect(last).toContain('PUT /3303/0/5700?pmin=10');
    expect(await running(known)).toHaveLength(2);
  });
});
