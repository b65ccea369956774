import { describe, expect, it } from 'vitest';
import { ContentFormat, encodePaths, Path } from '../../src/lwm2m/index.ts';
import { clock, device, float, log, measure, said, server, start } from './device-under-test.ts';

describe('notifications', () => {
  it('are sent for every change until the observation is cancelled', async () => {
    await start();
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    expect((await observation.next()).payload.toString()).toBe('21.5');
    measure(22);
    await clock.advance(0);
    expect((await observation.next()).payload.toString()).toBe('22');
    expect((await observation.cancel()).code).toBe('2.05');
    expect(device.observationCount).toBe(0);
  });

  it('wait for pmin and contain the value at that time', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3303/0/5700', query: 'pmin=10' });
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    await observation.next();
    measure(22);
    measure(23);
    await clock.advance(9_999);
    expect(log.filter((line) => line.startsWith('notify'))).toEqual([]);
    await clock.advance(1);
    expect((await observation.next()).payload.toString()).toBe('23');
  });

  it('are sent at pmax without a change', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3303/0', query: 'pmax=60' });
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    await observation.next();
    await clock.advance(60_000);
    expect((await observation.next()).payload.toString()).toBe('21.5');
  });

  it('are sent only when a threshold is crossed or a step is reached', async () => {
    await start();
    await server.ask({ method: 'PUT', path: '/3303/0/5700', query: 'gt=30&lt=10&st=5' });
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    await observation.next();
    measure(25);
    await clock.advance(0);
    measure(26.5);
    await clock.advance(0);
    expect((await observation.next()).payload.toString()).toBe('26.5');
    measure(30.5);
    await clock.advance(0);
    expect((await observation.next()).payload.toString()).toBe('30.5');
  });

  it('combine simultaneous changes in an instance', async () => {
    await start();
    const observation = server.observe({ path: '/3303/0', accept: ContentFormat.senmlJson });
    await observation.next();
    measure(30);
    device.tree.set(Path.parse('/3303/0/5602'), float(30));
    await clock.advance(0);
    const notified = said(await observation.next(), '/3303/0');
    expect(notified).toEqual(expect.arrayContaining(['/3303/0/5700: 30', '/3303/0/5602: 30']));
    expect(log.filter((line) => line.startsWith('notify'))).toHaveLength(1);
  });

  it('of an Observe-Composite contain all its paths', async () => {
    await start();
    const paths = ['/3303/0/5700', '/3/0/9'].map((path) => Path.parse(path));
    const observation = server.observe({
      method: 'FETCH',
      contentFormat: ContentFormat.senmlCbor,
      accept: ContentFormat.senmlCbor,
      payload: encodePaths(ContentFormat.senmlCbor, paths),
    });
    expect(said(await observation.next(), '/')).toEqual(['/3303/0/5700: 21.5', '/3/0/9: 90']);
    measure(19);
    await clock.advance(0);
    expect(said(await observation.next(), '/')).toEqual(['/3303/0/5700: 19', '/3/0/9: 90']);
  });

  it('end when the observed instance is deleted', async () => {
    await start();
    const observation = server.observe({ path: '/3303/0/5700', accept: ContentFormat.text });
    await observation.next();
    device.tree.remove(Path.parse('/3303/0'));
    await clock.advance(0);
    expect((await observation.next()).code).toBe('4.04');
    expect(device.observationCount).toBe(0);
  });

  it('use the attributes of an Observe since 1.2, which earlier versions refuse', async () => {
    await start({ lwm2m: '1.2' });
    const observation = server.observe({ path: '/3303/0/5700', query: 'pmin=5', accept: ContentFormat.text });
    await observation.next();
    measure(25);
    await clock.advance(4_999);
    expect(log.filter((line) => line.startsWith('notify'))).toEqual([]);
    await clock.advance(1);
    expect((await observation.next()).payload.toString()).toBe('25');
    await device.vanish();
    await start({ lwm2m: '1.1' });
    const refused = server.observe({ path: '/3303/0/5700', query: 'pmin=5' });
    expect((await refused.next()).code).toBe('4.00');
  });

  it.each(['gt=1&lt=2', 'pmin=-1', 'epmin=9&epmax=3', 'colour=red', 'con=1'])(
    'refuses the attributes %s',
    async (query) => {
      await start();
      expect((await server.ask({ method: 'PUT', path: '/3303/0/5700', query })).code).toBe('4.00');
    },
  );
});
