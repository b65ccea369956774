import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';
import { perform, registered } from './rpc-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const SENML_JSON = 110;

async function answers(line: string, records: readonly object[]) {
  world = await fleetWorld(store());
  const { device, known } = await registered(world, `answers ${line}`);
  const payload = JSON.stringify(records);
  device.answers.set(line, { code: codes.content, contentFormat: SENML_JSON, payload });
  return known;
}

describe('a multiple resource in the values of an answer', () => {
  const SOURCES = [
    { bn: '/3/0/6/', n: '0', v: 1 },
    { n: '1', v: 5 },
  ];

  it('is one value, as in the tree, and its type is spelled as in the schema', async () => {
    const known = await answers('GET /3/0', [...SOURCES, { bn: '/3/0/', n: '9', v: 80 }]);
    const { result } = await world.during(perform(world, known, { kind: 'read', paths: ['/3/0'] }));
    expect(result).toMatchObject({
      values: [
        { path: '/3/0/6', type: 'INTEGER', value: { 0: 1, 1: 5 }, time: null },
        { path: '/3/0/9', type: 'INTEGER', value: 80, time: null },
      ],
    });
    const tree = await world.fleet.devices.resources(ADMIN, [known.id], [{ ids: [3, 0, 6] }]);
    expect(tree.get(known.id)).toMatchObject([{ path: '/3/0/6', value: { 0: 1, 1: 5 } }]);
  });

  it('is the instance when that was requested', async () => {
    const known = await answers('GET /3/0/6/1', [{ bn: '/3/0/6/1', v: 5 }]);
    const { result } = await world.during(perform(world, known, { kind: 'read', paths: ['/3/0/6/1'] }));
    expect(result).toMatchObject({ values: [{ path: '/3/0/6/1', type: 'INTEGER', value: 5 }] });
  });

  it('is one value for each time', async () => {
    const known = await answers('GET /3/0/6', [
      { bn: '/3/0/6/', n: '0', v: 1, t: 1_780_000_000 },
      { n: '0', v: 2, t: 1_780_000_060 },
      { n: '1', v: 5, t: 1_780_000_060 },
    ]);
    const { result } = await world.during(perform(world, known, { kind: 'read', paths: ['/3/0/6'] }));
    expect(result).toMatchObject({
      values: [
        { path: '/3/0/6', value: { 0: 1 }, time: '2026-05-28T20:26:40.000Z' },
        { path: '/3/0/6', value: { 0: 2, 1: 5 }, time: '2026-05-28T20:27:40.000Z' },
      ],
    });
  });

  it('without instances is an empty object', async () => {
    world = await fleetWorld(store());
    const { device, known } = await registered(world, 'empty');
    // TLV: a multiple resource 6 without content (Core 1.2 §7.4.3).
    const payload = Uint8Array.of(0x80, 6);
    device.answers.set('GET /3/0/6', { code: codes.content, contentFormat: 11_542, payload });
    const { result } = await world.during(perform(world, known, { kind: 'read', paths: ['/3/0/6'] }));
    expect(result).toMatchObject({ values: [{ path: '/3/0/6', value: {}, time: null }] });
  });
});
