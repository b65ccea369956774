import { describe, expect, it } from 'vitest';
import { codes } from '../../../src/coap/index.ts';
import { ContentFormat } from '../../../src/lwm2m/index.ts';
import { content, integer, path, registered, string } from './operation-world.ts';

describe('an answer that does not fit the request', () => {
  it.each([codes.valid, codes.changed])('is BAD_ANSWER when a Read is answered with the code %i', async (code) => {
    const { perform } = await registered(() => ({ code }));
    await expect(perform({ kind: 'read', path: path('/3/0/9') })).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      message: `the device answered 2.0${code & 31}, but only 2.05 Content answers this request`,
    });
  });

  it.each([
    ['/3/0/9', undefined],
    ['/3/0/9', ContentFormat.tlv],
    ['/3/0/9', ContentFormat.senmlCbor],
    ['/3/0/6/0', ContentFormat.tlv],
  ])('is BAD_ANSWER when %s has no payload in the format %s', async (place, contentFormat) => {
    const { perform } = await registered(() => ({ code: codes.content, ...(contentFormat && { contentFormat }) }));
    await expect(perform({ kind: 'read', path: path(place) })).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      message: expect.stringContaining(place),
    });
  });

  it('names the format that was assumed when it has no Content-Format', async () => {
    const { perform } = await registered(() => ({ code: codes.content, payload: '5 %' }));
    await expect(
      perform({ kind: 'read', path: path('/3/0/9'), contentFormat: ContentFormat.lwm2mCbor }),
    ).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      message: expect.stringContaining('no Content-Format; read as application/vnd.oma.lwm2m+cbor'),
    });
  });
});

describe('paths outside of the request', () => {
  it.each([
    ContentFormat.tlv,
    ContentFormat.senmlJson,
    ContentFormat.senmlCbor,
    ContentFormat.lwm2mCbor,
    ContentFormat.lwm2mJson,
  ])('are set aside with the reason in the format %i, and paths inside count', async (format) => {
    const { handlers, perform } = await registered(() => ({
      ...content('/3/0', format, ['/3/0/8', integer(1)], ['/3/0/9', integer(80)]),
    }));
    const result = await perform({ kind: 'read', path: path('/3/0/9') });
    expect(handlers.values).toEqual(['/3/0/9=80']);
    expect(result.decoded?.outside?.map(({ path: at, reason }) => `${at}: ${reason}`)).toEqual([
      '/3/0/8: not at or below /3/0/9, which was requested',
    ]);
    expect(handlers.undecoded).toMatchObject([{ path: '/3/0/8', origin: 'READ' }]);
  });

  it('are set aside in a composite Read', async () => {
    const { handlers, perform } = await registered(() =>
      content('/', ContentFormat.senmlJson, ['/3/0/9', integer(80)], ['/3/0/0', string('x')]),
    );
    await perform({ kind: 'read-composite', paths: [path('/3/0/9'), path('/3/0/1')] });
    expect(handlers.values).toEqual(['/3/0/9=80']);
  });

  it('are not the answer when there is nothing else', async () => {
    const { perform } = await registered(() => content('/3/0', ContentFormat.tlv, ['/3/0/8', integer(1)]));
    await expect(perform({ kind: 'read', path: path('/3/0/9') })).rejects.toMatchObject({
      code: 'BAD_ANSWER',
      message: expect.stringContaining('no value for /3/0/9; it has /3/0/8'),
    });
  });
});
