import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { useStore } from '../../store/database.ts';
import { ADMIN, fleetWorld, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

/** An observed device, a function that sends a notification, and the value that the tree shows. */
async function observed() {
  world = await fleetWorld(store());
  const device = world.device();
  await device.register('urn:imei:123');
  await world.advance(100);
  const asked = device.observing.get('/3303/0/5700');
  if (!asked) throw new Error('the resource is not observed');
  const notify = async (sequence: number, payload: string): Promise<'ACK' | 'RST' | null> => {
    const messageId = device.scripted.notify(asked, sequence, { code: codes.content, contentFormat: 0, payload });
    await world.advance(20);
    return device.scripted.acknowledgement(messageId);
  };
  const known = await world.fleet.devices.get(ADMIN, { endpoint: 'urn:imei:123' });
  if (!known) throw new Error('the device is not known');
  const shown = async () =>
    (await world.fleet.devices.resources(ADMIN, [known.id], [{ ids: [3303] }])).get(known.id)?.[0]?.value;
  return { notify, shown };
}

describe('a notification that arrives after a newer one', () => {
  it('is a reading with an earlier time, and the tree keeps the newer value', async () => {
    const { notify, shown } = await observed();
    expect(await notify(12, '23.5')).toBe('ACK');
    const newer = world.sink.batches.at(-1);
    expect(await notify(11, '22.5')).toBe('ACK');
    const older = world.sink.batches.at(-1);
    expect(older?.readings).toMatchObject([{ value: 22.5, time: null }]);
    expect(older?.presumedAt).toBe((newer?.receivedAt ?? 0) - 1);
    expect(older?.receivedAt).toBeGreaterThan(newer?.receivedAt ?? Infinity);
    expect(await shown()).toBe(23.5);
    expect(await notify(13, '24.5')).toBe('ACK');
    expect(await shown()).toBe(24.5);
  });

  it('names its message, so that its repetition can be recognized', async () => {
    const { notify } = await observed();
    await notify(12, '23.5');
    await notify(11, '22.5');
    const [newer, older] = world.sink.batches.slice(-2).map(({ message }) => message);
    expect(newer).toMatch(/^[0-9a-f]{16}\/\d+$/);
    expect(older).toMatch(/^[0-9a-f]{16}\/\d+$/);
    expect(older).not.toBe(newer);
  });
});
