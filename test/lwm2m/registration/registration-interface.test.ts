import { describe, expect, it } from 'vitest';
import { Path } from '../../../src/lwm2m/index.ts';
import { DEV1, world } from '../lwm2m-world.ts';
import { ScriptedDevice } from '../scripted-device.ts';

describe('Register', () => {
  it('LightweightM2M-1.1-int-101: answers 2.01 with a location rd/{id} and stores the parameters of the device', async () => {
    const { device, server, network } = await world();
    const answer = await device.register(
      ['ep=dev1', 'lt=300', 'lwm2m=1.1', 'b=U', 'Q', 'sms=491511234', 'x=y'],
      '</>;rt="oma.lwm2m";ct="110 112 60",</1/0>,</3/0>,</3303>;ver=1.1,</3303/0>,</3303/1>',
    );
    expect(answer.code).toBe('2.01');
    expect(answer.location).toMatch(/^rd\/[\w-]{16}$/);
    expect(server.registration('dev1')).toMatchObject({
      id: answer.location.slice(3),
      endpoint: 'dev1',
      lwm2mVersion: '1.1',
      lifetime: 300,
      binding: 'U',
      queueMode: true,
      smsNumber: '491511234',
      rootPath: '/',
      contentFormats: [110, 112, 60],
      objects: [
        { objectId: 1, version: '1.1', instanceIds: [0] },
        { objectId: 3, version: '1.1', instanceIds: [0] },
        { objectId: 3303, version: '1.1', instanceIds: [0, 1] },
      ],
      additional: { x: 'y' },
      peer: { address: '192.0.2.2' },
      transport: 'udp',
      expiresAt: network.clock.now() - 1 + 300_000,
    });
  });

  it.each([
    ['1.0', ['ep=dev1'], { lwm2mVersion: '1.0', lifetime: 86_400, binding: 'U', queueMode: false }],
    ['1.0 in queue mode by its binding', ['ep=dev1', 'lwm2m=1.0', 'b=UQ'], { binding: 'U', queueMode: true }],
    ['1.1', [...DEV1], { lwm2mVersion: '1.1' }],
    ['1.2', ['ep=dev1', 'lt=60', 'lwm2m=1.2', 'b=UM'], { lwm2mVersion: '1.2', binding: 'UM' }],
    ['an infinite lifetime', ['ep=dev1', 'lt=0', 'lwm2m=1.1'], { lifetime: 0, expiresAt: null }],
  ])('takes LwM2M %s', async (_name, query, expected) => {
    const { device, server } = await world();
    expect(await device.register(query)).toMatchObject({ code: '2.01' });
    expect(server.registration('dev1')).toMatchObject(expected);
  });

  it('strips an alternate path from the object links', async () => {
    const { device, server } = await world();
    await device.register(DEV1, '</lwm2m>;rt="oma.lwm2m";ct=112,</lwm2m/1/0>,</lwm2m/3/0>');
    expect(server.registration('dev1')).toMatchObject({
      rootPath: '/lwm2m',
      contentFormats: [112],
      objects: [{ objectId: 1 }, { objectId: 3 }],
    });
  });

  it.each([
    ['4.12', ['ep=dev1', 'lt=300', 'lwm2m=2.0'], '</1/0>'],
    ['4.00', ['lt=300', 'lwm2m=1.1'], '</1/0>'],
    ['4.00', ['ep=dev1', 'lwm2m=1.1'], '</1/0>'],
    ['4.00', ['ep=dev1', 'ep=dev2', 'lt=300', 'lwm2m=1.1'], '</1/0>'],
    ['4.00', ['ep=dev1', 'lt=abc', 'lwm2m=1.1'], '</1/0>'],
    ['4.00', [...DEV1], 'no links'],
    ['4.00', [...DEV1], ''],
    ['4.09', ['ep=dev1', 'lt=300', 'lwm2m=1.2', 'pid=6:aabbccdd'], ''],
  ])('answers %s to %j with %j', async (code, query, links) => {
    const { device, server, handlers } = await world();
    expect(await device.register(query, links)).toMatchObject({ code });
    expect(server.registration('dev1')).toBeUndefined();
    expect(handlers.events).toEqual([]);
  });

  it('answers 4.00 when it is not confirmable', async () => {
    const { device, server } = await world();
    const answer = await device.request({
      method: 'POST',
      path: '/rd',
      query: DEV1,
      contentFormat: 40,
      payload: '</3/0>',
      confirmable: false,
    });
    expect(answer.code).toBe('4.00');
    expect(server.registration('dev1')).toBeUndefined();
  });

  it('answers 4.15 to a payload of another format, and accepts one without a Content-Format', async () => {
    const { device } = await world();
    const register = { method: 'POST', path: '/rd', query: DEV1, payload: '</3/0>' } as const;
    expect(await device.request({ ...register, contentFormat: 110 })).toMatchObject({ code: '4.15' });
    expect(await device.request(register)).toMatchObject({ code: '2.01' });
  });

  it('answers a refused device with the code of the admission', async () => {
    const { device, handlers } = await world();
    handlers.admission = async () => ({
      admitted: false,
      code: '4.03',
      cause: 'UNKNOWN_ENDPOINT',
      reason: 'not provisioned',
    });
    expect(await device.register(DEV1)).toMatchObject({ code: '4.03', diagnostic: 'not provisioned' });
  });

  it('answers 5.00 and keeps the old registration when the handler can’t store the new one', async () => {
    const { device, handlers, server, faults } = await world();
    await device.register(DEV1);
    const before = server.registration('dev1');
    handlers.store = () => Promise.reject(new Error('the database is away'));
    expect(await device.register(DEV1)).toMatchObject({ code: '5.00' });
    expect(server.registration('dev1')).toBe(before);
    expect(faults).toEqual(['POST /rd failed']);
  });

  it('answers 5.03 above the maximum of registrations, but lets a registered device register again', async () => {
    const { device, network } = await world({ registrations: 1 });
    await device.register(DEV1);
    const other = new ScriptedDevice(network, '192.0.2.9');
    expect(await other.register(['ep=dev2', 'lt=300', 'lwm2m=1.1'])).toMatchObject({ code: '5.03' });
    expect(await device.register(DEV1)).toMatchObject({ code: '2.01' });
  });

  it('LightweightM2M-1.1-int-241: replaces the old registration, whose location becomes invalid', async () => {
    const { device, handlers, server } = await world();
    await device.register(DEV1, '</1/0>');
    const old = device.location;
    await device.register(DEV1, '</3/0>');
    expect(device.location).not.toBe(old);
    expect(server.registration('dev1')?.objects).toMatchObject([{ objectId: 3 }]);
    expect(handlers.events).toEqual([
      'registered dev1',
      'ready dev1 register',
      'registered dev1 again',
      'ready dev1 register',
    ]);
    expect(await device.request({ method: 'POST', path: old })).toMatchObject({ code: '4.04' });
  });

  it('has the same effect once or twice when the response was lost', async () => {
    const { device, handlers, server, network, advance } = await world();
    network.conditions = { ...network.conditions, loss: 1 };
    const register = { method: 'POST', path: '/rd', query: DEV1, contentFormat: 40, payload: '</3/0>' } as const;
    const lost = device.send(register);
    network.conditions = { ...network.conditions, loss: 0 };
    // The retransmission has the same message id.
    device.send(register, lost);
    await advance(2);
    const { location } = device.answerTo(lost);
    device.send(register, lost);
    await advance(2);
    expect(device.answerTo(lost).location).toBe(location);
    expect(handlers.events.filter((line) => line.startsWith('registered'))).toEqual(['registered dev1']);
    // The device gave up and registers again with a new message id.
    const again = await device.request(register);
    expect(again.code).toBe('2.01');
    expect(server.registration('dev1')?.id).toBe(again.location.slice(3));
    expect(await device.request({ method: 'POST', path: `/${location}` })).toMatchObject({ code: '4.04' });
  });

  it('keeps the later of two concurrent Registers', async () => {
    const { device, handlers, server, network, advance } = await world();
    const waiting: (() => void)[] = [];
    handlers.store = () => new Promise((resolve) => waiting.push(resolve));
    const elsewhere = new ScriptedDevice(network, '192.0.2.9');
    const first = device.send({ method: 'POST', path: '/rd', query: DEV1, contentFormat: 40, payload: '</1/0>' });
    await advance(2);
    const second = elsewhere.send({ method: 'POST', path: '/rd', query: DEV1, contentFormat: 40, payload: '</3/0>' });
    await advance(2);
    // The second one waits for the first, so only one is being stored.
    expect(waiting).toHaveLength(1);
    waiting.shift()?.();
    await advance(2);
    waiting.shift()?.();
    await advance(2);
    expect(device.answerTo(first).code).toBe('2.01');
    expect(server.registration('dev1')?.id).toBe(elsewhere.answerTo(second).location.slice(3));
    expect(server.registration('dev1')?.peer.address).toBe('192.0.2.9');
  });

  it('LightweightM2M-1.2-int-110: registers the objects of a Profile ID', async () => {
    const { device, handlers, server } = await world();
    handlers.profiles = new Map([['6:aabbccdd', '/1/0,/3/0,/3303/0']]);
    const answer = await device.register(['ep=dev1', 'lt=300', 'lwm2m=1.2', 'pid=6:aabbccdd'], '');
    expect(answer.code).toBe('2.01');
    expect(server.registration('dev1')?.objects.map(({ objectId }) => objectId)).toEqual([1, 3, 3303]);
  });

  it('LightweightM2M-1.2-int-111: adds the listed objects to those of a Profile ID', async () => {
    const { device, handlers, server } = await world();
    handlers.profiles = new Map([['6:aabbccdd', '/1/0,/3303/0']]);
    await device.register(['ep=dev1', 'lt=300', 'lwm2m=1.2', 'pid="6:aabbccdd"'], '</3303/1>,</16>');
    expect(server.registration('dev1')?.objects).toMatchObject([
      { objectId: 1, instanceIds: [0] },
      { objectId: 16, instanceIds: [] },
      { objectId: 3303, instanceIds: [0, 1] },
    ]);
  });
});

