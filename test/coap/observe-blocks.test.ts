import { describe, expect, it } from 'vitest';
import { blockOption, readBlock } from '../../src/coap/block.ts';
import { codes, type ObserveResult } from '../../src/coap/index.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { SERVER, DEVICE, block2, observe, etag, first, observing } from './observing.ts';
import { requestOf, text } from './reading.ts';

describe('a notification in blocks', () => {
  const whole = Buffer.from('0123456789abcdef'.repeat(3));

  /** The device serves the further blocks of `whole`, 16 bytes each. */
  function serving(device: ScriptedPeer, version = () => 1, body = () => whole) {
    device.onMessage = (message) => {
      if (message.type !== 'CON') return;
      const block = readBlock(requestOf(message).block2 ?? 0) ?? { number: 0, more: false, size: 16 };
      const payload = body().subarray(block.number * 16, block.number * 16 + 16);
      const served = { ...block, more: block.number * 16 + 16 < body().length };
      device.piggyback(message, {
        code: codes.content,
        options: [etag(version()), blockOption(block2, served)],
        payload,
      });
    };
  }

  it('is read by a GET without Observe under another token, delivered whole, then acknowledged', async () => {
    const { clock, device, heard, notify, observation } = await observing();
    serving(device);
    const messageId = notify('CON', '0123456789abcdef', first(11));
    await clock.advance(50);
    expect(heard).toEqual([whole.toString()]);
    expect(device.received.map(({ type }) => type)).toEqual(['CON', 'CON', 'ACK']);
    expect(device.received.at(-1)).toMatchObject({ type: 'ACK', messageId });
    for (const message of device.received.slice(0, 2)) {
      expect(requestOf(message)).toMatchObject({ observe: null, path: ['3303', '0', '5700'], accept: 112 });
      expect(message.token).not.toEqual(observation.token);
    }
  });

  it('is read again from the start when the representation changes during the transfer', async () => {
    const { clock, device, heard, notify } = await observing();
    const newer = Buffer.from('ABCDEFGHIJKLMNOP'.repeat(2));
    serving(
      device,
      () => 2,
      () => newer,
    );
    notify('CON', '0123456789abcdef', first(11));
    await clock.advance(100);
    expect(heard).toEqual([newer.toString()]);
  });

  it('is replaced by a newer one', async () => {
    const { clock, device, heard, notify, metrics } = await observing();
    const older = notify('CON', '0123456789abcdef', first(11));
    await clock.advance(100);
    const newer = notify('CON', 'short', [observe(12)]);
    await clock.advance(100);
    expect(heard).toEqual(['short']);
    const acknowledged = device.received.filter(({ type }) => type === 'ACK').map(({ messageId }) => messageId);
    expect(acknowledged.toSorted()).toEqual([older, newer]);
    expect(metrics()).toMatchObject({ operations: 0, bodyBytes: 0 });
  });

  it('is not acknowledged when the further blocks can not be read, so that the peer retransmits it', async () => {
    const { clock, device, heard, notify, metrics } = await observing();
    device.onMessage = (message) => message.type === 'CON' && device.sendEmpty('RST', message.messageId);
    notify('CON', '0123456789abcdef', first(11));
    await clock.advance(100);
    expect(heard).toEqual([]);
    expect(device.received.map(({ type }) => type)).toEqual(['CON']);
    serving(device);
    notify('CON', '0123456789abcdef', first(11));
    await clock.advance(100);
    expect(heard).toEqual([whole.toString()]);
    expect(metrics().observations).toBe(1);
  });

  it('may be the first response', async () => {
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    serving(device);
    const rest = device.onMessage;
    device.onMessage = (message) => {
      if (requestOf(message).observe !== 0) return rest(message);
      device.piggyback(message, { code: codes.content, options: first(5), payload: whole.subarray(0, 16) });
    };
    let result: ObserveResult | undefined;
    void endpoint
      .observe(device.peer, { method: 'GET', path: ['3'] }, async () => {})
      .then((value) => (result = value));
    await network.clock.advance(100);
    expect(text(result?.response.payload)).toBe(whole.toString());
    expect(result?.observation).not.toBeNull();
    expect(endpoint.metrics()).toMatchObject({ observations: 1, operations: 0 });
  });
});
