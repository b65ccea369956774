import { describe, expect, it } from 'vitest';
import { codes, udpPeer, type Code } from '../../src/coap/index.ts';
import { ContentFormat, createBootstrapServer, decode, Path, registryModel } from '../../src/lwm2m/index.ts';
import { SimulatedNetwork } from '../coap/network.ts';
import {
  answerAll,
  except,
  links,
  onFault,
  RecordingBootstrapHandlers,
  STEPS,
  toDiscover,
  world,
} from './bootstrap-world.ts';
import { SERVER } from './scripted-device.ts';

const BEGIN = { method: 'POST', path: '/bs', query: ['ep=dev1'] } as const;

describe('a Bootstrap-Request', () => {
  it('LightweightM2M-1.1-int-0 [scripted client, 1.1 over UDP] Client Initiated Bootstrap: is answered 2.04, then discovers, deletes, writes, reads and finishes', async () => {
    const { device, network, handlers, lines } = world();
    expect(await device.request(BEGIN)).toMatchObject({ code: '2.04' });
    await network.clock.advance(100);
    expect(lines()).toEqual(STEPS);
    expect(handlers.outcomes).toEqual([['b1', { finished: true, lwm2mVersion: '1.1' }]]);
    expect(handlers.requests).toMatchObject([{ endpoint: 'dev1', pack: false, peer: { security: null } }]);
    expect(handlers.steps.map(({ operation, path, code }) => `${operation} ${path} ${code}`)).toEqual([
      'DISCOVER / 2.05',
      'DELETE /0 2.02',
      'DELETE /1 2.02',
      'WRITE /0/1 2.04',
      'WRITE /1/0 2.04',
      'READ /1 2.05',
      'READ /2 2.05',
      'FINISH /bs 2.04',
    ]);
  });

  it('LightweightM2M-1.1-int-4 [scripted client, 1.1 over UDP] Bootstrap Delete: writes around the bootstrap account, wherever the device keeps it', async () => {
    const { device, network, lines } = world(except('GET /', links('</>;lwm2m=1.1,</0/1>,</0/0>;ssid=7')));
    await device.request(BEGIN);
    await network.clock.advance(100);
    expect(lines()).toContain('PUT /0/0');
  });

  it.each([
    ['an error response to Discover', { code: codes.methodNotAllowed }],
    ['invalid links', links('</0')],
    ['the version outside of a link, as 1.0 devices write it', links('lwm2m=1.0,</0/0>')],
    ['a Reset', 'reset'],
  ] as const)('assumes the bootstrap account at /0/0 after %s', async (_what, answer) => {
    const { device, network, handlers, lines } = world();
    device.onAsked = toDiscover(device, answer);
    await device.request(BEGIN);
    await network.clock.advance(100);
    expect(lines()).toContain('PUT /0/1');
    expect(handlers.endings).toEqual(['b1 finished']);
  });

  it.each(['0', '65535'])(
    'finds a bootstrap account that the device lists with the short server id %s',
    async (ssid) => {
      const { device, network, lines } = world(
        except('GET /', links(`</>;lwm2m=1.1,</0/0>;ssid=7,</0/1>;ssid=${ssid}`)),
      );
      await device.request(BEGIN);
      await network.clock.advance(100);
      expect(lines()).toContain('PUT /0/0');
    },
  );

  it.each([
    [[], ContentFormat.tlv],
    [['pct=112'], ContentFormat.senmlCbor],
    [['pct=110'], ContentFormat.senmlJson],
    [['pct=11544'], ContentFormat.lwm2mCbor],
    [['pct=11542'], ContentFormat.tlv],
    [['pct=1542'], ContentFormat.tlv],
  ])('with the query %j writes in content format %d', async (query, contentFormat) => {
    const { device, network } = world();
    await device.request({ ...BEGIN, query: [...BEGIN.query, ...query] });
    await network.clock.advance(100);
    const write = device.asked.find(({ line }) => line === 'PUT /1/0');
    expect(write?.contentFormat).toBe(contentFormat);
    const { readings } = decode({
      contentFormat,
      path: Path.of(1, 0),
      payload: write?.payload ?? new Uint8Array(),
      model: registryModel(),
      now: 0,
    });
    expect(readings.map(({ path, value }) => [String(path), value])).toEqual([
      ['/1/0/0', 1],
      ['/1/0/1', 300],
    ]);
  });

  it('continues in TLV when the device refuses the format of its own pct', async () => {
    const { device, network, handlers } = world((asked) =>
      asked.contentFormat === ContentFormat.senmlCbor ? { code: codes.unsupportedContentFormat } : answerAll(asked),
    );
    await device.request({ ...BEGIN, query: ['ep=dev1', 'pct=112'] });
    await network.clock.advance(100);
    const writes = device.asked.filter(({ line }) => line.startsWith('PUT'));
    expect(writes.map(({ line, contentFormat }) => `${line} ${contentFormat}`)).toEqual([
      'PUT /0/1 112',
      'PUT /0/1 11542',
      'PUT /1/0 11542',
    ]);
    expect(handlers.endings).toEqual(['b1 finished']);
  });

  it.each([
    ['4.15', ['ep=dev1', 'pct=50']],
    ['4.15', ['ep=dev1', 'pct=x']],
    ['4.00', ['ep=']],
    ['4.00', ['ep=dev1', 'ep=dev2']],
  ])('is answered %s for %j', async (code, query) => {
    const { device, network, handlers } = world();
    expect(await device.request({ ...BEGIN, query })).toMatchObject({ code });
    await network.clock.advance(100);
    expect(device.asked).toEqual([]);
    expect(handlers.requests).toEqual([]);
  });

  it.each(['4.00', '4.03'] as const)('is answered %s with the reason when it is not admitted', async (code) => {
    const { device, network, handlers } = world();
    handlers.refusal = { admitted: false, code, reason: 'unknown endpoint' };
    expect(await device.request(BEGIN)).toMatchObject({ code, diagnostic: 'unknown endpoint' });
    await network.clock.advance(100);
    expect(device.asked).toEqual([]);
    expect(handlers.outcomes).toEqual([]);
  });

  it.each([
    ['GET', '/bs', '4.05'],
    ['POST', '/bspack', '4.05'],
    ['POST', '/rd', '4.04'],
    ['POST', '/bs/1', '4.04'],
  ] as const)('does not have the form %s %s, which is answered %s', async (method, path, code) => {
    const { device } = world();
    expect(await device.request({ ...BEGIN, method, path })).toMatchObject({ code });
  });
});

