import { describe, expect, it } from 'vitest';
import { ContentFormat, encode, encodeComposite, encodeNewInstance, Path } from '../../src/lwm2m/index.ts';
import { APPLICATION, TEMPERATURE, clock, device, float, server, start, text } from './device-under-test.ts';

describe('writing', () => {
  it('accepts a resource in text, TLV, CBOR and SenML', async () => {
    await start();
    const formats = [ContentFormat.text, ContentFormat.tlv, ContentFormat.cbor, ContentFormat.senmlJson];
    for (const contentFormat of formats) {
      const value = text(`by ${contentFormat}`);
      const payload = encode({ contentFormat, path: APPLICATION, values: [{ path: APPLICATION, value }] });
      const answer = await server.ask({ method: 'PUT', path: '/3303/0/5750', contentFormat, payload });
      expect(answer.code).toBe('2.04');
      expect(device.tree.value(APPLICATION)).toEqual(value);
    }
  });

  it('replaces or updates an instance', async () => {
    await start({ objects: [3442] });
    const instance = Path.parse('/3442/0');
    const contentFormat = ContentFormat.tlv;
    const payload = (id: number): Uint8Array => {
      const values = [{ path: instance.child(id), value: text(`value of ${id}`) }];
      return encode({ contentFormat, path: instance, values });
    };
    await server.ask({ method: 'POST', path: '/3442/0', contentFormat, payload: payload(110) });
    expect(device.tree.has(instance.child(120))).toBe(true);
    await server.ask({ method: 'PUT', path: '/3442/0', contentFormat, payload: payload(110) });
    expect(device.tree.has(instance.child(120))).toBe(false);
    expect(device.tree.value(instance.child(110))).toEqual(text('value of 110'));
  });

  it('writes all values of a Write or none', async () => {
    await start();
    const contentFormat = ContentFormat.senmlJson;
    const payload = encodeComposite(contentFormat, [
      { path: APPLICATION, value: text('cellar') },
      { path: TEMPERATURE, value: float(1) },
    ]);
    const composite = await server.ask({ method: 'iPATCH', contentFormat, payload });
    expect(composite.code).toBe('4.05');
    const instance = await server.ask({ method: 'POST', path: '/3303/0', contentFormat, payload });
    expect(instance.code).toBe('4.05');
    expect(device.tree.value(APPLICATION)).toEqual(text('room'));
  });

  it('writes several paths at once, and deletes resource instances in 1.2', async () => {
    await start({ lwm2m: '1.2', objects: [3303, 3442] });
    const instance = Path.parse('/3442/0/1110/0');
    const contentFormat = ContentFormat.senmlEtchCbor;
    const payload = encodeComposite(contentFormat, [
      { path: APPLICATION, value: text('cellar') },
      { path: instance, value: null },
    ]);
    expect((await server.ask({ method: 'iPATCH', contentFormat, payload })).code).toBe('2.04');
    expect(device.tree.value(APPLICATION)).toEqual(text('cellar'));
    expect(device.tree.has(instance)).toBe(false);
  });

  it.each([
    ['a read-only resource', '/3303/0/5700', ContentFormat.text, '1', '4.05'],
    ['an unknown resource', '/3303/0/9999', ContentFormat.text, '1', '4.04'],
    ['a value of another type', '/3/0/13', ContentFormat.text, 'noon', '4.00'],
    ['an unsupported format', '/3/0/15', 9999, 'x', '4.15'],
    ['an executable resource', '/3/0/4', ContentFormat.text, '1', '4.05'],
    ['a broken payload', '/3/0', ContentFormat.tlv, 'garbage', '4.00'],
  ])('refuses %s', async (_what, path, contentFormat, payload, code) => {
    await start();
    expect((await server.ask({ method: 'PUT', path, contentFormat, payload })).code).toBe(code);
  });

  it('sends an Update with a written lifetime', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/1/0/1', contentFormat: ContentFormat.text, payload: '40' });
    await clock.advance(0);
    await server.requests(2);
    expect(server.received[1]?.url).toBe('/rd/1?lt=40');
  });
});

describe('creating and deleting', () => {
  const contentFormat = ContentFormat.tlv;
  const values = [{ resource: [5750], value: text('attic') }];

  it('creates the named instance and sends an Update', async () => {
    await start();
    const payload = encodeNewInstance({ contentFormat, objectId: 3303, instanceId: 7, values });
    const answer = await server.ask({ method: 'POST', path: '/3303', contentFormat, payload });
    expect([answer.code, answer.location]).toEqual(['2.01', '3303/7']);
    expect(device.tree.value(Path.parse('/3303/7/5750'))).toEqual(text('attic'));
    await clock.advance(0);
    await server.requests(2);
    expect(server.received[1]?.payload).toContain('</3303/7>');
  });

  it.each([ContentFormat.tlv, ContentFormat.lwm2mCbor])(
    'chooses the id itself when none is named in %i',
    async (format) => {
      await start({ lwm2m: '1.2' });
      const payload = encodeNewInstance({ contentFormat: format, objectId: 3303, instanceId: null, values });
      const ask = { method: 'POST', path: '/3303', contentFormat: format, payload } as const;
      expect((await server.ask(ask)).location).toBe('3303/1');
      expect(device.tree.value(Path.parse('/3303/1/5750'))).toEqual(text('attic'));
    },
  );

  it('refuses an existing id', async () => {
    await start();
    const payload = encodeNewInstance({ contentFormat, objectId: 3303, instanceId: 0, values });
    expect((await server.ask({ method: 'POST', path: '/3303', contentFormat, payload })).code).toBe('4.00');
  });

  it('deletes an instance, but not of the Device object', async () => {
    await start();
    expect((await server.ask({ method: 'DELETE', path: '/3304/0' })).code).toBe('2.02');
    expect((await server.ask({ path: '/3304/0' })).code).toBe('4.04');
    expect((await server.ask({ path: '/3304', accept: contentFormat })).payload).toHaveLength(0);
    expect((await server.ask({ method: 'DELETE', path: '/3/0' })).code).toBe('4.05');
  });
});
