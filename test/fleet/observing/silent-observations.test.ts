import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import type { ProfileInput } from '../../../src/fleet/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const PATH = '/3303/0/5700';
const OBSERVE = `GET ${PATH}`;
let count = 0;

/** A device that believes nothing of what it was asked to observe, after it accepted it. */
async function forgetful(pmax: number | null, input: Partial<ProfileInput> = {}) {
  world = await fleetWorld(store());
  const endpoint = `urn:dev:os:silent-${++count}`;
  const attributes = pmax === null ? {} : { attributes: { pmax } };
  const mappings = [{ path: PATH, metric: 'temperature', ...attributes }];
  const profile = await world.fleet.profiles.create(ADMIN, { name: endpoint, mappings, ...input });
  const known = await world.fleet.devices.provision(ADMIN, { endpoint, profileId: profile.id });
  const device = world.device();
  await device.register(endpoint, ['lt=86400']);
  await world.advance(100);
  const observes = (): number => device.asked.filter((line) => line === OBSERVE).length;
  const update = async (): Promise<void> => {
    expect(await device.send('POST', device.scripted.location)).toBe('2.04');
    await world.advance(100);
  };
  const wanted = async () => (await world.fleet.devices.wantedObservations(ADMIN, [known.id])).get(known.id);
  const key = `${known.tenantId}/${known.id}`;
  return { device, key, observes, update, wanted };
}

describe('an observation that is silent for longer than twice its pmax', () => {
  it('is requested again when the device sends an Update, once', async () => {
    const { device, key, observes, update } = await forgetful(600);
    expect(observes()).toBe(1);
    const first = device.observing.get(PATH);
    await world.advance(1_200_000);
    await update();
    expect(observes()).toBe(1);
    await world.advance(121_000);
    await update();
    expect(observes()).toBe(2);
    await update();
    expect(observes()).toBe(2);
    expect(await device.notify(PATH, '23.5')).toBe('ACK');
    expect(world.sink.batches.at(-1)?.readings).toMatchObject([{ value: 23.5 }]);
    // The former token is not known any more: a device that still uses it stops (RFC 7641 §3.6).
    if (!first) throw new Error('there was an observation');
    const late = device.scripted.notify(first, 99, { code: codes.content, contentFormat: 0, payload: '1' });
    await world.advance(20);
    expect(device.scripted.acknowledgement(late)).toBe('RST');
    expect(world.server.observations(key)).toHaveLength(1);
  });

  it('is not requested again while the device notifies', async () => {
    const { device, observes, update } = await forgetful(600);
    for (let turn = 0; turn < 4; turn++) {
      await world.advance(1_000_000);
      expect(await device.notify(PATH, `2${turn}`)).toBe('ACK');
      await update();
    }
    expect(observes()).toBe(1);
  });

  it('ends when the device refuses it', async () => {
    const { device, observes, update, wanted } = await forgetful(600);
    device.answers.set(OBSERVE, { code: codes.notFound });
    await world.advance(1_400_000);
    await update();
    expect(observes()).toBe(2);
    expect(await wanted()).toMatchObject([{ paths: [PATH], state: 'REFUSED', code: '4.04' }]);
  });

  it('goes on when the device does not answer the new request', async () => {
    const { device, update } = await forgetful(600);
    device.answers.set(OBSERVE, null);
    await world.advance(1_400_000);
    await update();
    await world.advance(300_000);
    expect(await device.notify(PATH, '24.5')).toBe('ACK');
  });
});

describe('without pmax', () => {
  it('the expected interval of the profile counts', async () => {
    const { observes, update } = await forgetful(null, { expectedInterval: 900 });
    await world.advance(1_900_000);
    await update();
    expect(observes()).toBe(1);
    await world.advance(100_000);
    await update();
    expect(observes()).toBe(2);
  });

  it('and without such an interval, silence says nothing', async () => {
    const { observes, update } = await forgetful(null);
    await world.advance(80_000_000);
    await update();
    expect(observes()).toBe(1);
  });
});
