import { describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { Path, type Lwm2mServerSettings, type Operation } from '../../src/lwm2m/index.ts';
import { DEV1, world, type World } from './lwm2m-world.ts';
import { ScriptedDevice, type AskedOfDevice, type DeviceAnswer } from './scripted-device.ts';

const temperature = Path.parse('/3303/0/5700');
const battery = Path.parse('/3/0/9');
const observe: Operation = { kind: 'observe', paths: [temperature] };
const composite = { kind: 'observe' as const, paths: [temperature, battery] } satisfies Operation;

function text(payload: string): DeviceAnswer {
  return { code: codes.content, contentFormat: 0, payload };
}

function senml(payload: unknown): DeviceAnswer {
  return { code: codes.content, contentFormat: 110, payload: JSON.stringify(payload) };
}

interface Observing extends World {
  /** The Observe that the device answered. */
  readonly asked: AskedOfDevice;
  /** Sends a confirmable notification and waits; returns the reply of the server. */
  notified(answer: DeviceAnswer, sequence?: number): Promise<'ACK' | 'RST' | null>;
}

/** A device that accepts the Observe with the value 21.5. */
async function observing(
  operation: Operation = observe,
  query: readonly string[] = DEV1,
  settings: Partial<Lwm2mServerSettings> = {},
): Promise<Observing> {
  const made = await world(settings);
  const { device, handlers, perform, advance } = made;
  await device.register(query, '</1/0>,</3/0>,</3303/0>');
  device.onAsked = ({ line }) => ({
    ...(line.startsWith('FETCH')
      ? senml([
          { n: '/3303/0/5700', v: 21.5 },
          { n: '/3/0/9', v: 90 },
        ])
      : text('21.5')),
    observe: 10,
  });
  expect(await perform(operation)).toMatchObject({ ok: true, code: '2.05' });
  const [asked] = device.asked;
  if (!asked) throw new Error('nothing was asked');
  device.asked.length = 0;
  handlers.events.length = 0;
  let next = 10;
  return {
    ...made,
    asked,
    async notified(answer, sequence) {
      next = sequence ?? next + 1;
      const messageId = device.notify(asked, next, answer);
      await advance(2);
      return device.acknowledgement(messageId);
    },
  };
}

describe('Observe', () => {
  it('LightweightM2M-1.1-int-301: passes the first response and each notification to the handler before the acknowledgement', async () => {
    const { asked, handlers, server, notified, device, advance } = await observing();
    expect(asked).toMatchObject({ line: 'GET /3303/0/5700', observe: 0 });
    expect(server.snapshot()).toEqual({ registrations: 1, observations: 1, operations: 0, handling: 0 });
    expect(handlers.batches).toMatchObject([{ origin: 'NOTIFICATION', scope: [temperature] }]);
    expect(server.observations('dev1')).toMatchObject([
      { paths: [temperature], composite: false, deviceKey: 'dev1', token: Buffer.from(asked.token).toString('hex') },
    ]);
    expect(handlers.observations).toEqual(server.observations('dev1'));
    const stored = handlers.hold();
    const messageId = device.notify(asked, 11, text('22'));
    await advance(100);
    expect(device.acknowledgement(messageId)).toBeNull();
    stored();
    await advance(2);
    expect(device.acknowledgement(messageId)).toBe('ACK');
    expect(await notified(text('22.5'), 12)).toBe('ACK');
    expect(handlers.values).toEqual(['/3303/0/5700=21.5', '/3303/0/5700=22', '/3303/0/5700=22.5']);
  });

  it('does not acknowledge a notification that the handler can’t store, and accepts its repetition', async () => {
    const { handlers, notified } = await observing();
    handlers.store = () => Promise.reject(new Error('the database is away'));
    expect(await notified(text('22'))).toBeNull();
    handlers.store = async () => {};
    expect(await notified(text('22'), 11)).toBe('ACK');
    expect(handlers.values.at(-1)).toBe('/3303/0/5700=22');
  });

  it('acknowledges an undecodable notification and passes it to the handler', async () => {
    const { handlers, notified, server } = await observing();
    expect(await notified(text('hot'))).toBe('ACK');
    expect(handlers.undecoded).toMatchObject([{ path: '/3303/0/5700', origin: 'NOTIFICATION' }]);
    expect(server.observations('dev1')).toHaveLength(1);
  });

  it('ends when the device notifies an error', async () => {
    const { handlers, notified, server } = await observing();
    expect(await notified({ ...text(''), code: codes.notFound })).toBe('ACK');
    expect(server.observations('dev1')).toEqual([]);
    expect(handlers.events).toEqual(['not observing /3303/0/5700 refused']);
  });

  it('does not run when the device answers without the Observe option', async () => {
    const { device, perform, server, handlers } = await world();
    await device.register(DEV1);
    device.onAsked = () => text('21.5');
    expect(await perform(observe)).toMatchObject({ ok: false, code: '2.05' });
    device.onAsked = () => ({ code: codes.methodNotAllowed });
    expect(await perform(observe)).toMatchObject({ ok: false, code: '4.05' });
    expect(server.observations('dev1')).toEqual([]);
    expect(handlers.values).toEqual(['/3303/0/5700=21.5']);
  });

  it('reads the device when the observation already runs', async () => {
    const { device, perform, server, handlers } = await observing();
    device.onAsked = () => text('23');
    expect(await perform(observe)).toMatchObject({ ok: true, code: '2.05' });
    expect(device.asked.map(({ line, observe: option }) => [line, option])).toEqual([['GET /3303/0/5700', null]]);
    expect(handlers.batches.at(-1)?.origin).toBe('READ');
    expect(server.observations('dev1')).toHaveLength(1);
    expect(handlers.events).toEqual([]);
  });

  it('starts once when it is called twice at the same time', async () => {
    const { device, server, advance } = await world();
    await device.register(DEV1);
    device.onAsked = ({ observe: option }) => ({ ...text('21.5'), ...(option === 0 && { observe: 1 }) });
    const both = Promise.all([server.perform('dev1', observe), server.perform('dev1', observe)]);
    await advance(20);
    expect(await both).toMatchObject([{ ok: true }, { ok: true }]);
    expect(device.asked.map(({ observe: option }) => option)).toEqual([0, null]);
    expect(server.observations('dev1')).toHaveLength(1);
  });

  it('is refused with LIMIT above the maximum per device', async () => {
    const { perform } = await observing(observe, DEV1, { observationsPerDevice: 1 });
    await expect(perform({ kind: 'observe', paths: [battery] })).rejects.toMatchObject({ code: 'LIMIT' });
  });

  const v12 = ['ep=dev1', 'lt=300', 'lwm2m=1.2'];

  it('LightweightM2M-1.2-int-312: has attributes in its query', async () => {
    const { asked, server } = await observing({ ...observe, attributes: { pmin: 5, pmax: 15 } }, v12);
    expect(asked).toMatchObject({ line: 'GET /3303/0/5700?pmin=5&pmax=15', observe: 0 });
    expect(server.observations('dev1')).toMatchObject([{ attributes: { pmin: 5, pmax: 15 } }]);
  });

  it('LightweightM2M-1.2-int-313: with other attributes replaces the running observation', async () => {
    const { device, perform, server, handlers } = await observing({ ...observe, attributes: { pmin: 5 } }, v12);
    await perform({ ...observe, attributes: { pmin: 9 } }, { ms: 20 });
    expect(device.asked.map(({ line, observe: option }) => [line, option])).toEqual([
      ['GET /3303/0/5700?pmin=5', 1],
      ['GET /3303/0/5700?pmin=9', 0],
    ]);
    expect(handlers.events).toEqual(['not observing /3303/0/5700 cancelled', 'observing /3303/0/5700']);
    expect(server.observations('dev1')).toMatchObject([{ attributes: { pmin: 9 } }]);
  });
});

describe('Observe-Composite', () => {
  it('LightweightM2M-1.1-int-304: observes several paths at once by FETCH', async () => {
    const { asked, handlers, server, notified } = await observing(composite);
    expect(asked).toMatchObject({ line: 'FETCH /', observe: 0, contentFormat: 112, accept: 112 });
    expect(server.observations('dev1')).toMatchObject([{ composite: true, paths: [temperature, battery] }]);
    expect(
      await notified(
        senml([
          { n: '/3303/0/5700', v: 22 },
          { n: '/3/0/9', v: 89 },
        ]),
      ),
    ).toBe('ACK');
    expect(handlers.values).toEqual(['/3303/0/5700=21.5', '/3/0/9=90', '/3303/0/5700=22', '/3/0/9=89']);
    expect(handlers.batches.at(-1)?.scope).toEqual([temperature, battery]);
  });

  it('LightweightM2M-1.1-int-309: a path that is left out does not exist, which the scope shows', async () => {
    const { handlers, notified } = await observing(composite);
    await notified(senml([{ n: '/3/0/9', v: 89 }]));
    expect(handlers.batches.at(-1)?.scope.map(String)).toEqual(['/3303/0/5700', '/3/0/9']);
    expect(handlers.batches.at(-1)?.decoded.readings.map(({ path }) => path.toString())).toEqual(['/3/0/9']);
  });

  it('writes the attributes of several paths first when the device refuses them in the Observe', async () => {
    const { device, perform, server } = await world();
    await device.register(['ep=dev1', 'lt=300', 'lwm2m=1.2'], '</1/0>,</3/0>,</3303/0>');
    device.onAsked = ({ line }) => {
      if (line.startsWith('PUT')) return { code: codes.changed };
      return line.includes('?') ? { code: codes.badOption } : { ...senml([{ n: '/3/0/9', v: 90 }]), observe: 10 };
    };
    const attributes = { pmin: 5 };
    expect(await perform({ ...composite, attributes })).toMatchObject({ ok: true, code: '2.05' });
    expect(device.asked.map(({ line }) => line)).toEqual([
      'FETCH /?pmin=5',
      'PUT /3303/0/5700?pmin=5',
      'PUT /3/0/9?pmin=5',
      'FETCH /',
    ]);
    expect(server.observations('dev1')).toMatchObject([{ composite: true }]);
  });

  it('LightweightM2M-1.1-int-305: ends by FETCH with Observe = 1, the same list and the same token', async () => {
    const { asked, device, perform, server } = await observing(composite);
    device.onAsked = () => senml([{ n: '/3/0/9', v: 88 }]);
    // The order of the paths does not matter.
    await perform({ kind: 'cancel-observation', paths: [battery, temperature] });
    expect(device.asked[0]).toMatchObject({ line: 'FETCH /', observe: 1, contentFormat: 112 });
    expect(device.asked[0]?.payload).toEqual(asked.payload);
    expect(device.asked[0]?.token).toEqual(asked.token);
    expect(server.observations('dev1')).toEqual([]);
  });
});

describe('the end of an observation', () => {
  it('LightweightM2M-1.1-int-303: sends GET with Observe = 1, and passes the value of the response to the handler', async () => {
    const { asked, device, perform, handlers, server, notified } = await observing();
    device.onAsked = () => text('25');
    const result = await perform({ kind: 'cancel-observation', paths: [temperature] });
    expect(result).toMatchObject({ ok: true, code: '2.05' });
    expect(device.asked[0]).toMatchObject({ line: 'GET /3303/0/5700', observe: 1, token: asked.token });
    expect(handlers.batches.at(-1)?.origin).toBe('READ');
    expect(handlers.values.at(-1)).toBe('/3303/0/5700=25');
    expect(handlers.events).toEqual(['not observing /3303/0/5700 cancelled']);
    expect(server.observations('dev1')).toEqual([]);
    expect(await notified(text('26'))).toBe('RST');
  });

  it('does not read an empty response as an empty resource', async () => {
    const { device, perform, handlers } = await observing();
    device.onAsked = () => ({ code: codes.content });
    expect(await perform({ kind: 'cancel-observation', paths: [temperature] })).toMatchObject({
      ok: true,
      decoded: null,
    });
    expect(handlers.values).toEqual(['/3303/0/5700=21.5']);
    expect(handlers.batches).toHaveLength(1);
  });

  it('LightweightM2M-1.1-int-302: passively sends no request and answers the next notification with RST', async () => {
    const { device, perform, server, notified } = await observing();
    const result = await perform({ kind: 'cancel-observation', paths: [temperature], passive: true });
    expect(result).toMatchObject({ ok: true, code: '0.00', decoded: null });
    expect(device.asked).toEqual([]);
    expect(server.observations('dev1')).toEqual([]);
    expect(await notified(text('26'))).toBe('RST');
  });

  it('happens with and without a response to the cancellation', async () => {
    const { device, perform, handlers, server } = await observing();
    device.onAsked = () => null;
    const cancelled = perform({ kind: 'cancel-observation', paths: [temperature] }, { timeoutMs: 3_000, ms: 4_000 });
    await expect(cancelled).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(handlers.events).toEqual(['not observing /3303/0/5700 cancelled']);
    expect(server.observations('dev1')).toEqual([]);
  });

  it.each([
    ['a De-register', async ({ device }: World) => device.request({ method: 'DELETE', path: device.location })],
    ['a new Register', async ({ device }: World) => device.register(DEV1)],
    ['its removal', async ({ server }: World) => server.remove('dev1')],
    ['its expiry', async ({ advance }: World) => advance(400_000)],
  ])('happens with %s', async (_name, end) => {
    const made = await observing();
    await end(made);
    expect(made.handlers.events).toContain('not observing /3303/0/5700 registration-ended');
    expect(made.server.observations('dev1')).toEqual([]);
    expect(made.server.snapshot()).toMatchObject({ observations: 0, operations: 0, handling: 0 });
    expect(await made.notified(text('26'))).toBe('RST');
    expect(made.handlers.values).toEqual(['/3303/0/5700=21.5']);
  });
});

describe('an observation of a device that moves', () => {
  it('continues at the new address after an Update from there', async () => {
    const { device, handlers, notified, server } = await observing();
    device.move('192.0.2.77');
    await device.update();
    expect(await notified(text('23'))).toBe('ACK');
    expect(handlers.values).toEqual(['/3303/0/5700=21.5', '/3303/0/5700=23']);
    expect(server.observations('dev1')).toHaveLength(1);
  });

  it('ends when the server rejected its notification from there before the Update: the device has ended it', async () => {
    const { device, handlers, notified, server, perform } = await observing();
    device.move('192.0.2.77');
    expect(await notified(text('22'))).toBe('RST');
    expect(server.observations('dev1')).toHaveLength(1);
    await device.update();
    expect(server.observations('dev1')).toEqual([]);
    // The fleet requests a cancelled observation again.
    expect(handlers.events).toContain('not observing /3303/0/5700 cancelled');
    expect(await perform(observe)).toMatchObject({ ok: true });
    expect(server.observations('dev1')).toHaveLength(1);
  });

  it('does not move observations of another device that now has its old address', async () => {
    const { device, network, notified, perform, server, advance, handlers, asked } = await observing();
    const old = device.peer.address;
    device.move('192.0.2.77');
    // The NAT gave the old address to another device, which registers and is observed there.
    const other = new ScriptedDevice(network, old, 5000);
    await other.register(['ep=dev2', 'lt=300', 'lwm2m=1.1']);
    other.onAsked = () => ({ ...text('5'), observe: 1 });
    const begun = server.perform('dev2', observe);
    await advance(10);
    expect(await begun).toMatchObject({ ok: true });
    await device.update();
    expect(await notified(text('23'))).toBe('ACK');
    const [theirs] = other.asked;
    if (!theirs) throw new Error('dev2 was not asked');
    const messageId = other.notify(theirs, 2, text('6'));
    await advance(2);
    expect(other.acknowledgement(messageId)).toBe('ACK');
    expect(handlers.values.slice(-2)).toEqual(['/3303/0/5700=23', '/3303/0/5700=6']);
    // It can still be cancelled at the new address.
    device.onAsked = () => text('24');
    await perform({ kind: 'cancel-observation', paths: [temperature] });
    expect(device.asked[0]).toMatchObject({ observe: 1, token: asked.token });
  });
});
