import { describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { DEV1 } from '../lwm2m-world.ts';
import { path, integer, string, opaque, text, hex, registered, V10, V12, changed } from './operation-world.ts';

describe('Write', () => {
  it('LightweightM2M-1.1-int-205: writes one resource as text since 1.1, by PUT', async () => {
    const { device, handlers, perform } = await registered(changed);
    const result = await perform({
      kind: 'write',
      path: path('/3/0/14'),
      mode: 'replace',
      values: [{ path: path('/3/0/14'), value: string('+02:00') }],
    });
    expect(result).toMatchObject({ ok: true, code: '2.04' });
    expect(device.asked[0]).toMatchObject({ line: 'PUT /3/0/14', contentFormat: 0 });
    expect(text(device.asked[0]?.payload)).toBe('+02:00');
    expect(handlers.batches).toMatchObject([{ origin: 'WRITE', scope: [path('/3/0/14')] }]);
    expect(handlers.values).toEqual(['/3/0/14=+02:00']);
  });

  it('writes one resource as TLV in 1.0', async () => {
    const { device, perform } = await registered(changed, V10);
    const values = [{ path: path('/1/0/1'), value: integer(60) }];
    await perform({ kind: 'write', path: path('/1/0/1'), mode: 'replace', values });
    expect(device.asked[0]?.contentFormat).toBe(11542);
    expect(hex(device.asked[0]?.payload)).toBe('c1013c');
  });

  it('LightweightM2M-1.1-int-226: updates an instance by POST in a structured format', async () => {
    const { device, handlers, perform } = await registered(changed);
    const values = [{ path: path('/1/0/1'), value: integer(60) }];
    await perform({ kind: 'write', path: path('/1/0'), mode: 'update', values });
    expect(device.asked[0]).toMatchObject({ line: 'POST /1/0', contentFormat: 11542 });
    expect(handlers.batches[0]).toMatchObject({ origin: 'WRITE', scope: [] });
  });

  it('LightweightM2M-1.1-int-228: writes a resource instance', async () => {
    const { device, perform } = await registered(changed);
    const values = [{ path: path('/16/0/0/1'), value: string('x') }];
    await perform({ kind: 'write', path: path('/16/0/0/1'), mode: 'replace', values, contentFormat: 110 });
    expect(device.asked[0]).toMatchObject({ line: 'PUT /16/0/0/1', contentFormat: 110 });
    expect(text(device.asked[0]?.payload)).toBe('[{"bn":"/16/0/0/1","vs":"x"}]');
  });

  it.each([
    [110, Buffer.from('[{"bn":"/3/0/","n":"14","vs":"U"}]').toString('hex')],
    [112, '81a321652f332f302f00623134036155'],
  ])('sends an instance with its path as base name in SenML: %i', async (contentFormat, payload) => {
    const { device, perform } = await registered(changed);
    const values = [{ path: path('/3/0/14'), value: string('U') }];
    await perform({ kind: 'write', path: path('/3/0'), mode: 'replace', values, contentFormat });
    expect(device.asked[0]).toMatchObject({ line: 'PUT /3/0', contentFormat });
    expect(hex(device.asked[0]?.payload)).toBe(payload);
  });

  it('LightweightM2M-1.1-int-755: sends a firmware package as octets, without passing it to the handler', async () => {
    const { device, handlers, perform } = await registered(changed);
    const values = [{ path: path('/5/0/0'), value: opaque(1, 2, 3) }];
    await perform({ kind: 'write', path: path('/5/0/0'), mode: 'replace', values });
    expect(device.asked[0]).toMatchObject({ line: 'PUT /5/0/0', contentFormat: 42 });
    expect(handlers.values).toEqual([]);
  });

  it('sends an empty text in a format with a payload: a PUT without one is a Write-Attributes', async () => {
    const { device, perform } = await registered(changed);
    const values = [{ path: path('/5/0/1'), value: string('') }];
    await perform({ kind: 'write', path: path('/5/0/1'), mode: 'replace', values });
    expect(device.asked[0]).toMatchObject({ contentFormat: 11542 });
    expect(hex(device.asked[0]?.payload)).toBe('c001');
  });

  it('replaces a multiple resource and its other instances', async () => {
    const { device, handlers, perform } = await registered(changed);
    const values = [0, 1].map((id) => ({ path: path(`/16/0/0/${id}`), value: string(`v${id}`) }));
    await perform({ kind: 'write', path: path('/16/0/0'), mode: 'replace', values });
    expect(hex(device.asked[0]?.payload)).toBe('8800084200763042017631');
    expect(handlers.batches[0]?.scope.map(String)).toEqual(['/16/0/0']);
  });

  it.each([
    ['4.05', codes.methodNotAllowed],
    ['4.00', codes.badRequest],
  ])('LightweightM2M-1.1-int-256: passes nothing to the handler when the device answers %s', async (code, answer) => {
    const { handlers, perform } = await registered(() => ({ code: answer }));
    const values = [{ path: path('/1/0/0'), value: integer(9) }];
    const result = await perform({ kind: 'write', path: path('/1/0/0'), mode: 'replace', values });
    expect(result).toMatchObject({ ok: false, code });
    expect(handlers.batches).toEqual([]);
  });

  it('tries another format after 4.15', async () => {
    const { device, perform } = await registered(({ contentFormat }) => ({
      code: contentFormat === 112 ? codes.changed : codes.unsupportedContentFormat,
    }));
    const values = [{ path: path('/1/0/1'), value: integer(60) }];
    const result = await perform({ kind: 'write', path: path('/1/0/1'), mode: 'replace', values }, { ms: 30 });
    expect(result.code).toBe('2.04');
    expect(device.asked.map(({ contentFormat }) => contentFormat)).toEqual([0, 11542, 112]);
  });

  it('LightweightM2M-1.1-int-230: writes several paths at once by iPATCH', async () => {
    const { device, handlers, perform } = await registered(changed);
    await perform({
      kind: 'write-composite',
      values: [
        { path: path('/1/0/1'), value: integer(60) },
        { path: path('/3/0/14'), value: string('+01:00') },
      ],
      contentFormat: 110,
    });
    expect(device.asked[0]).toMatchObject({ line: 'iPATCH /', contentFormat: 110 });
    expect(handlers.values).toEqual(['/1/0/1=60', '/3/0/14=+01:00']);
  });

  it('deletes a resource instance of a 1.2 device by null in ETCH', async () => {
    const { device, handlers, perform } = await registered(changed, V12);
    await perform({ kind: 'write-composite', values: [{ path: path('/34/0/1/0'), value: null }] });
    expect(device.asked[0]?.contentFormat).toBe(322);
    expect(hex(device.asked[0]?.payload)).toBe('81a200692f33342f302f312f3002f6');
    expect(handlers.batches).toMatchObject([{ scope: [path('/34/0/1/0')], decoded: { readings: [] } }]);
  });
});

describe('Execute, Create, Delete, Discover and Write-Attributes', () => {
  it('executes without and with arguments', async () => {
    const { device, perform, handlers } = await registered(() => ({ code: codes.changed }));
    await perform({ kind: 'execute', path: path('/3/0/4'), arguments: {} });
    await perform({ kind: 'execute', path: path('/1/0/8'), arguments: { 0: 'U', 1: null } });
    expect(device.asked.map(({ line, contentFormat, payload }) => [line, contentFormat, text(payload)])).toEqual([
      ['POST /3/0/4', null, ''],
      ['POST /1/0/8', 0, "0='U',1"],
    ]);
    expect(handlers.batches).toEqual([]);
  });

  it('LightweightM2M-1.1-int-1630: creates an instance with the id that the caller gives', async () => {
    const { device, handlers, perform } = await registered(() => ({ code: codes.created }));
    const values = [{ resource: [0, 0], value: string('id') }];
    const result = await perform({ kind: 'create', objectId: 16, instanceId: 3, values });
    expect(device.asked[0]).toMatchObject({ line: 'POST /16', contentFormat: 11542 });
    expect(hex(device.asked[0]?.payload)).toBe('0603840042006964');
    expect(result).toMatchObject({ ok: true, code: '2.01', createdInstanceId: 3 });
    expect(handlers.batches[0]?.scope.map(String)).toEqual(['/16/3']);
    expect(handlers.values).toEqual(['/16/3/0/0=id']);
  });

  it('creates an instance in SenML with the path of the object as base name', async () => {
    const { device, perform } = await registered(() => ({ code: codes.created }), DEV1, '</>;ct=110,</16>');
    const values = [{ resource: [0, 0], value: string('id') }];
    await perform({ kind: 'create', objectId: 16, instanceId: 3, values });
    expect(device.asked[0]).toMatchObject({ line: 'POST /16', contentFormat: 110 });
    expect(text(device.asked[0]?.payload)).toBe('[{"bn":"/16/","n":"3/0/0","vs":"id"}]');
  });

  it.each([null, 3])(
    'creates an instance without values in TLV, although the device prefers LwM2M CBOR: id %s',
    async (id) => {
      const { device, perform } = await registered(() => ({ code: codes.created }), V12, '</>;ct="11544 11542",</16>');
      await perform({ kind: 'create', objectId: 16, instanceId: id, values: [] });
      // An empty map of LwM2M CBOR is refused by Anjay 1.2.
      expect(device.asked[0]).toMatchObject({ line: 'POST /16', contentFormat: 11542 });
      expect(hex(device.asked[0]?.payload)).toBe(id === null ? '' : '0003');
    },
  );

  it('empties a multiple resource in TLV', async () => {
    const { device, perform } = await registered(changed, V12, '</>;ct="11544 11542",</16/0>');
    await perform({ kind: 'write', path: path('/16/0/0'), mode: 'replace', values: [] });
    expect(device.asked[0]).toMatchObject({ line: 'PUT /16/0/0', contentFormat: 11542 });
    expect(hex(device.asked[0]?.payload)).toBe('8000');
  });

  it('reads the id that a device chose from the Location-Path', async () => {
    const { device, handlers, perform } = await registered(
      () => ({ code: codes.created, locationPath: ['16', '7'] }),
      DEV1,
      '</>;ct=112,</16>',
    );
    const values = [{ resource: [0, 0], value: string('id') }];
    const result = await perform({ kind: 'create', objectId: 16, instanceId: null, values });
    // SenML can't omit the instance id.
    expect(device.asked[0]?.contentFormat).toBe(11542);
    expect(result.createdInstanceId).toBe(7);
    expect(handlers.values).toEqual(['/16/7/0/0=id']);
  });

  it('LightweightM2M-1.1-int-1635: deletes an instance and its known values', async () => {
    const { device, handlers, perform } = await registered(() => ({ code: codes.deleted }));
    expect(await perform({ kind: 'delete', path: path('/16/0') })).toMatchObject({ ok: true, code: '2.02' });
    expect(device.asked[0]?.line).toBe('DELETE /16/0');
    expect(handlers.batches).toMatchObject([
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
