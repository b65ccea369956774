import { describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { ContentFormat, Path } from '../../../src/lwm2m/index.ts';
import { DEV1 } from '../lwm2m-world.ts';
import { path, integer, string, text, registered, V10, V12, content } from './operation-world.ts';

describe('Read', () => {
  it('LightweightM2M-1.1-int-203: requests TLV from a device that announces no format, and passes the readings to the handler', async () => {
    const { device, handlers, perform } = await registered(() =>
      content('/3/0', ContentFormat.tlv, ['/3/0/0', string('ACME')], ['/3/0/9', integer(95)]),
    );
    const result = await perform({ kind: 'read', path: path('/3/0') });
    expect(device.asked.map(({ line, accept }) => [line, accept])).toEqual([['GET /3/0', ContentFormat.tlv]]);
    expect(result).toMatchObject({ ok: true, code: '2.05', contentFormat: ContentFormat.tlv, message: null });
    expect(result.decoded?.readings.map(String)).toHaveLength(2);
    expect(handlers.values).toEqual(['/3/0/0=ACME', '/3/0/9=95']);
    expect(handlers.batches[0]).toMatchObject({ origin: 'READ', scope: [path('/3/0')] });
  });

  it.each([
    ['LightweightM2M-1.1-int-232', DEV1, '</>;ct="110 112"', ContentFormat.senmlCbor],
    ['LightweightM2M-1.1-int-231', DEV1, '</>;ct=110', ContentFormat.senmlJson],
    ['1.0', V10, '</>;rt="oma.lwm2m"', ContentFormat.tlv],
    ['1.2', V12, '</>;ct="60 112 11544"', ContentFormat.lwm2mCbor],
    ['1.2 without ct', V12, '</>', ContentFormat.senmlCbor],
    ['1.1 that announces TLV by its old number', DEV1, '</>;ct=1542', ContentFormat.tlv],
  ])('%s: requests the best format that the device announces', async (_id, query, root, accept) => {
    const { device, perform } = await registered(() => ({ code: codes.notFound }), query, `${root},</3/0>`);
    await perform({ kind: 'read', path: path('/3/0/0') });
    expect(device.asked[0]?.accept).toBe(accept);
  });

  it.each([
    ['LightweightM2M-1.1-int-201', ContentFormat.text, '/3/0/0'],
    ['LightweightM2M-1.1-int-211', ContentFormat.cbor, '/3/0/0'],
    ['LightweightM2M-1.1-int-204', ContentFormat.lwm2mJson, '/3/0/0'],
    ['LightweightM2M-1.1-int-225', ContentFormat.senmlJson, '/3/0/6/1'],
  ])('%s: requests the format of the caller (%i)', async (_id, contentFormat, place) => {
    const value = place === '/3/0/0' ? string('ACME') : integer(5);
    const { device, handlers, perform } = await registered(() => content(place, contentFormat, [place, value]));
    await perform({ kind: 'read', path: path(place), contentFormat });
    expect(device.asked.map(({ line, accept }) => [line, accept])).toEqual([[`GET ${place}`, contentFormat]]);
    expect(handlers.values).toEqual([`${place}=${String(value.value)}`]);
  });

  it('LightweightM2M-1.1-int-237: sends no Accept and decodes any format', async () => {
    const { device, handlers, perform } = await registered(() =>
      content('/3', ContentFormat.senmlJson, ['/3/0/0', string('ACME')]),
    );
    await perform({ kind: 'read', path: path('/3'), contentFormat: null });
    expect(device.asked[0]?.accept).toBeNull();
    expect(handlers.values).toEqual(['/3/0/0=ACME']);
  });

  it('decodes by the Content-Format of the response, not by the Accept option', async () => {
    const { handlers, perform } = await registered(() => ({ code: codes.content, contentFormat: 0, payload: '42' }));
    await perform({ kind: 'read', path: path('/3/0/9') });
    expect(handlers.values).toEqual(['/3/0/9=42']);
  });

  it('decodes a response without a Content-Format by the Accept option', async () => {
    const { handlers, perform } = await registered(({ accept }) => {
      const { code, payload } = content('/3/0/9', accept ?? 0, ['/3/0/9', integer(7)]);
      return { code, payload };
    });
    await perform({ kind: 'read', path: path('/3/0/9') });
    expect(handlers.values).toEqual(['/3/0/9=7']);
  });

  it.each([codes.notAcceptable, codes.unsupportedContentFormat])(
    'tries another format after the code %i, and finally no Accept',
    async (refusal) => {
      const { device, handlers, perform } = await registered(({ accept }) =>
        accept === null ? { code: codes.content, contentFormat: 0, payload: '42' } : { code: refusal },
      );
      await perform({ kind: 'read', path: path('/3/0/9') }, { ms: 50 });
      expect(device.asked.map(({ accept }) => accept)).toEqual([11542, 112, 110, 0, null]);
      expect(handlers.values).toEqual(['/3/0/9=42']);
    },
  );

  it('tries no other format than that of the caller', async () => {
    const { device, perform } = await registered(() => ({ code: codes.notAcceptable }));
    const result = await perform({ kind: 'read', path: path('/3/0/9'), contentFormat: 60 }, { ms: 50 });
    expect(result).toMatchObject({ ok: false, code: '4.06' });
    expect(device.asked).toHaveLength(1);
  });

  it('resolves with the error response and its diagnostic message', async () => {
    const { perform, handlers } = await registered(() => ({ code: codes.unauthorized, payload: 'not\u0000allowed' }));
    const result = await perform({ kind: 'read', path: path('/0/0/0') });
    expect(result).toMatchObject({ ok: false, code: '4.01', message: 'not allowed', decoded: null });
    expect(handlers.batches).toEqual([]);
  });

  it('returns a diagnostic message only when it is text', async () => {
    const { perform } = await registered(() => ({ code: codes.badRequest, contentFormat: 257, payload: '\u00a2' }));
    const result = await perform({ kind: 'read', path: path('/3/0/0') });
    expect(result).toMatchObject({ ok: false, code: '4.00', message: null });
  });

  it('reads an empty response as an object without instances', async () => {
    const { perform, handlers } = await registered(() => ({ code: codes.content }));
    const result = await perform({ kind: 'read', path: path('/3303') });
    expect(result.decoded).toEqual({ readings: [], empty: [] });
    expect(handlers.batches[0]?.scope.map(String)).toEqual(['/3303']);
  });

  it('rejects with BAD_ANSWER and passes the undecodable payload to the handler', async () => {
    const { perform, handlers } = await registered(() => ({
      code: codes.content,
      contentFormat: 11542,
      payload: '\u00ff',
    }));
    await expect(perform({ kind: 'read', path: path('/3/0/9') })).rejects.toMatchObject({ code: 'BAD_ANSWER' });
    expect(handlers.undecoded).toMatchObject([{ path: '/3/0/9', origin: 'READ' }]);
  });

  it('sends the alternate path before the path', async () => {
    const { device, perform } = await registered(
      () => ({ code: codes.content, contentFormat: 110, payload: '[{"n":"/lwm2m/3/0/9","v":7}]' }),
      DEV1,
      '</lwm2m>;rt="oma.lwm2m";ct=110,</lwm2m/3/0>',
    );
    const result = await perform({ kind: 'read', path: path('/3/0/9') });
    expect(device.asked[0]?.line).toBe('GET /lwm2m/3/0/9');
    expect(result.decoded?.readings[0]?.path.toString()).toBe('/3/0/9');
  });

  it('sends the prefix of an end device in the path', async () => {
    const { device, perform } = await registered(() => ({ code: codes.notFound }));
    await perform({ kind: 'read', path: Path.parsePrefixed('/dev2/3/0') });
    expect(device.asked[0]?.line).toBe('GET /dev2/3/0');
  });
});

describe('Read-Composite', () => {
  it('LightweightM2M-1.1-int-280: sends the paths by FETCH and passes the values to the handler', async () => {
    const { device, handlers, perform } = await registered(() => ({
      code: codes.content,
      contentFormat: 110,
      payload: '[{"n":"/3/0/0","vs":"ACME"},{"n":"/1/0/1","v":300}]',
    }));
    const paths = [path('/3/0/0'), path('/1/0/1'), path('/9/9/9')];
    await perform({ kind: 'read-composite', paths, contentFormat: 110 });
    const [asked] = device.asked;
    expect(asked).toMatchObject({ line: 'FETCH /', accept: 110, contentFormat: 110 });
    expect(JSON.parse(text(asked?.payload))).toEqual([{ n: '/3/0/0' }, { n: '/1/0/1' }, { n: '/9/9/9' }]);
    // LightweightM2M-1.1-int-281: the device omits a missing path; the scope shows that it does not exist.
    expect(handlers.values).toEqual(['/3/0/0=ACME', '/1/0/1=300']);
    expect(handlers.batches[0]?.scope).toEqual(paths);
  });

  it.each([
    [DEV1, '</>;ct=110', 110, 110],
    [DEV1, '</>', 112, 112],
    [V12, '</>;ct=11544', 112, 11544],
  ])('%j with %s sends the paths in %i and accepts %i', async (query, root, body, accept) => {
    const { device, perform } = await registered(() => ({ code: codes.badRequest }), query, `${root},</3/0>`);
    await perform({ kind: 'read-composite', paths: [path('/3/0'), path('/1')] });
    expect(device.asked[0]).toMatchObject({ contentFormat: body, accept });
  });
});
