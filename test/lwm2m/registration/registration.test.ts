import { describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { Path } from '../../../src/lwm2m/index.ts';
import { DEV1, world } from '../lwm2m-world.ts';

const temperature = Path.parse('/3303/0/5700');

function text(payload: string) {
  return { code: codes.content, contentFormat: 0, payload };
}

describe('a registration', () => {
  it('LightweightM2M-1.1-int-102: expires after its lifetime and the grace', async () => {
    const { device, server, handlers, advance } = await world();
    await device.register(['ep=dev1', 'lt=20', 'lwm2m=1.1']);
    await advance(20_000 + 92_000);
    expect(server.registration('dev1')).toBeDefined();
    await advance(2_000);
    expect(server.registration('dev1')).toBeUndefined();
    expect(handlers.events.at(-1)).toBe('ended dev1 expired');
    expect(await device.update()).toMatchObject({ code: '4.04' });
  });

  it('never expires with a lifetime of 0', async () => {
    const { device, server, advance } = await world();
    await device.register(['ep=dev1', 'lt=0', 'lwm2m=1.1']);
    await advance(10 * 365 * 86_400_000);
    expect(server.registration('dev1')).toBeDefined();
  });

  it('stays until the handler has stored its expiry', async () => {
    const { device, server, handlers, faults, advance } = await world();
    await device.register(['ep=dev1', 'lt=20', 'lwm2m=1.1']);
    handlers.store = () => Promise.reject(new Error('the database is not available'));
    await advance(120_000);
    expect(server.registration('dev1')).toBeDefined();
    expect(faults).toContain('the expiry of a registration could not be stored');
    handlers.store = async () => {};
    await advance(30_000);
    expect(server.registration('dev1')).toBeUndefined();
  });

  it('stays when an Update arrives while its expiry waits', async () => {
    const { device, server, handlers, advance } = await world();
    await device.register(['ep=dev1', 'lt=20', 'lwm2m=1.1']);
    await advance(112_500);
    const stored = handlers.hold();
    const update = device.send({ method: 'POST', path: device.location });
    await advance(5_000);
    stored();
    await advance(100);
    expect(device.answerTo(update).code).toBe('2.04');
    expect(server.registration('dev1')).toBeDefined();
  });

  it('calls the handler for each message of its device', async () => {
    const { device, handlers, perform } = await world();
    await device.register(DEV1);
    expect(handlers.heardAt).toHaveLength(1);
    await device.update();
    expect(handlers.heardAt).toHaveLength(2);
    await device.request({ method: 'POST', path: '/dp', contentFormat: 110, payload: 'nonsense' });
    expect(handlers.heardAt).toHaveLength(3);
    device.onAsked = () => text('1');
    await perform({ kind: 'read', path: temperature });
    expect(handlers.heardAt.length).toBeGreaterThan(3);
  });

  it('is answered even when synchronous handlers throw', async () => {
    const { device, handlers, faults, server } = await world();
    handlers.heard = () => {
      throw new Error('in a handler');
    };
    handlers.onReady = () => {
      throw new Error('in a handler');
    };
    expect(await device.register(DEV1)).toMatchObject({ code: '2.01' });
    expect(faults).toEqual(['the handler for messages of devices failed', 'the handler for ready devices failed']);
    expect(server.registration('dev1')).toBeDefined();
  });
});
