import { describe, expect, it } from 'vitest';
import { ContentFormat, Path } from '../../src/lwm2m/index.ts';
import { clock, device, float, log, server, start } from './device-under-test.ts';

describe('executing', () => {
  it('reboots: answers, is unreachable, and registers again without observations', async () => {
    await start();
    const observation = server.observe({ path: '/3303/0/5700' });
    await observation.next();
    const answer = await server.ask({ method: 'POST', path: '/3/0/4' });
    expect(answer.code).toBe('2.04');
    expect(log.at(-1)).toBe('execute /3/0/4 → 2.04');
    await clock.advance(1_000);
    await server.requests(2);
    expect(server.received[1]?.url).toContain('/rd?ep=urn:imei:1');
    expect(device.observationCount).toBe(0);
  });

  it('restores the factory values in a factory reset', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3/0/15', contentFormat: ContentFormat.text, payload: 'Asia/Tokyo' });
    await server.ask({ method: 'POST', path: '/3/0/5' });
    await clock.advance(1_000);
    await server.requests(2);
    expect((await server.ask({ path: '/3/0/15' })).payload.toString()).toBe('Etc/UTC');
  });

  it('resets the minimum and maximum measured values', async () => {
    await start();
    device.tree.set(Path.parse('/3303/0/5601'), float(-10));
    expect((await server.ask({ method: 'POST', path: '/3303/0/5605' })).code).toBe('2.04');
    expect(device.tree.value(Path.parse('/3303/0/5601'))).toEqual(float(21.5));
  });

  it('sends an Update when the trigger is executed', async () => {
    await start();
    await server.ask({ method: 'POST', path: '/1/0/8', payload: "0='U'" });
    await server.requests(2);
    expect(server.received[1]).toMatchObject({ method: 'POST', url: '/rd/1', payload: '' });
  });

  it('answers the Bootstrap-Request Trigger, and then bootstraps if it has a bootstrap server', async () => {
    let bootstraps = 0;
    await start({ bootstrap: () => bootstraps++ });
    expect((await server.ask({ method: 'POST', path: '/1/0/9' })).code).toBe('2.04');
    expect(bootstraps).toBe(0);
    await clock.advance(100);
    expect(bootstraps).toBe(1);
    const links = await server.ask({ path: '/1/0', accept: ContentFormat.linkFormat });
    expect(links.payload.toString()).toContain('</1/0/9>');
  });

  it('refuses the Bootstrap-Request Trigger without a bootstrap server', async () => {
    await start();
    expect((await server.ask({ method: 'POST', path: '/1/0/9' })).code).toBe('4.05');
  });

  it('de-registers for the disable timeout when Disable is executed', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/1/0/5', contentFormat: ContentFormat.text, payload: '30' });
    await server.ask({ method: 'POST', path: '/1/0/4' });
    await clock.advance(0);
    await server.requests(2);
    expect(server.received[1]?.method).toBe('DELETE');
    await clock.advance(30_000);
    await server.requests(3);
    expect(server.received[2]?.url).toContain('/rd?ep=');
  });

  it.each([
    ['arguments outside the grammar', '/3/0/4', 'now', '4.00'],
    ['an argument twice', '/3/0/4', '1,1', '4.00'],
    ['a resource that is not executable', '/3/0/9', '', '4.05'],
    ['a missing resource', '/3/0/999', '', '4.04'],
  ])('refuses %s', async (_what, path, payload, code) => {
    await start();
    expect((await server.ask({ method: 'POST', path, payload })).code).toBe(code);
  });
});
