import { describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { uintOption, optionNumbers } from '../../src/coap/option.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { DEVICE, SERVER } from './observing.ts';
import { text } from './reading.ts';

const TOKEN = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

function held(heldBytes = 1_000_000) {
  const network = new SimulatedNetwork();
  const endpoint = network.endpoint(SERVER, { held: true, limits: { heldBytes } });
  const device = new ScriptedPeer(network, DEVICE, SERVER);
  const notify = (messageId: number): void =>
    device.send({
      type: 'CON',
      code: codes.content,
      messageId,
      token: TOKEN,
      options: [uintOption(optionNumbers.observe, messageId)],
      payload: Buffer.from(`n${messageId}`),
    });
  return { network, endpoint, device, notify };
}

describe('an endpoint that is not open', () => {
  it('answers nothing, and then takes what arrived in its order', async () => {
    const { network, endpoint, device, notify } = held();
    device.send({ type: 'CON', code: 0, messageId: 50, token: new Uint8Array() });
    notify(51);
    notify(52);
    await network.clock.advance(1_000);
    expect(device.received).toEqual([]);
    const heard: string[] = [];
    endpoint.resumeObservation(device.peer, TOKEN, { method: 'GET', path: ['3'] }, async ({ payload }) => {
      heard.push(text(payload));
    });
    endpoint.open();
    await network.clock.advance(10);
    expect(heard).toEqual(['n51', 'n52']);
    expect(device.received).toMatchObject([
      { type: 'RST', messageId: 50 },
      { type: 'ACK', messageId: 51 },
      { type: 'ACK', messageId: 52 },
    ]);
    notify(53);
    await network.clock.advance(10);
    expect(heard.at(-1)).toBe('n53');
  });

  it('drops what does not fit into its limit, and counts it', async () => {
    const { network, endpoint, device, notify } = held(2_000);
    for (let messageId = 1; messageId <= 5; messageId++) notify(messageId);
    await network.clock.advance(10);
    endpoint.open();
    await network.clock.advance(10);
    expect(device.received.map(({ messageId }) => messageId)).toEqual([1, 2, 3]);
    expect(endpoint.metrics()).toMatchObject({ received: 5, dropped: { full: 2, unmatched: 3 } });
  });
});
