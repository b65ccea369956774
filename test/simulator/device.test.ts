import { describe, expect, it } from 'vitest';
import { ContentFormat, decode, Path, registryModel } from '../../src/lwm2m/index.ts';
import { TEMPERATURE, clock, device, float, log, measure, server, start } from './device-under-test.ts';

/** The code of a POST (RFC 7252 §12.1.1). */
const POST = 2;

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

  it.each([
    ['a Write', 'PUT', '/3/0/13', ContentFormat.text, '1000'],
    ['a Write of the instance', 'POST', '/3/0', ContentFormat.senmlJson, '[{"bn":"/3/0/","n":"13","v":1000}]'],
    ['a Write-Composite', 'iPATCH', '', ContentFormat.senmlJson, '[{"n":"/3/0/13","v":1000}]'],
  ] as const)(
    'notifies the new Current Time after %s, and continues from it',
    async (_what, method, path, contentFormat, payload) => {
      await start();
      const observation = server.observe({ path: '/3/0/13', accept: ContentFormat.text });
      await observation.next();
      await clock.advance(1_000);
      expect((await server.ask({ method, path, contentFormat, payload })).code).toBe('2.04');
      await clock.advance(0);
      expect((await observation.next()).payload.toString()).toBe('1000');
      await clock.advance(5_000);
      expect((await server.ask({ path: '/3/0/13' })).payload.toString()).toBe('1005');
    },
  );

  it('continues from the Current Time after its present value is written', async () => {
    await start();
    const present = String(Math.floor(clock.now() / 1000));
    await server.ask({ method: 'PUT', path: '/3/0/13', contentFormat: ContentFormat.text, payload: present });
    await clock.advance(5_000);
    expect((await server.ask({ path: '/3/0/13' })).payload.toString()).toBe(String(Number(present) + 5));
  });

  it('does not sleep before an Update has its response, also after an empty acknowledgement', async () => {
    await start({ queue: true, awakeMs: 1_000 });
    const release = server.hold();
    const request = server.datagram((bytes) => bytes[1] === POST);
    const updating = device.update();
    const [, , high = 0, low = 0] = await request;
    await clock.advance(10_000);
    expect(log).not.toContain('sleeps');
    const pong = server.datagram((bytes) => bytes[0] === 0x70);
    await server.throwAt(server.devicePort, Buffer.of(0x60, 0, high, low));
    await server.throwAt(server.devicePort, Buffer.of(0x40, 0, 9, 9));
    await pong;
    await clock.advance(10_000);
    expect(log).not.toContain('sleeps');
    release();
    await updating;
    expect(log.at(-1)).toBe('updated the registration');
    await clock.advance(1_001);
    expect(log.at(-1)).toBe('sleeps');
  });

  it('does not sleep before its notification is acknowledged, but no longer than MAX_TRANSMIT_WAIT', async () => {
    await start({ queue: true, awakeMs: 1_000 });
    const observation = server.observe({ path: '/3303/0/5700' });
    await observation.next();
    const release = server.hold();
    measure(25);
    await clock.advance(0);
    await clock.advance(92_000);
    expect(log).not.toContain('sleeps');
    await clock.advance(2_000);
    expect(log.at(-1)).toBe('sleeps');
    release();
  });

  it('sleeps after its notification is acknowledged', async () => {
    await start({ queue: true, awakeMs: 1_000 });
    const observation = server.observe({ path: '/3303/0/5700' });
    await observation.next();
    measure(25);
    await clock.advance(0);
    await observation.next();
    await server.ask({ path: '/3/0/9' });
    await clock.advance(1_001);
    expect(log.at(-1)).toBe('sleeps');
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
