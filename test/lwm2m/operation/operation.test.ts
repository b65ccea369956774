import { describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { Path, type Operation } from '../../../src/lwm2m/index.ts';
import { DEV1, world } from '../lwm2m-world.ts';
import { path, integer, registered, V10, V12 } from './operation-world.ts';

const one = (at: string) => [{ path: path(at), value: integer(1) }];

describe('an invalid operation', () => {
  const cases: [string, readonly string[], Operation, RegExp][] = [
    ['a Read of the root', DEV1, { kind: 'read', path: Path.root }, /^\/ is not the path/],
    ['a resource instance of a 1.0 device', V10, { kind: 'read', path: path('/3/0/6/1') }, /\/3\/0\/6\/1.*1\.1/],
    ['a Read-Composite of a 1.0 device', V10, { kind: 'read-composite', paths: [path('/3')] }, /1\.0/],
    ['paths twice', DEV1, { kind: 'read-composite', paths: [path('/3'), path('/3')] }, /\/3 appears twice/],
    ['no path', DEV1, { kind: 'observe', paths: [] }, /no path/],
    [
      'a Write of an object',
      DEV1,
      { kind: 'write', path: path('/3'), mode: 'replace', values: one('/3/0/1') },
      /\/3: /,
    ],
    [
      'a value outside the path',
      DEV1,
      { kind: 'write', path: path('/3/0'), mode: 'update', values: one('/4/0/1') },
      /\/4\/0\/1/,
    ],
    [
      'an update of a resource in 1.1',
      DEV1,
      { kind: 'write', path: path('/3/0/1'), mode: 'update', values: one('/3/0/1') },
      /1\.2/,
    ],
    ['null before 1.2', DEV1, { kind: 'write-composite', values: [{ path: path('/34/0/1/0'), value: null }] }, /1\.2/],
    [
      'an Execute of an instance',
      DEV1,
      { kind: 'execute', path: path('/3/0'), arguments: {} },
      /\/3\/0: Execute needs the path of a resource/,
    ],
    ['an argument that is not a digit', DEV1, { kind: 'execute', path: path('/3/0/4'), arguments: { x: null } }, /"x"/],
    ['a Create with the id 65535', DEV1, { kind: 'create', objectId: 3, instanceId: 65535, values: [] }, /65535/],
    ['a Delete of a resource', V12, { kind: 'delete', path: path('/3/0/1') }, /\/3\/0\/1/],
    ['a Delete of a resource instance in 1.1', DEV1, { kind: 'delete', path: path('/3/0/6/1') }, /1\.2/],
    ['a depth in 1.1', DEV1, { kind: 'discover', path: path('/3'), depth: 1 }, /1\.2/],
    ['a depth of 4', V12, { kind: 'discover', path: path('/3'), depth: 4 }, /depth 4/],
    ['lt above gt', DEV1, { kind: 'write-attributes', path: path('/3303/0/5700'), attributes: { lt: 5, gt: 4 } }, /lt/],
    ['no attribute', DEV1, { kind: 'write-attributes', path: path('/3'), attributes: {} }, /no attribute/],
    [
      'attributes in an Observe in 1.1',
      DEV1,
      { kind: 'observe', paths: [path('/3')], attributes: { pmin: 1 } },
      /1\.2/,
    ],
    [
      'a value out of range',
      DEV1,
      {
        kind: 'write',
        path: path('/1/0/1'),
        mode: 'replace',
        values: [{ path: path('/1/0/1'), value: integer(2 ** 70) }],
      },
      /64/,
    ],
    [
      'the cancellation of an observation that does not run',
      DEV1,
      { kind: 'cancel-observation', paths: [path('/3')] },
      /\/3/,
    ],
  ];
  it.each(cases)('is refused before anything is sent: %s', async (_name, query, operation, message) => {
    const { device, perform } = await registered(() => ({ code: codes.content }), query);
    await expect(perform(operation)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    });
    expect(device.asked).toEqual([]);
  });
});

