import { describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { ContentFormat, encode, Path, type Operation, type TypedValue } from '../../src/lwm2m/index.ts';
import { DEV1, world, type World } from './lwm2m-world.ts';
import type { AskedOfDevice, DeviceAnswer } from './scripted-device.ts';

const path = (text: string): Path => Path.parse(text);
const integer = (value: number): TypedValue => ({ type: 'Integer', value });
const string = (value: string): TypedValue => ({ type: 'String', value });
const opaque = (...bytes: number[]): TypedValue => ({ type: 'Opaque', value: Uint8Array.from(bytes) });
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

/** A world whose device is registered and answers as told. */
async function registered(
  answer: (asked: AskedOfDevice) => DeviceAnswer | null,
  query: readonly string[] = DEV1,
  links = '</1/0>,</3/0>',
): Promise<World> {
  const made = await world();
  await made.device.register(query, links);
  made.device.onAsked = answer;
  return made;
}

const V10 = ['ep=dev1', 'lwm2m=1.0'];
const V12 = ['ep=dev1', 'lt=300', 'lwm2m=1.2'];

function content(at: string, contentFormat: number, ...values: (readonly [string, TypedValue])[]): DeviceAnswer {
  const placed = values.map(([place, value]) => ({ path: path(place), value }));
  const payload = encode({ contentFormat, path: path(at), values: placed });
  return { code: codes.content, contentFormat, payload };
}

describe('Read', () => {
  it('LightweightM2M-1.1-int-203: asks a device that announces nothing for TLV, and hands its readings to the host', async () => {
    const { device, host, perform } = await registered(() =>
      content('/3/0', ContentFormat.tlv, ['/3/0/0', string('ACME')], ['/3/0/9', integer(95)]),
    );
    const result = await perform({ kind: 'read', path: path('/3/0') });
    expect(device.asked.map(({ line, accept }) => [line, accept])).toEqual([['GET /3/0', ContentFormat.tlv]]);
    expect(result).toMatchObject({ ok: true, code: '2.05', contentFormat: ContentFormat.tlv, message: null });
    expect(result.decoded?.readings.map(String)).toHaveLength(2);
    expect(host.values).toEqual(['/3/0/0=ACME', '/3/0/9=95']);
    expect(host.batches[0]).toMatchObject({ origin: 'READ', scope: [path('/3/0')] });
  });

  it.each([
    ['LightweightM2M-1.1-int-232', DEV1, '</>;ct="110 112"', ContentFormat.senmlCbor],
    ['LightweightM2M-1.1-int-231', DEV1, '</>;ct=110', ContentFormat.senmlJson],
    ['1.0', V10, '</>;rt="oma.lwm2m"', ContentFormat.tlv],
    ['1.2', V12, '</>;ct="60 112 11544"', ContentFormat.lwm2mCbor],
    ['1.2 without ct', V12, '</>', ContentFormat.senmlCbor],
    ['1.1 that names TLV by its old number', DEV1, '</>;ct=1542', ContentFormat.tlv],
  ])('%s: asks for the best format that the device announces', async (_id, query, root, accept) => {
    const { device, perform } = await registered(() => ({ code: codes.notFound }), query, `${root},</3/0>`);
    await perform({ kind: 'read', path: path('/3/0/0') });
    expect(device.asked[0]?.accept).toBe(accept);
  });

  it.each([
    ['LightweightM2M-1.1-int-201', ContentFormat.text, '/3/0/0'],
    ['LightweightM2M-1.1-int-211', ContentFormat.cbor, '/3/0/0'],
    ['LightweightM2M-1.1-int-204', ContentFormat.lwm2mJson, '/3/0/0'],
    ['LightweightM2M-1.1-int-225', ContentFormat.senmlJson, '/3/0/6/1'],
  ])('%s: asks for the format that the caller wants (%i)', async (_id, contentFormat, place) => {
    const value = place === '/3/0/0' ? string('ACME') : integer(5);
    const { device, host, perform } = await registered(() => content(place, contentFormat, [place, value]));
    await perform({ kind: 'read', path: path(place), contentFormat });
    expect(device.asked.map(({ line, accept }) => [line, accept])).toEqual([[`GET ${place}`, contentFormat]]);
    expect(host.values).toEqual([`${place}=${String(value.value)}`]);
  });

  it('LightweightM2M-1.1-int-237: asks without Accept and decodes what comes', async () => {
    const { device, host, perform } = await registered(() =>
      content('/3', ContentFormat.senmlJson, ['/3/0/0', string('ACME')]),
    );
    await perform({ kind: 'read', path: path('/3'), contentFormat: null });
    expect(device.asked[0]?.accept).toBeNull();
    expect(host.values).toEqual(['/3/0/0=ACME']);
  });

  it('decodes by the format of the answer, whatever was asked for', async () => {
    const { host, perform } = await registered(() => ({ code: codes.content, contentFormat: 0, payload: '42' }));
    await perform({ kind: 'read', path: path('/3/0/9') });
    expect(host.values).toEqual(['/3/0/9=42']);
  });

  it('takes an answer without a format for what was asked for', async () => {
    const { host, perform } = await registered(({ accept }) => {
      const { code, payload } = content('/3/0/9', accept ?? 0, ['/3/0/9', integer(7)]);
      return { code, payload };
    });
    await perform({ kind: 'read', path: path('/3/0/9') });
    expect(host.values).toEqual(['/3/0/9=7']);
  });

  it.each([codes.notAcceptable, codes.unsupportedContentFormat])(
    'tries another format when the device refuses one with %i, at last none',
    async (refusal) => {
      const { device, host, perform } = await registered(({ accept }) =>
        accept === null ? { code: codes.content, contentFormat: 0, payload: '42' } : { code: refusal },
      );
      await perform({ kind: 'read', path: path('/3/0/9') }, { ms: 50 });
      expect(device.asked.map(({ accept }) => accept)).toEqual([11542, 112, 110, 0, null]);
      expect(host.values).toEqual(['/3/0/9=42']);
    },
  );

  it('takes no other format for the one that the caller wants', async () => {
    const { device, perform } = await registered(() => ({ code: codes.notAcceptable }));
    const result = await perform({ kind: 'read', path: path('/3/0/9'), contentFormat: 60 }, { ms: 50 });
    expect(result).toMatchObject({ ok: false, code: '4.06' });
    expect(device.asked).toHaveLength(1);
  });

  it('resolves with a refusal and what the device says of it', async () => {
    const { perform, host } = await registered(() => ({ code: codes.unauthorized, payload: 'not\u0000allowed' }));
    const result = await perform({ kind: 'read', path: path('/0/0/0') });
    expect(result).toMatchObject({ ok: false, code: '4.01', message: 'not allowed', decoded: null });
    expect(host.batches).toEqual([]);
  });

  it('passes on as text only what is text', async () => {
    const { perform } = await registered(() => ({ code: codes.badRequest, contentFormat: 257, payload: '\u00a2' }));
    const result = await perform({ kind: 'read', path: path('/3/0/0') });
    expect(result).toMatchObject({ ok: false, code: '4.00', message: null });
  });

  it('takes nothing from a success that brings no content', async () => {
    const { perform, host } = await registered(changed);
    const result = await perform({ kind: 'read', path: path('/3/0') });
    expect(result).toMatchObject({ ok: true, code: '2.04', decoded: null });
    expect(host.batches).toEqual([]);
  });

  it('takes an empty answer for an object without instances', async () => {
    const { perform, host } = await registered(() => ({ code: codes.content }));
    const result = await perform({ kind: 'read', path: path('/3303') });
    expect(result.decoded).toEqual({ readings: [], empty: [] });
    expect(host.batches[0]?.scope.map(String)).toEqual(['/3303']);
  });

  it('rejects with BAD_ANSWER and tells the host of what can’t be decoded', async () => {
    const { perform, host } = await registered(() => ({
      code: codes.content,
      contentFormat: 11542,
      payload: '\u00ff',
    }));
    await expect(perform({ kind: 'read', path: path('/3/0/9') })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
    expect(host.undecoded).toMatchObject([{ path: '/3/0/9', origin: 'READ' }]);
  });

  it('puts the alternate path before the path', async () => {
    const { device, perform } = await registered(
      () => ({ code: codes.content, contentFormat: 110, payload: '[{"n":"/lwm2m/3/0/9","v":7}]' }),
      DEV1,
      '</lwm2m>;rt="oma.lwm2m";ct=110,</lwm2m/3/0>',
    );
    const result = await perform({ kind: 'read', path: path('/3/0/9') });
    expect(device.asked[0]?.line).toBe('GET /lwm2m/3/0/9');
    expect(result.decoded?.readings[0]?.path.toString()).toBe('/3/0/9');
  });

  it('puts a gateway’s prefix into the path', async () => {
    const { device, perform } = await registered(() => ({ code: codes.notFound }));
    await perform({ kind: 'read', path: Path.parsePrefixed('/dev2/3/0') });
    expect(device.asked[0]?.line).toBe('GET /dev2/3/0');
  });
});

describe('Read-Composite', () => {
  it('LightweightM2M-1.1-int-280: sends the paths by FETCH and hands over what comes', async () => {
    const { device, host, perform } = await registered(() => ({
      code: codes.content,
      contentFormat: 110,
      payload: '[{"n":"/3/0/0","vs":"ACME"},{"n":"/1/0/1","v":300}]',
    }));
    const paths = [path('/3/0/0'), path('/1/0/1'), path('/9/9/9')];
    await perform({ kind: 'read-composite', paths, contentFormat: 110 });
    const [asked] = device.asked;
    expect(asked).toMatchObject({ line: 'FETCH /', accept: 110, contentFormat: 110 });
    expect(JSON.parse(text(asked?.payload))).toEqual([{ n: '/3/0/0' }, { n: '/1/0/1' }, { n: '/9/9/9' }]);
    // LightweightM2M-1.1-int-281: what is missing is left out, and within the scope, so known to be gone.
    expect(host.values).toEqual(['/3/0/0=ACME', '/1/0/1=300']);
    expect(host.batches[0]?.scope).toEqual(paths);
  });

  it.each([
    [DEV1, '</>;ct=110', 110, 110],
    [DEV1, '</>', 112, 112],
    [V12, '</>;ct=11544', 112, 11544],
  ])('%j with %s lists the paths in %i and accepts %i', async (query, root, body, accept) => {
    const { device, perform } = await registered(() => ({ code: codes.badRequest }), query, `${root},</3/0>`);
    await perform({ kind: 'read-composite', paths: [path('/3/0'), path('/1')] });
    expect(device.asked[0]).toMatchObject({ contentFormat: body, accept });
  });
});

function changed(): DeviceAnswer {
  return { code: codes.changed };
}

describe('Write', () => {
  it('LightweightM2M-1.1-int-205: writes one resource as text from 1.1 on, by PUT', async () => {
    const { device, host, perform } = await registered(changed);
    const result = await perform({
      kind: 'write',
      path: path('/3/0/14'),
      mode: 'replace',
      values: [{ path: path('/3/0/14'), value: string('+02:00') }],
    });
    expect(result).toMatchObject({ ok: true, code: '2.04' });
    expect(device.asked[0]).toMatchObject({ line: 'PUT /3/0/14', contentFormat: 0 });
    expect(text(device.asked[0]?.payload)).toBe('+02:00');
    expect(host.batches).toMatchObject([{ origin: 'WRITE', scope: [path('/3/0/14')] }]);
    expect(host.values).toEqual(['/3/0/14=+02:00']);
  });

  it('writes one resource as TLV in 1.0', async () => {
    const { device, perform } = await registered(changed, V10);
    const values = [{ path: path('/1/0/1'), value: integer(60) }];
    await perform({ kind: 'write', path: path('/1/0/1'), mode: 'replace', values });
    expect(device.asked[0]?.contentFormat).toBe(11542);
    expect(hex(device.asked[0]?.payload)).toBe('c1013c');
  });

  it('LightweightM2M-1.1-int-226: updates an instance by POST in a structured format', async () => {
    const { device, host, perform } = await registered(changed);
    const values = [{ path: path('/1/0/1'), value: integer(60) }];
    await perform({ kind: 'write', path: path('/1/0'), mode: 'update', values });
    expect(device.asked[0]).toMatchObject({ line: 'POST /1/0', contentFormat: 11542 });
    expect(host.batches[0]).toMatchObject({ origin: 'WRITE', scope: [] });
  });

  it('LightweightM2M-1.1-int-228: writes a resource instance', async () => {
    const { device, perform } = await registered(changed);
    const values = [{ path: path('/16/0/0/1'), value: string('x') }];
    await perform({ kind: 'write', path: path('/16/0/0/1'), mode: 'replace', values, contentFormat: 110 });
    expect(device.asked[0]).toMatchObject({ line: 'PUT /16/0/0/1', contentFormat: 110 });
    expect(text(device.asked[0]?.payload)).toBe('[{"n":"/16/0/0/1","vs":"x"}]');
  });

  it('LightweightM2M-1.1-int-755: pushes a firmware package as octets, which the host is not told', async () => {
    const { device, host, perform } = await registered(changed);
    const values = [{ path: path('/5/0/0'), value: opaque(1, 2, 3) }];
    await perform({ kind: 'write', path: path('/5/0/0'), mode: 'replace', values });
    expect(device.asked[0]).toMatchObject({ line: 'PUT /5/0/0', contentFormat: 42 });
    expect(host.values).toEqual([]);
  });

  it('sends an empty text in a format that has a payload: a PUT without one is a Write-Attributes', async () => {
    const { device, perform } = await registered(changed);
    const values = [{ path: path('/5/0/1'), value: string('') }];
    await perform({ kind: 'write', path: path('/5/0/1'), mode: 'replace', values });
    expect(device.asked[0]).toMatchObject({ contentFormat: 11542 });
    expect(hex(device.asked[0]?.payload)).toBe('c001');
  });

  it('replaces a multiple resource, whose other instances are gone then', async () => {
    const { device, host, perform } = await registered(changed);
    const values = [0, 1].map((id) => ({ path: path(`/16/0/0/${id}`), value: string(`v${id}`) }));
    await perform({ kind: 'write', path: path('/16/0/0'), mode: 'replace', values });
    expect(hex(device.asked[0]?.payload)).toBe('8800084200763042017631');
    expect(host.batches[0]?.scope.map(String)).toEqual(['/16/0/0']);
  });

  it.each([
    ['4.05', codes.methodNotAllowed],
    ['4.00', codes.badRequest],
  ])('LightweightM2M-1.1-int-256: tells the host nothing when the device refuses with %s', async (code, answer) => {
    const { host, perform } = await registered(() => ({ code: answer }));
    const values = [{ path: path('/1/0/0'), value: integer(9) }];
    const result = await perform({ kind: 'write', path: path('/1/0/0'), mode: 'replace', values });
    expect(result).toMatchObject({ ok: false, code });
    expect(host.batches).toEqual([]);
  });

  it('tries another format on 4.15', async () => {
    const { device, perform } = await registered(({ contentFormat }) => ({
      code: contentFormat === 112 ? codes.changed : codes.unsupportedContentFormat,
    }));
    const values = [{ path: path('/1/0/1'), value: integer(60) }];
    const result = await perform({ kind: 'write', path: path('/1/0/1'), mode: 'replace', values }, { ms: 30 });
    expect(result.code).toBe('2.04');
    expect(device.asked.map(({ contentFormat }) => contentFormat)).toEqual([0, 11542, 112]);
  });

  it('LightweightM2M-1.1-int-230: writes here and there at once by iPATCH', async () => {
    const { device, host, perform } = await registered(changed);
    await perform({
      kind: 'write-composite',
      values: [
        { path: path('/1/0/1'), value: integer(60) },
        { path: path('/3/0/14'), value: string('+01:00') },
      ],
      contentFormat: 110,
    });
    expect(device.asked[0]).toMatchObject({ line: 'iPATCH /', contentFormat: 110 });
    expect(host.values).toEqual(['/1/0/1=60', '/3/0/14=+01:00']);
  });

  it('deletes a resource instance of a 1.2 device by null in ETCH', async () => {
    const { device, host, perform } = await registered(changed, V12);
    await perform({ kind: 'write-composite', values: [{ path: path('/34/0/1/0'), value: null }] });
    expect(device.asked[0]?.contentFormat).toBe(322);
    expect(hex(device.asked[0]?.payload)).toBe('81a200692f33342f302f312f3002f6');
    expect(host.batches).toMatchObject([{ scope: [path('/34/0/1/0')], decoded: { readings: [] } }]);
  });
});

describe('Execute, Create, Delete, Discover and Write-Attributes', () => {
  it('executes without and with arguments', async () => {
    const { device, perform, host } = await registered(() => ({ code: codes.changed }));
    await perform({ kind: 'execute', path: path('/3/0/4'), arguments: {} });
    await perform({ kind: 'execute', path: path('/1/0/8'), arguments: { 0: 'U', 1: null } });
    expect(device.asked.map(({ line, contentFormat, payload }) => [line, contentFormat, text(payload)])).toEqual([
      ['POST /3/0/4', null, ''],
      ['POST /1/0/8', 0, "0='U',1"],
    ]);
    expect(host.batches).toEqual([]);
  });

  it('LightweightM2M-1.1-int-1630: creates an instance with the id that the caller gives', async () => {
    const { device, host, perform } = await registered(() => ({ code: codes.created }));
    const values = [{ resource: [0, 0], value: string('id') }];
    const result = await perform({ kind: 'create', objectId: 16, instanceId: 3, values });
    expect(device.asked[0]).toMatchObject({ line: 'POST /16', contentFormat: 11542 });
    expect(hex(device.asked[0]?.payload)).toBe('0603840042006964');
    expect(result).toMatchObject({ ok: true, code: '2.01', createdInstanceId: 3 });
    expect(host.batches[0]?.scope.map(String)).toEqual(['/16/3']);
    expect(host.values).toEqual(['/16/3/0/0=id']);
  });

  it('learns the id that a device chose from its Location-Path', async () => {
    const { device, host, perform } = await registered(
      () => ({ code: codes.created, locationPath: ['16', '7'] }),
      DEV1,
      '</>;ct=112,</16>',
    );
    const values = [{ resource: [0, 0], value: string('id') }];
    const result = await perform({ kind: 'create', objectId: 16, instanceId: null, values });
    // SenML can't leave the id to the device.
    expect(device.asked[0]?.contentFormat).toBe(11542);
    expect(result.createdInstanceId).toBe(7);
    expect(host.values).toEqual(['/16/7/0/0=id']);
  });

  it('LightweightM2M-1.1-int-1635: deletes an instance, and what was known of it is gone', async () => {
    const { device, host, perform } = await registered(() => ({ code: codes.deleted }));
    expect(await perform({ kind: 'delete', path: path('/16/0') })).toMatchObject({ ok: true, code: '2.02' });
    expect(device.asked[0]?.line).toBe('DELETE /16/0');
    expect(host.batches).toMatchObject([
      { origin: 'WRITE', scope: [path('/16/0')], decoded: { readings: [], empty: [] } },
    ]);
  });

  it('LightweightM2M-1.1-int-260: discovers links with their attributes', async () => {
    const { device, perform } = await registered(
      () => ({ code: codes.content, contentFormat: 40, payload: '</r/3/0>;pmin=10,</r/3/0/6>;dim=2,</r/3/0/9>;gt=5' }),
      DEV1,
      '</r>;rt="oma.lwm2m",</r/3/0>',
    );
    const result = await perform({ kind: 'discover', path: path('/3/0') });
    expect(device.asked[0]).toMatchObject({ line: 'GET /r/3/0', accept: 40 });
    expect(result.links).toEqual([
      { uri: '/3/0', attributes: { pmin: '10' } },
      { uri: '/3/0/6', attributes: { dim: '2' } },
      { uri: '/3/0/9', attributes: { gt: '5' } },
    ]);
  });

  it.each([
    ['LightweightM2M-1.2-int-264', 1],
    ['LightweightM2M-1.2-int-266', 3],
  ])('%s: discovers with depth %i', async (_id, depth) => {
    const { device, perform } = await registered(() => ({ code: codes.content, contentFormat: 40 }), V12);
    const result = await perform({ kind: 'discover', path: path('/3'), depth });
    expect(device.asked[0]?.line).toBe(`GET /3?depth=${depth}`);
    expect(result.links).toEqual([]);
  });

  it('LightweightM2M-1.1-int-261: writes attributes by PUT without a payload, and unsets them', async () => {
    const { device, perform } = await registered(() => ({ code: codes.changed }));
    const attributes = { pmin: 5, pmax: null, gt: 42.5 };
    await perform({ kind: 'write-attributes', path: path('/3303/0/5700'), attributes });
    expect(device.asked[0]).toMatchObject({ line: 'PUT /3303/0/5700?pmin=5&pmax&gt=42.5', contentFormat: null });
    expect(device.asked[0]?.payload).toHaveLength(0);
  });
});

describe('what can’t be asked', () => {
  const one = (at: string) => [{ path: path(at), value: integer(1) }];
  const cases: [string, readonly string[], Operation, RegExp][] = [
    ['a Read of the root', DEV1, { kind: 'read', path: Path.root }, /^\/ is no object/],
    ['a resource instance of a 1.0 device', V10, { kind: 'read', path: path('/3/0/6/1') }, /\/3\/0\/6\/1.*1\.1/],
    ['a Read-Composite of a 1.0 device', V10, { kind: 'read-composite', paths: [path('/3')] }, /1\.0/],
    ['paths twice', DEV1, { kind: 'read-composite', paths: [path('/3'), path('/3')] }, /\/3 is named twice/],
    ['no path', DEV1, { kind: 'observe', paths: [] }, /no path/],
    [
      'a Write of an object',
      DEV1,
      { kind: 'write', path: path('/3'), mode: 'replace', values: one('/3/0/1') },
      /\/3: /,
    ],
    [
      'a value elsewhere',
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
      /\/3\/0: only a resource/,
    ],
    ['an argument that is no digit', DEV1, { kind: 'execute', path: path('/3/0/4'), arguments: { x: null } }, /"x"/],
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
    ['the end of an observation that does not run', DEV1, { kind: 'cancel-observation', paths: [path('/3')] }, /\/3/],
  ];
  it.each(cases)('refuses %s before anything is sent', async (_name, query, operation, message) => {
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

  it('rejects with NOT_REGISTERED for a device that is not', async () => {
    const { perform } = await world();
    await expect(perform(read)).rejects.toMatchObject({ code: 'NOT_REGISTERED' });
  });

  it('tells when it left and when it was acknowledged, once each', async () => {
    const { perform } = await registered(({ accept }) =>
      accept === null ? { code: codes.content, contentFormat: 0, payload: '1' } : { code: codes.notAcceptable },
    );
    const told: string[] = [];
    const options = { onSent: () => told.push('sent'), onDelivered: () => told.push('delivered'), ms: 50 };
    await perform(read, options);
    expect(told).toEqual(['sent', 'delivered']);
  });

  it('rejects with TIMEOUT when the device is silent', async () => {
    const { perform } = await registered(() => null);
    await expect(perform(read, { timeoutMs: 5_000, ms: 6_000 })).rejects.toMatchObject({ code: 'TIMEOUT' });
  });

  it('rejects with CANCELLED when its caller gives up', async () => {
    const { server, advance } = await registered(() => null);
    const ending = new AbortController();
    const result = server.perform('dev1', read, { signal: ending.signal }).catch((error: unknown) => error);
    await advance(5);
    ending.abort();
    expect(await result).toMatchObject({ code: 'CANCELLED' });
  });

  it('rejects with BAD_ANSWER when the device resets it', async () => {
    const { device, perform } = await registered(() => null);
    device.onAsked = ({ message }) => {
      device.reset(message.messageId);
      return null;
    };
    await expect(perform(read)).rejects.toMatchObject({ code: 'BAD_ANSWER' });
  });

  it('ends with the registration: the device may have started anew and must not hear it again', async () => {
    const { device, server, advance } = await registered(() => null);
    const result = server.perform('dev1', read).catch((error: unknown) => error);
    await advance(5);
    await device.register(DEV1);
    expect(await result).toMatchObject({ code: 'NOT_REGISTERED' });
    const before = device.received.length;
    await advance(300_000);
    expect(device.received).toHaveLength(before);
  });

  it('moves along when the device does', async () => {
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

  it('is refused with LIMIT above the bound for one device', async () => {
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

  it('does not leave before the answer to the Register did', async () => {
    const { device, host, server, advance } = await world();
    device.onAsked = () => ({ code: codes.content, contentFormat: 0, payload: '42' });
    let result: unknown;
    host.store = async () => {
      host.store = async () => {};
      // The registration stands as soon as it is stored; whoever hears of that may ask at once.
      setImmediate(() => void server.perform('dev1', read).then((value) => (result = value)));
    };
    await device.register(DEV1);
    await advance(10);
    expect(result).toMatchObject({ ok: true });
    const order = device.received.map(({ code }) => code);
    expect(order).toEqual([codes.created, 0x01]);
  });
});
