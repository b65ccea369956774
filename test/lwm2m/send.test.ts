import { describe, expect, it } from 'vitest';
import { DEV1, world, type World } from './lwm2m-world.ts';
import { ScriptedDevice } from './scripted-device.ts';

async function registered(links = '</1/0>,</3/0>,</3303/0>'): Promise<World> {
  const made = await world();
  await made.device.register(DEV1, links);
  return made;
}

const send = (payload: string | Uint8Array, contentFormat = 110) =>
  ({ method: 'POST', path: '/dp', contentFormat, payload }) as const;

describe('Send', () => {
  it('LightweightM2M-1.1-int-306: passes its readings to the handler, observed or not, before it answers 2.04', async () => {
    const { device, handlers, advance } = await registered();
    const stored = handlers.hold();
    const messageId = device.send(send('[{"bn":"/3303/0/","n":"5700","v":21.5},{"n":"5701","vs":"Cel"}]'));
    await advance(100);
    expect(() => device.answerTo(messageId)).toThrow('did not answer');
    stored();
    await advance(10);
    expect(device.answerTo(messageId).code).toBe('2.04');
    expect(handlers.values).toEqual(['/3303/0/5700=21.5', '/3303/0/5701=Cel']);
    expect(handlers.batches).toMatchObject([{ origin: 'SEND', scope: [] }]);
  });

  it('LightweightM2M-1.1-int-311: keeps the times of a history, absolute and relative', async () => {
    const { device, handlers, network } = await registered();
    const now = network.clock.now() / 1000;
    await device.request(send('[{"bn":"/3303/0/5700","v":20,"t":-60},{"v":21,"t":1700000000.5},{"v":22}]'));
    const times = handlers.batches[0]?.decoded.readings.map(({ time }) => time);
    expect(times?.[0]).toBeCloseTo(now - 60, 1);
    expect(times?.slice(1)).toEqual([1700000000.5, null]);
  });

  it.each([
    ['SenML CBOR', 112, '81a200662f332f302f39021864', '/3/0/9=100'],
    ['LwM2M CBOR', 11544, 'a1830300091864', '/3/0/9=100'],
  ])('accepts %s', async (_name, contentFormat, hex, reading) => {
    const { device, handlers } = await registered();
    expect(await device.request(send(Buffer.from(hex, 'hex'), contentFormat))).toMatchObject({ code: '2.04' });
    expect(handlers.values).toEqual([reading]);
  });

  it('accepts values behind an alternate path, and of end devices behind a gateway', async () => {
    const { device, handlers } = await registered('</lwm2m>;rt="oma.lwm2m",</lwm2m/3/0>');
    expect(await device.request(send('[{"n":"/lwm2m/3/0/9","v":1},{"n":"/dev2/3303/0/5700","v":2}]'))).toMatchObject({
      code: '2.04',
    });
    expect(handlers.values).toEqual(['/3/0/9=1', '/dev2/3303/0/5700=2']);
  });

  it.each([
    ['4.04', 'an object that is not registered', send('[{"n":"/3/0/9","v":1},{"n":"/3304/0/5700","v":2}]')],
    ['4.00', 'what can’t be decoded', send('[{"n":"/3/0/9"')],
    ['4.15', 'TLV', send(Buffer.from('c10964', 'hex'), 11542)],
    ['4.00', 'no Content-Format', { method: 'POST', path: '/dp', payload: '[]' } as const],
  ])('answers %s to %s and stores nothing of it', async (code, _name, request) => {
    const { device, handlers } = await registered();
    expect(await device.request(request)).toMatchObject({ code });
    expect(handlers.batches).toEqual([]);
  });

  it('passes an undecodable payload to the handler', async () => {
    const { device, handlers } = await registered();
    await device.request(send('[{"n":"/3/0/9","v":"high"}]'));
    expect(handlers.undecoded).toMatchObject([{ path: '/', origin: 'SEND' }]);
  });

  it('answers 4.04 to a device without a registration', async () => {
    const { network, handlers } = await registered();
    const stranger = new ScriptedDevice(network, '192.0.2.66');
    expect(await stranger.request(send('[{"n":"/3/0/9","v":1}]'))).toMatchObject({ code: '4.04' });
    expect(handlers.batches).toEqual([]);
  });

  it('answers 5.00 when the handler can’t store it, and accepts it when it is sent again', async () => {
    const { device, handlers } = await registered();
    handlers.store = () => Promise.reject(new Error('the database is away'));
    expect(await device.request(send('[{"n":"/3/0/9","v":1}]'))).toMatchObject({ code: '5.00' });
    handlers.store = async () => {};
    expect(await device.request(send('[{"n":"/3/0/9","v":1}]'))).toMatchObject({ code: '2.04' });
    expect(handlers.values).toEqual(['/3/0/9=1']);
  });
});
