import { describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { ContentFormat, decode, Path, registryModel } from '../../src/lwm2m/index.ts';
import type { SimulatedNetwork } from '../coap/network.ts';
import { answerAll, CONFIGURATION, except, links, toDiscover, values, world } from './bootstrap-world.ts';
import type { ScriptedDevice, ServerAnswer } from './scripted-device.ts';

describe('a Bootstrap-Pack-Request', () => {
  const PACK = { method: 'GET', path: '/bspack', query: ['ep=dev1'] } as const;

  async function packed(device: ScriptedDevice, network: SimulatedNetwork, withinMs = 100): Promise<ServerAnswer> {
    const messageId = device.send(PACK);
    await network.clock.advance(withinMs);
    return device.answerTo(messageId);
  }

  it('LightweightM2M-1.2-int-12 [scripted client, 1.2 over UDP] Bootstrap via Bootstrap-Pack-Request: is answered with the complete configuration in one payload', async () => {
    const { device, handlers, network, lines } = world();
    expect(await packed(device, network)).toMatchObject({ code: '2.05' });
    const payload = device.received.at(-1)?.payload ?? new Uint8Array();
    const { readings } = decode({
      contentFormat: ContentFormat.senmlCbor,
      path: Path.root,
      payload,
      model: registryModel(),
      now: 0,
    });
    expect(readings.map(({ path, value }) => [String(path), value])).toEqual([
      ['/0/1/0', 'coaps://lwm2m.example.com:5684'],
      ['/0/1/10', 1],
      ['/1/0/0', 1],
      ['/1/0/1', 300],
    ]);
    expect(handlers.requests).toMatchObject([{ endpoint: 'dev1', pack: true }]);
    expect(handlers.outcomes).toEqual([['b1', { finished: true, lwm2mVersion: '1.2' }]]);
    expect(handlers.steps).toMatchObject([
      { operation: 'DISCOVER', path: '/', code: '2.05' },
      { operation: 'PACK', path: '/bspack', code: '2.05', bytes: payload.length },
    ]);
    await network.clock.advance(100);
    expect(lines()).toEqual(['GET /']);
  });

  it('does not overwrite the bootstrap account, whichever Security instance it is', async () => {
    const { device, network } = world(except('GET /', links('</>;lwm2m=1.2,</0/1>,</0/0>;ssid=7')));
    expect(await packed(device, network)).toMatchObject({ code: '2.05' });
    expect(securityInstances(device)).toEqual(['/0/0']);
  });

  it.each([
    ['refuses Discover', { code: codes.notFound }, 0],
    ['resets Discover', 'reset', 0],
    ['does not answer Discover', null, 5_000],
  ] as const)(
    'is answered when the device %s, and assumes the bootstrap account at /0/0',
    async (_what, answer, ms) => {
      const { device, handlers, network } = world();
      device.onAsked = toDiscover(device, answer);
      expect(await packed(device, network, ms + 100)).toMatchObject({ code: '2.05' });
      expect(securityInstances(device)).toEqual(['/0/1']);
      expect(handlers.endings).toEqual(['b1 finished']);
    },
  );

  it('that comes during the Discover of the last one ends the last one', async () => {
    const { device, handlers, network } = world(except('GET /', null));
    const first = device.send(PACK);
    await network.clock.advance(1_000);
    device.onAsked = answerAll;
    expect(await packed(device, network)).toMatchObject({ code: '2.05' });
    expect(device.answerTo(first)).toMatchObject({ code: '5.03' });
    expect(handlers.endings).toEqual(['b1 DISCOVER /: the device started another bootstrap', 'b2 finished']);
  });

  it('ends when the server stops during its Discover', async () => {
    const { device, handlers, network, server } = world(except('GET /', null));
    const asked = device.send(PACK);
    await network.clock.advance(1_000);
    await server.stop();
    await network.clock.advance(100);
    expect(device.answerTo(asked)).toMatchObject({ code: '5.03' });
    expect(handlers.endings).toEqual(['b1 DISCOVER /: the server is stopping']);
  });

  it('is answered 5.00 and fails when no format can carry the configuration', async () => {
    const { device, handlers, network } = world();
    handlers.configuration = { ...CONFIGURATION, values: [...values, ...values] };
    expect(await packed(device, network)).toMatchObject({ code: '5.00' });
    expect(handlers.endings).toEqual([expect.stringContaining("b1 the configuration can't be encoded")]);
  });
});

/** The Security instances in the pack that the device received last. */
function securityInstances(device: ScriptedDevice): string[] {
  const payload = device.received.at(-1)?.payload ?? new Uint8Array();
  const format = { contentFormat: ContentFormat.senmlCbor, path: Path.root, model: registryModel(), now: 0 };
  const { readings } = decode({ ...format, payload });
  return [...new Set(readings.filter(({ path }) => path.objectId === 0).map(({ path }) => String(path.cut(2))))];
}
