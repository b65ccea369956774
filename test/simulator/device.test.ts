import { describe, expect, it } from 'vitest';
import { ContentFormat } from '../../src/lwm2m/index.ts';
import { TEMPERATURE, clock, device, float, log, server, start } from './device-under-test.ts';

describe('living on its own', () => {
  it('measures something else from time to time', async () => {
    await start({ driftMs: 5_000, random: () => 0.75 });
    await clock.advance(5_000);
    expect(device.tree.value(TEMPERATURE)).toEqual(float(21.65));
  });

  it('sends what it measured with its time, unless it is muted', async () => {
    await start({ sendMs: 10_000 });
    await clock.advance(10_000);
    await server.requests(2);
    expect(server.received[1]?.url).toBe('/dp');
    await server.ask({ method: 'PUT', path: '/1/0/23', contentFormat: ContentFormat.text, payload: '1' });
    expect(await device.send([TEMPERATURE])).toBeNull();
  });

  it('sleeps in queue mode once nothing was said for a while, and wakes with an Update', async () => {
    await start({ queue: true, awakeMs: 30_000, lifetime: 200 });
    await clock.advance(30_001);
    expect(log.at(-1)).toBe('sleeps');
    const lost = server.ask({ path: '/3/0/9' });
    await clock.advance(70_000);
    await server.requests(2);
    expect(server.received[1]?.url).toBe('/rd/1');
    // node-coap repeats the lost request; the device hears it now.
    expect((await lost).payload.toString()).toBe('90');
  });
});
