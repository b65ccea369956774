import { afterEach, describe, expect, it } from 'vitest';
import { useStore } from '../../store/database.ts';
import { fleetWorld, type Device, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const LINKS = '</1/0>,</3/0>,</3303/0>';

/** SenML JSON with one value for each of `count` resource instances, of several resources from `first` on. */
function records(first: number, count: number): string {
  const record = (n: number): object => ({ n: `${first + Math.floor(n / 1000)}/${n % 1000}`, v: n });
  return JSON.stringify([
    { bn: '/3303/0/', ...record(0) },
    ...Array.from({ length: count - 1 }, (_, n) => record(n + 1)),
  ]);
}

/** Starts a Send; its response is read later, so that several Sends share a batch. */
const start = (device: Device, text: string): number =>
  device.scripted.send({ method: 'POST', path: '/dp', contentFormat: 110, payload: text });

async function answers(
  sent: readonly { device: Device; id: number }[],
): Promise<{ code: string; diagnostic: string }[]> {
  await world.advance(60);
  return sent.map(({ device, id }) => device.scripted.answerTo(id));
}

describe('a device with more resources than a tree may have', () => {
  it('is refused with the reason, and the Sends of other devices succeed', async () => {
    world = await fleetWorld(store());
    const faulty = world.device();
    await faulty.register('faulty', [], LINKS);
    const others = await Promise.all(
      ['one', 'two', 'three'].map(async (name) => {
        const device = world.device();
        await device.register(name, [], LINKS);
        return device;
      }),
    );
    // The default profile observes a few resources as well, so that the tree is nearly full.
    const [filled] = await answers([{ device: faulty, id: start(faulty, records(1, 9_990)) }]);
    expect(filled).toMatchObject({ code: '2.04', diagnostic: '', location: '' });

    for (let round = 0; round < 4; round++) {
      const bad = Array.from({ length: 6 }, (_, n) => ({ device: faulty, id: start(faulty, records(100 + n, 20)) }));
      const good = others.map((device) => ({ device, id: start(device, '[{"n":"/3303/0/5700","v":21}]') }));
      const known = { device: faulty, id: start(faulty, records(1, 1)) };
      const [refused, accepted] = [await answers(bad), await answers([...good, known])];
      expect(new Set(refused.map(({ code, diagnostic }) => `${code} ${diagnostic}`))).toEqual(
        new Set(['4.00 the device would have more than 10000 resources: its new values are not stored']),
      );
      expect(accepted.map(({ code }) => code)).toEqual(['2.04', '2.04', '2.04', '2.04']);
    }
    expect(world.snapshot().readings.refused).toEqual({ too_many_resources: 24 });
    expect(world.warnings).toEqual(['the device would have more than 10000 resources: its new values are not stored']);
  });

  it('is refused for one Send that has them all', async () => {
    world = await fleetWorld(store());
    const faulty = world.device();
    await faulty.register('at-once', [], LINKS);
    const [answer] = await answers([{ device: faulty, id: start(faulty, records(1, 10_001)) }]);
    expect(answer?.code).toBe('4.00');
    expect(world.snapshot().readings.refused).toEqual({ too_many_resources: 1 });
  });
});
