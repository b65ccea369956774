import { afterEach, describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { useStore } from '../../store/database.ts';
import { fleetWorld, type Device, type FleetWorld } from '../fleet-world.ts';

const store = useStore();
let world: FleetWorld;
afterEach(() => world.stop());

const SENML_JSON = 110;

function records(count: number): string {
  return JSON.stringify(
    Array.from({ length: count }, (_, index) => ({ n: '/3303/0/5700', v: index, t: 1_700_000_000 + index })),
  );
}

async function send(device: Device, count: number) {
  const messageId = device.scripted.send({
    method: 'POST',
    path: '/dp',
    contentFormat: SENML_JSON,
    payload: records(count),
  });
  await world.advance(40);
  return device.scripted.answerTo(messageId);
}

const stored = (): number => world.sink.batches.reduce((sum, { readings }) => sum + readings.length, 0);

describe('a device that sends more readings than it may', () => {
  it('gets 4.29 with Max-Age for a Send, and may send again afterwards', async () => {
    world = await fleetWorld(store(), { readings: { perDevice: 2, perTenant: null } });
    const [greedy, modest] = [world.device(), world.device()];
    await greedy.register('urn:dev:os:greedy');
    await modest.register('urn:dev:os:modest');
    await world.advance(60_000);
    const before = stored();
    for (let sent = 0; sent < 20; sent++) expect((await send(greedy, 10)).code).toBe('2.04');
    const refused = await send(greedy, 10);
    expect(refused).toMatchObject({ code: '4.29', maxAge: 5 });
    expect(refused.diagnostic).toContain('5 s');
    expect(stored() - before).toBe(200);
    expect((await send(modest, 10)).code).toBe('2.04');
    expect(world.snapshot().readingLimit).toEqual({ delayed: 0, refused: 1 });
    expect(world.warnings).toHaveLength(1);
    await world.advance(5_000);
    expect((await send(greedy, 10)).code).toBe('2.04');
  });

  it('waits for the acknowledgement of a notification, and no reading is lost', async () => {
    world = await fleetWorld(store(), { readings: { perDevice: 1, perTenant: null } });
    const device = world.device();
    await device.register('urn:dev:os:chatty');
    await world.advance(200_000);
    const asked = device.observing.get('/3303/0/5700');
    if (!asked) throw new Error('the resource is not observed');
    const before = stored();
    expect((await send(device, 98)).code).toBe('2.04');
    const content = { code: codes.content, contentFormat: 0, payload: '1' };
    const sent = Array.from({ length: 5 }, (_, index) => device.scripted.notify(asked, 20 + index, content));
    const acknowledged = (): number =>
      sent.filter((messageId) => device.scripted.acknowledgement(messageId) === 'ACK').length;
    await world.advance(40);
    expect(acknowledged()).toBe(2);
    await world.advance(1_000);
    expect(acknowledged()).toBe(3);
    await world.advance(2_000);
    expect(acknowledged()).toBe(5);
    expect(stored() - before).toBe(103);
    expect(world.snapshot().readingLimit).toEqual({ delayed: 3, refused: 0 });
    expect(world.warnings).toHaveLength(1);
  });

  it('does not get the acknowledgement when it would wait for too long, and may repeat the notification', async () => {
    world = await fleetWorld(store(), { readings: { perDevice: 1, perTenant: null } });
    const device = world.device();
    await device.register('urn:dev:os:flooding');
    await world.advance(200_000);
    expect((await send(device, 100)).code).toBe('2.04');
    const asked = device.observing.get('/3303/0/5700');
    if (!asked) throw new Error('the resource is not observed');
    const content = { code: codes.content, contentFormat: 0, payload: '1' };
    const sent = Array.from({ length: 12 }, (_, index) => device.scripted.notify(asked, 20 + index, content));
    await world.advance(8_000);
    const acknowledged = sent.map((messageId) => device.scripted.acknowledgement(messageId));
    expect(acknowledged).not.toContain('RST');
    expect(acknowledged.filter((answer) => answer === null).length).toBeGreaterThan(3);
    expect(world.snapshot().readingLimit.refused).toBeGreaterThan(3);
    await world.advance(60_000);
    expect(await device.notify('/3303/0/5700', '24.5')).toBe('ACK');
  });
});

describe('a tenant with a limit', () => {
  it('shares it among its devices', async () => {
    world = await fleetWorld(store(), { readings: { perDevice: 1_000, perTenant: 1 } });
    const [one, other] = [world.device(), world.device()];
    await one.register('urn:dev:os:one');
    await other.register('urn:dev:os:other');
    await world.advance(200_000);
    expect((await send(one, 95)).code).toBe('2.04');
    expect(await send(other, 10)).toMatchObject({ code: '4.29' });
  });
});
