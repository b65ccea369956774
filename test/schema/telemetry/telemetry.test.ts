import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiWorld, type ApiWorld } from '../../server/api-world.ts';
import { rawDevice, type RawDevice } from '../../server/raw-device.ts';
import { useStore } from '../../store/database.ts';

const store = useStore();
let world: ApiWorld;
let device: RawDevice;

beforeAll(async () => {
  world = await apiWorld(store());
  device = await rawDevice(world.coapPort);
  expect(await device.register(['ep=clock', 'lt=300', 'lwm2m=1.1'], '</1/0>,</3/0>,</3303/0>')).toMatchObject({
    code: '2.01',
  });
});
afterAll(async () => {
  await device.close();
  await world.stop();
});

interface Point {
  readonly timestamp: string;
  readonly receivedAt: string;
  readonly timestampSuspect: boolean;
  readonly numericValues: Readonly<Record<string, number>>;
}

async function history(): Promise<Point[]> {
  const found = await world.data<{ device: { telemetry: { nodes: Point[] } } }>(
    '{ device(endpoint: "clock") { telemetry(metrics: ["temperature"], first: 10) { nodes { timestamp receivedAt timestampSuspect numericValues } } } }',
  );
  return found.device.telemetry.nodes;
}

describe('a telemetry point', () => {
  it('with the time of a wrong clock is kept, with its arrival and a flag', async () => {
    const before = Date.now();
    const now = Math.floor(before / 1000);
    for (const [t, v] of [
      [2 ** 28, 1],
      [now - 3600, 2],
      [2_085_978_496, 3],
    ]) {
      expect(await device.send([{ n: '/3303/0/5700', v, t }])).toEqual({ code: '2.04', text: '' });
    }
    const points = await history();
    expect(
      points.map(({ timestamp, timestampSuspect, numericValues }) => [timestamp, timestampSuspect, numericValues]),
    ).toEqual([
      ['2036-02-07T06:28:16.000Z', true, { temperature: 3 }],
      [new Date((now - 3600) * 1000).toISOString(), false, { temperature: 2 }],
      ['1978-07-04T21:24:16.000Z', true, { temperature: 1 }],
    ]);
    for (const { receivedAt } of points) {
      expect(Date.parse(receivedAt)).toBeGreaterThanOrEqual(before);
      expect(Date.parse(receivedAt)).toBeLessThanOrEqual(Date.now());
    }
  });
});

describe('data of a device that can’t be used', () => {
  it('is listed with the device, its path and the reason', async () => {
    const created = await world.data<{ createDeviceProfile: { profile: { id: string } } }>(
      `mutation { createDeviceProfile(input: { name: "letters", mappings: [
        { path: "/3/0/0", metric: "maker", kind: NUMERIC }, { path: "/33999/0/1", metric: "unknown" }] }) {
        ... on CreateDeviceProfilePayload { profile { id } } } }`,
    );
    const { device: found } = await world.data<{ device: { id: string } }>('{ device(endpoint: "clock") { id } }');
    await world.data(
      `mutation ($id: ID!, $profileId: ID!) { updateDevice(input: { id: $id, profileId: $profileId }) { __typename } }`,
      { id: found.id, profileId: created.createDeviceProfile.profile.id },
    );
    expect(await device.send([{ n: '/3/0/0', vs: 'Treeline' }])).toMatchObject({ code: '2.04' });
    expect(await device.send([{ n: '/3303/0/5700', vs: 'warm' }])).toEqual({
      code: '4.00',
      text: expect.stringMatching(/^\/3303\/0\/5700: .* is not a valid Float/),
    });
    expect(await device.send([{ n: '/9/0/1', vs: 'x' }])).toEqual({
      code: '4.04',
      text: '/9/0/1: object 9 is not registered',
    });
    const letters = `query ($after: String) { device(endpoint: "clock") { deadLetters(first: 1, after: $after) {
      nodes { kind path reason contentFormat } pageInfo { endCursor hasNextPage } } } }`;
    const newest = await world.data<{ device: { deadLetters: { pageInfo: { endCursor: string } } } }>(letters);
    expect(newest.device.deadLetters).toMatchObject({
      nodes: [{ kind: 'PAYLOAD', path: '/', reason: expect.stringMatching(/^\/3303\/0\/5700: /), contentFormat: 110 }],
      pageInfo: { hasNextPage: true },
    });
    const older = await world.data(letters, { after: newest.device.deadLetters.pageInfo.endCursor });
    expect(older).toMatchObject({
      device: {
        deadLetters: { nodes: [{ kind: 'READING', path: '/3/0/0', reason: 'not-a-number', contentFormat: null }] },
      },
    });
  });
});
