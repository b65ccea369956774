import { describe, expect, it } from 'vitest';
import { ContentFormat, encodePaths, parseLinks, Path } from '../../src/lwm2m/index.ts';
import { device, said, server, start, text } from './device-under-test.ts';

/** The paths in the response to a Discover of the Device object. */
async function discovered(query?: string): Promise<string[]> {
  const ask = { path: '/3', accept: ContentFormat.linkFormat, ...(query === undefined ? {} : { query }) };
  return parseLinks((await server.ask(ask)).payload.toString()).map(({ uri }) => uri);
}

describe('reading', () => {
  it.each([
    ['text', ContentFormat.text, '21.5'],
    ['CBOR', ContentFormat.cbor, ''],
    ['TLV', ContentFormat.tlv, ''],
    ['SenML JSON', ContentFormat.senmlJson, '[{"bn":"/3303/0/5700","v":21.5}]'],
    ['SenML CBOR', ContentFormat.senmlCbor, ''],
  ])('returns one resource in %s', async (_name, accept, literal) => {
    await start();
    const answer = await server.ask({ path: '/3303/0/5700', accept });
    expect([answer.code, answer.contentFormat]).toEqual(['2.05', accept]);
    expect(said(answer, '/3303/0/5700')).toEqual(['/3303/0/5700: 21.5']);
    if (literal !== '') expect(answer.payload.toString()).toBe(literal);
  });

  it('returns a multiple resource, an instance and an object', async () => {
    await start();
    const voltages = await server.ask({ path: '/3/0/7', accept: ContentFormat.tlv });
    expect(said(voltages, '/3/0/7')).toEqual(['/3/0/7/0: 3800', '/3/0/7/1: 5000']);
    const one = await server.ask({ path: '/3/0/7/1', accept: ContentFormat.text });
    expect(one.payload.toString()).toBe('5000');
    const instance = await server.ask({ path: '/3303/0', accept: ContentFormat.senmlJson });
    expect(said(instance, '/3303/0')).toContain('/3303/0/5701: Cel');
    const object = await server.ask({ path: '/3303', accept: ContentFormat.tlv });
    expect(said(object, '/3303')).toEqual(said(instance, '/3303/0'));
  });

  it('chooses text for a resource and SenML CBOR for higher levels without Accept', async () => {
    await start();
    expect((await server.ask({ path: '/3303/0/5700' })).contentFormat).toBe(ContentFormat.text);
    expect((await server.ask({ path: '/3303/0' })).contentFormat).toBe(ContentFormat.senmlCbor);
  });

  it('sends a long payload in blocks', async () => {
    await start({ objects: [3442] });
    device.tree.set(Path.parse('/3442/0/110'), text('x'.repeat(3000)));
    const answer = await server.ask({ path: '/3442/0/110', accept: ContentFormat.text });
    expect(answer.payload.toString()).toBe('x'.repeat(3000));
  });

  it.each([
    ['a missing object', '/3305', ContentFormat.tlv, '4.04'],
    ['a missing instance', '/3303/7', ContentFormat.tlv, '4.04'],
    ['a missing resource', '/3303/0/5699', ContentFormat.text, '4.04'],
    ['an executable resource', '/3/0/4', ContentFormat.text, '4.05'],
    ['a write-only resource', '/5/0/0', ContentFormat.opaque, '4.05'],
    ['Security', '/0/0', ContentFormat.tlv, '4.01'],
    ['an unsupported format', '/3/0/9', 9999, '4.06'],
    ['text for several values', '/3/0', ContentFormat.text, '4.06'],
    ['LwM2M CBOR before 1.2', '/3/0/9', ContentFormat.lwm2mCbor, '4.06'],
  ])('refuses %s', async (_what, path, accept, code) => {
    await start();
    expect((await server.ask({ path, accept })).code).toBe(code);
  });

  it('supports LwM2M CBOR in 1.2, and LwM2M JSON only in 1.0', async () => {
    await start({ lwm2m: '1.2' });
    const answer = await server.ask({ path: '/3/0/9', accept: ContentFormat.lwm2mCbor });
    expect(said(answer, '/3/0/9')).toEqual(['/3/0/9: 90']);
    expect((await server.ask({ path: '/3/0/9', accept: ContentFormat.lwm2mJson })).code).toBe('4.06');
    await device.vanish();
    await start({ lwm2m: '1.0' });
    const json = await server.ask({ path: '/3/0/9', accept: ContentFormat.lwm2mJson });
    expect(said(json, '/3/0/9')).toEqual(['/3/0/9: 90']);
  });

  it('reads several paths at once and omits missing ones', async () => {
    await start();
    const paths = ['/3303/0/5700', '/3/0/9', '/3/0/4', '/9999'].map((path) => Path.parse(path));
    const payload = encodePaths(ContentFormat.senmlCbor, paths);
    const ask = { method: 'FETCH', contentFormat: ContentFormat.senmlCbor, payload } as const;
    const answer = await server.ask({ ...ask, accept: ContentFormat.senmlJson });
    expect(said(answer, '/')).toEqual(['/3303/0/5700: 21.5', '/3/0/9: 90']);
    expect((await server.ask({ ...ask, accept: ContentFormat.tlv })).code).toBe('4.06');
  });
});

describe('discovering', () => {
  it('lists an instance with its executable resources, dimensions and attributes', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3/0/9', query: 'pmin=10&gt=50' });
    const answer = await server.ask({ path: '/3/0', accept: ContentFormat.linkFormat });
    const links = parseLinks(answer.payload.toString());
    expect(answer.contentFormat).toBe(ContentFormat.linkFormat);
    expect(links[0]).toEqual({ uri: '/3/0', attributes: {} });
    expect(links).toContainEqual({ uri: '/3/0/4', attributes: {} });
    expect(links).toContainEqual({ uri: '/3/0/7', attributes: { dim: '2' } });
    expect(links).toContainEqual({ uri: '/3/0/9', attributes: { pmin: '10', gt: '50' } });
  });

  it('lists as many levels as depth requests', async () => {
    await start({ lwm2m: '1.2' });
    expect(await discovered('depth=0')).toEqual(['/3']);
    expect(await discovered('depth=1')).toEqual(['/3', '/3/0']);
    expect(await discovered()).toContain('/3/0/7');
    expect(await discovered('depth=3')).toContain('/3/0/7/1');
  });
});