describe('Update', () => {
  it('LightweightM2M-1.1-int-102: answers 2.04 and the lifetime starts again', async () => {
    const { device, server, advance } = await world({ graceMs: 0 });
    await device.register(['ep=dev1', 'lt=20', 'lwm2m=1.1']);
    await advance(15_000);
    expect(await device.update()).toMatchObject({ code: '2.04' });
    await advance(15_000);
    expect(server.registration('dev1')).toBeDefined();
    await advance(6_000);
    expect(server.registration('dev1')).toBeUndefined();
  });

  it('LightweightM2M-1.1-int-107: accepts a longer lifetime', async () => {
    const { device, server, advance } = await world({ graceMs: 0 });
    await device.register(['ep=dev1', 'lt=20', 'lwm2m=1.1']);
    await device.update(['lt=100']);
    await advance(60_000);
    expect(server.registration('dev1')?.lifetime).toBe(100);
  });

  it('changes the given parameters and keeps the others', async () => {
    const { device, server, handlers } = await world();
    await device.register([...DEV1, 'b=U', 'sms=4915'], '</>;ct=112,</1/0>,</3/0>');
    const before = server.registration('dev1');
    await device.update(['b=UQ', 'sms=4916']);
    expect(server.registration('dev1')).toEqual({
      ...before,
      binding: 'U',
      queueMode: true,
      smsNumber: '4916',
      updatedAt: expect.any(Number),
      expiresAt: expect.any(Number),
    });
    expect(handlers.events.slice(2)).toEqual(['updated dev1', 'ready dev1 update']);
  });

  it('LightweightM2M-CONMGMT-1.1-int-1250: replaces the whole object list and keeps the formats of the root link', async () => {
    const { device, server } = await world();
    await device.register(DEV1, '</>;ct=112,</1/0>,</3/0>');
    await device.update([], '</1/0>,</11/0>');
    expect(server.registration('dev1')).toMatchObject({
      contentFormats: [112],
      objects: [{ objectId: 1 }, { objectId: 11 }],
    });
    await device.update([], '</>;ct=110,</1/0>');
    expect(server.registration('dev1')?.contentFormats).toEqual([110]);
  });

  it('keeps the alternate path when a new list doesn’t contain it', async () => {
    const { device, server } = await world();
    await device.register(DEV1, '</lwm2m>;rt="oma.lwm2m",</lwm2m/1/0>');
    await device.update([], '</lwm2m/1/0>,</lwm2m/3/0>');
    expect(server.registration('dev1')).toMatchObject({
      rootPath: '/lwm2m',
      objects: [{ objectId: 1 }, { objectId: 3 }],
    });
  });

  it('LightweightM2M-1.1-int-105: answers 4.04 to an Update of a registration that has ended', async () => {
    const { device, server, handlers } = await world();
    await device.register(DEV1);
    await server.remove('dev1');
    expect(await device.update()).toMatchObject({ code: '4.04' });
    expect(handlers.events.at(-1)).toBe('ended dev1 removed');
  });

  it.each([['lt=abc'], ['lt=1', 'lt=2'], ['b=X']])('answers 4.00 to %s', async (...query) => {
    const { device, server } = await world();
    await device.register(DEV1);
    const before = server.registration('dev1');
    expect(await device.update(query)).toMatchObject({ code: '4.00' });
    expect(server.registration('dev1')).toBe(before);
  });

  it('LightweightM2M-CONMGMT-1.1-int-1350: moves the registration when the address of the device changes', async () => {
    const { device, server, handlers, perform } = await world();
    await device.register(DEV1);
    device.move('192.0.2.77');
    expect(await device.update()).toMatchObject({ code: '2.04' });
    expect(handlers.events.at(-2)).toBe('updated dev1 moved');
    expect(server.registration('dev1')?.peer.address).toBe('192.0.2.77');
    await perform({ kind: 'execute', path: Path.parse('/3/0/4'), arguments: {} });
    expect(device.asked.map(({ line }) => line)).toEqual(['POST /3/0/4']);
  });
});