describe('a bootstrap that is interrupted', () => {
  const MINUTES = 5 * 60_000;

  it.each(STEPS)('by a missing response to %s fails, and the device can bootstrap again at once', async (line) => {
    const { device, network, handlers } = world(except(line, null));
    await device.request(BEGIN);
    await network.clock.advance(MINUTES);
    expect(handlers.outcomes).toMatchObject([
      ['b1', { finished: false, reason: expect.stringContaining(shown(line)) }],
    ]);
    expect(handlers.steps.at(-1)).toMatchObject({ code: null, message: expect.any(String) });
    device.onAsked = answerAll;
    await device.request(BEGIN);
    await network.clock.advance(100);
    expect(handlers.outcomes.at(-1)).toMatchObject(['b2', { finished: true }]);
  });

  it.each(STEPS.filter((line) => /^(PUT|DELETE|POST)/.test(line)))(
    'by a wrong answer to %s has failed with what the device said',
    async (line) => {
      const answer = { code: codes.internalServerError, payload: 'flash\nfull' };
      const { device, network, handlers } = world(except(line, answer));
      await device.request(BEGIN);
      await network.clock.advance(100);
      expect(handlers.outcomes).toMatchObject([
        ['b1', { finished: false, reason: expect.stringMatching(/5\.00.*flash full/) }],
      ]);
      expect(handlers.steps.at(-1)).toMatchObject({ code: '5.00', message: 'flash full' });
    },
  );

  it.each(STEPS)('by another Bootstrap-Request at %s starts again after the first has ended', async (line) => {
    const { device, network, handlers, lines } = world(except(line, null));
    await device.request(BEGIN);
    await network.clock.advance(200);
    const before = lines().length;
    device.onAsked = answerAll;
    expect(await device.request(BEGIN)).toMatchObject({ code: '2.04' });
    await network.clock.advance(MINUTES);
    expect(handlers.endings).toEqual([
      expect.stringContaining('b1 ' + handlers.steps.find(({ code }) => code === null)?.operation),
      'b2 finished',
    ]);
    expect(handlers.endings[0]).toContain('the device started another bootstrap');
    expect(lines().slice(before)).toEqual(STEPS);
  });

  it('by a stop of the server fails, and a new one is refused', async () => {
    const { device, network, handlers, server } = world(except('PUT /1/0', null));
    await device.request(BEGIN);
    await network.clock.advance(100);
    await server.stop();
    expect(handlers.endings).toEqual(['b1 WRITE /1/0: the server is stopping']);
    expect(await device.request(BEGIN)).toMatchObject({ code: '5.03' });
  });

  it('continues after an error response to a Read and after 4.04 to a Delete', async () => {
    const { device, network, handlers } = world(({ line, ...asked }) => {
      if (line === 'DELETE /0' || line === 'GET /2') return { code: codes.notFound };
      return answerAll({ line, ...asked });
    });
    await device.request(BEGIN);
    await network.clock.advance(100);
    expect(handlers.endings).toEqual(['b1 finished']);
  });

  it('LightweightM2M-1.1-int-9 [scripted client, 1.1 over UDP] Bootstrap and Configuration Consistency: after 4.06 to Finish repeats once and deletes everything first', async () => {
    let refusals = 1;
    const { device, network, handlers, lines } = world((asked) =>
      asked.line === 'POST /bs' && refusals-- > 0 ? { code: codes.notAcceptable, payload: 'no /1' } : answerAll(asked),
    );
    await device.request(BEGIN);
    await network.clock.advance(100);
    expect(lines()).toEqual([...STEPS, 'DELETE /', ...STEPS.slice(3)]);
    expect(handlers.endings).toEqual(['b1 finished']);
  });

  it('LightweightM2M-1.1-int-9 [scripted client, 1.1 over UDP] Bootstrap and Configuration Consistency: after 4.06 to the second Finish fails with the reason of the device', async () => {
    const { device, network, handlers, lines } = world(
      except('POST /bs', { code: codes.notAcceptable, payload: 'no /1' }),
    );
    await device.request(BEGIN);
    await network.clock.advance(100);
    expect(lines().filter((line) => line === 'POST /bs')).toHaveLength(2);
    expect(handlers.endings).toEqual(['b1 the device refused Finish with 4.06 twice: no /1']);
  });

  it('does not happen on a network that loses, repeats and reorders: each step runs once, in order', async () => {
    const network = new SimulatedNetwork({ loss: 0.3, duplication: 0.3, delayMs: [1, 400] }, 11);
    const handlers = new RecordingBootstrapHandlers();
    createBootstrapServer({ endpoints: [network.endpoint(SERVER)], handlers, clock: network.clock, onFault });
    const device = network.endpoint('192.0.2.9');
    const asked: string[] = [];
    device.onRequest(async ({ method, path }) => {
      const line = `${method} /${path.join('/')}`;
      asked.push(line);
      const code: Code = method === 'GET' ? codes.content : method === 'DELETE' ? codes.deleted : codes.changed;
      return { code };
    });
    const answered = device.request(udpPeer(SERVER, 5683), { method: 'POST', path: ['bs'], query: ['ep=dev1'] });
    await network.clock.advance(MINUTES);
    expect((await answered).code).toBe(codes.changed);
    expect(handlers.endings).toEqual(['b1 finished']);
    expect(asked).toEqual(STEPS);
  });
});

function shown(line: string): string {
  const [method = '', path = ''] = line.split(' ');
  const operations: Record<string, string> = { PUT: 'WRITE', DELETE: 'DELETE', POST: 'FINISH', GET: 'READ' };
  return `${line === 'GET /' ? 'DISCOVER' : operations[method]} ${path}`;
}
