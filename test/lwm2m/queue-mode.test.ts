import { describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { Path, type Operation } from '../../src/lwm2m/index.ts';
import { RecordingHandlers } from './recording-handlers.ts';
import { world, type World } from './lwm2m-world.ts';

const QUEUE_MODE = ['ep=dev1', 'lt=86400', 'lwm2m=1.1', 'Q'];
const battery = Path.parse('/3/0/9');
const read: Operation = { kind: 'read', path: battery };
const value = { code: codes.content, contentFormat: 0, payload: '90' };

async function asleep(): Promise<World> {
  const made = await world();
  await made.device.register(QUEUE_MODE, '</3/0>,</3303/0>');
  made.device.onAsked = () => value;
  await made.advance(93_000);
  expect(made.server.isUnreachable('dev1')).toBe(true);
  made.handlers.events.length = 0;
  return made;
}

describe('a queue-mode device', () => {
  it('LightweightM2M-1.1-int-108: is awake for 93 s after it registered, then assumed to sleep', async () => {
    const { device, server, handlers, advance } = await world();
    await device.register(QUEUE_MODE);
    await advance(92_990);
    expect(server.isUnreachable('dev1')).toBe(false);
    await advance(20);
    expect(server.isUnreachable('dev1')).toBe(true);
    expect(handlers.events.at(-1)).toBe('dev1 sleeps');
  });

  it('LightweightM2M-1.1-int-109: receives nothing while it sleeps; it is awake after the response to its Update', async () => {
    const { device, server, handlers, perform, advance } = await asleep();
    await expect(perform(read)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(device.asked).toEqual([]);
    const order: string[] = [];
    handlers.onSleeping = (_registration, sleeps) => {
      order.push(sleeps ? 'sleeps' : 'woke');
      // The waiting operations are sent as soon as the device is awake.
      if (!sleeps) void server.perform('dev1', read);
    };
    await device.update();
    await advance(10);
    expect(order).toEqual(['woke']);
    expect(device.received.slice(-2).map(({ code }) => code)).toEqual([codes.changed, 0x01]);
    expect(handlers.values).toEqual(['/3/0/9=90']);
    expect(handlers.events).toEqual(['updated dev1', 'dev1 woke', 'ready dev1 update']);
  });

  it('stays awake after each of its messages', async () => {
    const { device, server, perform, advance } = await world();
    await device.register(QUEUE_MODE);
    device.onAsked = () => value;
    for (let round = 0; round < 3; round++) {
      await advance(60_000);
      expect(await perform(read)).toMatchObject({ ok: true });
    }
    await advance(60_000);
    expect(server.isUnreachable('dev1')).toBe(false);
    await advance(60_000);
    expect(server.isUnreachable('dev1')).toBe(true);
  });

  it('wakes after a Send and after a notification', async () => {
    const { device, server, perform, advance } = await world();
    await device.register(QUEUE_MODE);
    device.onAsked = () => ({ ...value, observe: 1 });
    await perform({ kind: 'observe', paths: [battery] });
    const [asked] = device.asked;
    if (!asked) throw new Error('nothing was asked');
    await advance(100_000);
    expect(server.isUnreachable('dev1')).toBe(true);
    device.notify(asked, 2, value);
    await advance(2);
    expect(server.isUnreachable('dev1')).toBe(false);
    await advance(100_000);
    expect(server.isUnreachable('dev1')).toBe(true);
    await device.request({ method: 'POST', path: '/dp', contentFormat: 110, payload: '[{"n":"/3/0/9","v":1}]' });
    expect(server.isUnreachable('dev1')).toBe(false);
  });

  it('is assumed to sleep at once when it does not answer', async () => {
    const { device, server, handlers, perform } = await world();
    await device.register(QUEUE_MODE);
    device.onAsked = () => null;
    await expect(perform(read, { timeoutMs: 10_000, ms: 11_000 })).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(server.isUnreachable('dev1')).toBe(true);
    expect(handlers.events.at(-1)).toBe('dev1 sleeps');
  });

  it('gets time to answer when its awake window ends during a request', async () => {
    const { device, server, advance } = await world();
    await device.register(QUEUE_MODE);
    await advance(90_000);
    device.onAsked = () => null;
    const result = server.perform('dev1', read);
    await advance(4_000);
    expect(server.isUnreachable('dev1')).toBe(true);
    device.onAsked = () => value;
    device.asked.length = 0;
    await advance(60_000);
    expect(await result).toMatchObject({ ok: true });
    expect(server.isUnreachable('dev1')).toBe(false);
  });

  it('is awake for the time of its admission', async () => {
    const { device, server, handlers, advance } = await world();
    const admit = new RecordingHandlers().admission;
    handlers.admission = async (request) => ({ ...(await admit(request)), awakeMs: 10_000 });
    await device.register(QUEUE_MODE);
    await advance(9_000);
    expect(server.isUnreachable('dev1')).toBe(false);
    await advance(2_000);
    expect(server.isUnreachable('dev1')).toBe(true);
  });

  it('needs the parameter Q, in the Register or an Update', async () => {
    const { device, server, advance } = await world();
    await device.register(['ep=dev1', 'lt=86400', 'lwm2m=1.0', 'b=U']);
    await advance(100_000);
    expect(server.isUnreachable('dev1')).toBe(false);
    await device.update(['b=UQ']);
    await advance(100_000);
    expect(server.isUnreachable('dev1')).toBe(true);
    await device.update(['b=U']);
    await advance(100_000);
    expect(server.isUnreachable('dev1')).toBe(false);
  });
});