describe('De-register', () => {
  it('LightweightM2M-1.1-int-103: answers 2.02 and ends the registration', async () => {
    const { device, server, handlers } = await world();
    await device.register(DEV1);
    expect(await device.request({ method: 'DELETE', path: device.location })).toMatchObject({ code: '2.02' });
    expect(server.registration('dev1')).toBeUndefined();
    expect(handlers.events.at(-1)).toBe('ended dev1 deregistered');
    expect(await device.request({ method: 'DELETE', path: device.location })).toMatchObject({ code: '4.04' });
  });
});

describe('the paths of the server', () => {
  it.each([
    ['GET', '/rd', '4.05'],
    ['PUT', '/rd', '4.05'],
    ['DELETE', '/rd', '4.05'],
    ['GET', '/rd/unknown', '4.05'],
    ['POST', '/rd/unknown', '4.04'],
    ['DELETE', '/rd/unknown', '4.04'],
    ['POST', '/rd/unknown/more', '4.04'],
    ['GET', '/dp', '4.05'],
    ['POST', '/dp/1', '4.04'],
    ['POST', '/bs', '4.04'],
    ['GET', '/', '4.04'],
    ['GET', '/.well-known/core', '4.04'],
    ['FETCH', '/3', '4.04'],
  ] as const)('answers %s %s with %s', async (method, path, code) => {
    const { device } = await world();
    expect(await device.request({ method, path })).toMatchObject({ code });
  });
});
