import { describe, expect, it } from 'vitest';
import { parseLinks } from '../../src/lwm2m/index.ts';
import type { Lwm2mVersion } from '../../src/lwm2m/index.ts';
import { clock, device, server, start } from './device-under-test.ts';

describe('registration', () => {
  it('contains endpoint, lifetime, version, binding and objects', async () => {
    await start({ lifetime: 120 });
    const [register] = server.received;
    expect(register?.url).toBe('/rd?ep=urn:imei:1&lt=120&lwm2m=1.1&b=U');
    expect(parseLinks(register?.payload ?? '')).toEqual([
      { uri: '/', attributes: { rt: 'oma.lwm2m', ct: '60 110 112 11542' } },
      { uri: '/1/0', attributes: {} },
      { uri: '/3/0', attributes: {} },
      { uri: '/5/0', attributes: {} },
      { uri: '/3303', attributes: { ver: '1.1' } },
      { uri: '/3303/0', attributes: {} },
      { uri: '/3304', attributes: { ver: '1.1' } },
      { uri: '/3304/0', attributes: {} },
      { uri: '/3323', attributes: { ver: '1.1' } },
      { uri: '/3323/0', attributes: {} },
    ]);
    expect(device.location).toBe('/rd/1');
  });

  it.each<[Lwm2mVersion, string]>([
    ['1.0', '/rd?ep=urn:imei:1&lt=300&lwm2m=1.0&b=UQ'],
    ['1.1', '/rd?ep=urn:imei:1&lt=300&lwm2m=1.1&b=U&Q'],
    ['1.2', '/rd?ep=urn:imei:1&lt=300&lwm2m=1.2&b=U&Q'],
  ])('requests queue mode in the form of LwM2M %s', async (lwm2m, url) => {
    await start({ lwm2m, queue: true });
    expect(server.received[0]?.url).toBe(url);
  });

  it('is updated at half of its lifetime', async () => {
    await start({ lifetime: 60 });
    await clock.advance(29_999);
    expect(server.received).toHaveLength(1);
    await clock.advance(1);
    await server.requests(2);
    expect(server.received[1]).toMatchObject({ method: 'POST', url: '/rd/1', payload: '' });
  });

  it('is repeated when an Update is answered 4.04', async () => {
    await start({ lifetime: 60 });
    const accept = server.reply;
    server.reply = (request) => (request.url === '/rd/1' ? { code: '4.04' } : accept(request));
    await device.update();
    expect(server.received.map(({ url }) => url.split('?')[0])).toEqual(['/rd', '/rd/1', '/rd']);
  });

  it('is retried after a refusal, with longer waits', async () => {
    const accept = server.reply;
    server.reply = () => ({ code: '4.03' });
    await start();
    expect(device.location).toBeNull();
    await clock.advance(2_000);
    await server.requests(2);
    server.reply = accept;
    await clock.advance(4_000);
    await server.requests(3);
    await device.update();
    expect(device.location).toBe('/rd/1');
  });

  it('ends with a De-register when the device is stopped', async () => {
    await start();
    await device.stop();
    expect(server.received.at(-1)).toMatchObject({ method: 'DELETE', url: '/rd/1', payload: '' });
  });
});
