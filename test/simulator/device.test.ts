import { describe, expect, it } from 'vitest';
import { ContentFormat, decode, Path, registryModel } from '../../src/lwm2m/index.ts';
import { TEMPERATURE, clock, device, float, log, server, start } from './device-under-test.ts';

describe('a running device', () => {
  it('changes its measured values over time', async () => {
    await start({ driftMs: 5_000, random: () => 0.75 });
    await clock.advance(5_000);
    expect(device.tree.value(TEMPERATURE)).toEqual(float(21.65));
  });

  it('sends the values measured since the last Send with their times, unless it is muted', async () => {
    await start({ objects: [3303], driftMs: 4_000, sendMs: 10_000, random: () => 0.75 });
    const began = clock.now() / 1000;
    await clock.advance(10_000);
    await server.requests(2);
    expect(server.received[1]?.url).toBe('/dp');
    const contentFormat = ContentFormat.senmlCbor;
    const { readings } = decode({
      contentFormat,
      payload: server.received[1]?.bytes ?? Buffer.of(),
      path: Path.root,
      model: registryModel(),
      now: began,
    });
    expect(readings.map(({ time, value }) => [(time ?? 0) - began, value])).toEqual([
      [4, 21.65],
      [8, 21.8],
    ]);
    await server.ask({ method: 'PUT', path: '/1/0/23', contentFormat: ContentFormat.text, payload: '1' });
    expect(await device.send([TEMPERATURE])).toBeNull();
  });

  it('continues from a written Current Time', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3/0/13', contentFormat: ContentFormat.text, payload: '1000' });
    await clock.advance(5_000);
    expect((await server.ask({ path: '/3/0/13' })).payload.toString()).toBe('1005');
  });

  it('sleeps in queue mode after a time without messages, and wakes with an Update', async () => {
    await start({ queue: true, awakeMs: 30_000, lifetime: 200 });
    await clock.advance(30_001);
    expect(log.at(-1)).toBe('sleeps');
    const lost = server.ask({ path: '/3/0/9' });
    await clock.advance(70_000);
    await server.requests(2);
    expect(server.received[1]?.url).toBe('/rd/1');
    // node-coap retransmits the lost request; the device receives it now.
    expect((await lost).payload.toString()).toBe('90');
  });
});