describe('an operation', () => {
  const read: Operation = { kind: 'read', path: path('/3/0/9') };

  it('rejects with NOT_REGISTERED for a device without a registration', async () => {
    const { perform } = await world();
    await expect(perform(read)).rejects.toMatchObject({ code: 'NOT_REGISTERED' });
  });

  it('reports once when the request was sent and once when it was acknowledged', async () => {
    const { perform } = await registered(({ accept }) =>
      accept === null ? { code: codes.content, contentFormat: 0, payload: '1' } : { code: codes.notAcceptable },
    );
    const reports: string[] = [];
    const options = { onSent: () => reports.push('sent'), onDelivered: () => reports.push('delivered'), ms: 50 };
    await perform(read, options);
    expect(reports).toEqual(['sent', 'delivered']);
  });

  it('rejects with TIMEOUT when the device does not answer', async () => {
    const { perform } = await registered(() => null);
    await expect(perform(read, { timeoutMs: 5_000, ms: 6_000 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('rejects with CANCELLED when its caller cancels', async () => {
    const { server, advance } = await registered(() => null);
    const ending = new AbortController();
    const result = server.perform('dev1', read, { signal: ending.signal }).catch((error: unknown) => error);
    await advance(5);
    ending.abort();
    expect(await result).toMatchObject({ code: 'CANCELLED' });
  });

  it('rejects with BAD_ANSWER when the device answers with RST', async () => {
    const { device, perform } = await registered(() => null);
    device.onAsked = ({ message }) => {
      device.reset(message.messageId);
      return null;
    };
    await expect(perform(read)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });

  it('ends with the registration: the device may have restarted and must not receive it again', async () => {
    const { device, server, advance } = await registered(() => null);
    const result = server.perform('dev1', read).catch((error: unknown) => error);
    await advance(5);
    await device.register(DEV1);
    expect(await result).toMatchObject({ code: 'NOT_REGISTERED' });
    const before = device.received.length;
    await advance(300_000);
    expect(device.received).toHaveLength(before);
  });

  it('continues at the new address when the device moves', async () => {
    const { device, server, advance } = await registered(() => null);
    const result = server.perform('dev1', read);
    await advance(5);
    device.onAsked = () => ({ code: codes.content, contentFormat: 0, payload: '42' });
    device.asked.length = 0;
    device.move('192.0.2.77');
    await device.update();
    await advance(10_000);
    expect((await result).decoded?.readings[0]).toMatchObject({ value: 42 });
  });

  it('is refused with LIMIT above the maximum per device', async () => {
    const { device, server, advance } = await world({ operationsPerDevice: 2 });
    await device.register(['ep=dev1', 'lt=0', 'lwm2m=1.1']);
    device.onAsked = () => null;
    const waiting = [1, 2, 3].map(() => server.perform('dev1', read).catch((error: { code: string }) => error.code));
    await advance(1_000_000);
    expect(await Promise.all(waiting)).toEqual(['TIMEOUT', 'TIMEOUT', 'LIMIT']);
    device.onAsked = () => ({ code: codes.content, contentFormat: 0, payload: '42' });
    const after = server.perform('dev1', read);
    await advance(10);
    expect(await after).toMatchObject({ ok: true });
  });

  it('is not sent before the response to the Register', async () => {
    const { device, handlers, server, advance } = await world();
    device.onAsked = () => ({ code: codes.content, contentFormat: 0, payload: '42' });
    let result: unknown;
    handlers.store = async () => {
      handlers.store = async () => {};
      // The registration is valid as soon as it is stored; the product may start an operation at once.
      setImmediate(() => void server.perform('dev1', read).then((value) => (result = value)));
    };
    await device.register(DEV1);
    await advance(10);
    expect(result).toMatchObject({ ok: true });
    const order = device.received.map(({ code }) => code);
    expect(order).toEqual([codes.created, 0x01]);
  });
});
