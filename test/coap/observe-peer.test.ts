import { describe, expect, it } from 'vitest';
import { codes, type Observation } from '../../src/coap/index.ts';
import { ScriptedPeer, SimulatedNetwork } from './network.ts';
import { SERVER, DEVICE, MOVED, observe, observing } from './observing.ts';
import { outcome, text } from './reading.ts';

describe('a device with a new address', () => {
  it('has its notifications rejected before movePeer, and delivered after it', async () => {
    const { network, clock, endpoint, device, heard, observation, metrics } = await observing();
    const moved = new ScriptedPeer(network, MOVED, SERVER);
    const notify = (messageId: number, type: 'CON' | 'NON' = 'CON') =>
      moved.send({
        type,
        code: codes.content,
        messageId,
        token: observation.token,
        options: [observe(messageId)],
        payload: Buffer.from('moved'),
      });
    notify(9, 'NON');
    await clock.advance(5);
    expect([moved.received, observation.rejected]).toEqual([[], false]);
    // RFC 7252 §4.2: a confirmable message gets an acknowledgement or a Reset.
    notify(10);
    await clock.advance(5);
    expect(moved.received.splice(0)).toMatchObject([{ type: 'RST', messageId: 10 }]);
    expect([heard, observation.rejected, metrics().dropped['strange peer']]).toEqual([[], true, 2]);
    endpoint.movePeer(device.peer, moved.peer);
    notify(11);
    await clock.advance(5);
    expect([heard, observation.rejected]).toEqual([['moved'], false]);
    expect(moved.received).toMatchObject([{ type: 'ACK', messageId: 11 }]);
    expect(observation.peer.key).toBe(moved.peer.key);
    const result = outcome(observation.cancel());
    moved.onMessage = (message) => moved.piggyback(message, { code: codes.content });
    await clock.advance(5);
    expect(result.code).toBe(codes.content);
  });

  it('gets the acknowledgement again for a notification that it repeats from its old address', async () => {
    const { network, clock, endpoint, device, observation } = await observing();
    const repeated = { type: 'CON', code: codes.content, messageId: 11, token: observation.token } as const;
    device.send({ ...repeated, options: [observe(11)] });
    await clock.advance(5);
    endpoint.movePeer(device.peer, new ScriptedPeer(network, MOVED, SERVER).peer);
    device.send({ ...repeated, options: [observe(11)] });
    await clock.advance(5);
    expect(device.received.map(({ type }) => type)).toEqual(['ACK', 'ACK']);
    expect(observation.rejected).toBe(false);
  });

  it('keeps its sent and waiting requests', async () => {
    const { network, clock, endpoint, device } = await observing();
    const results = ['a', 'b', 'c'].map((name) =>
      outcome(endpoint.request(device.peer, { method: 'GET', path: [name] })),
    );
    await clock.advance(5);
    expect(device.received).toHaveLength(1);
    const moved = new ScriptedPeer(network, MOVED, SERVER);
    moved.onMessage = (message) => moved.piggyback(message, { code: codes.content });
    endpoint.movePeer(device.peer, moved.peer);
    await clock.advance(5_000);
    expect(results).toEqual(results.map(() => expect.objectContaining({ code: codes.content })));
    expect(device.received).toHaveLength(1);
    const later = outcome(endpoint.request(moved.peer, { method: 'GET', path: ['d'] }));
    await clock.advance(10);
    expect(later.code).toBe(codes.content);
  });
});

describe('an observation of an earlier run', () => {
  it('continues under its token and can be cancelled', async () => {
    const earlier = await observing();
    const { token } = earlier.observation;
    const network = new SimulatedNetwork();
    const endpoint = network.endpoint(SERVER);
    const device = new ScriptedPeer(network, DEVICE, SERVER);
    const heard: string[] = [];
    // A request of this run may use the same slot.
    void endpoint.request(device.peer, { method: 'GET', path: ['x'] }).catch(() => {});
    const request = { method: 'GET', path: ['3303', '0', '5700'] } as const;
    const take = () =>
      endpoint.resumeObservation(device.peer, token, request, async ({ payload }) => void heard.push(text(payload)));
    const observation: Observation = take();
    expect(observation.token).toEqual(token);
    expect(take).toThrow(expect.objectContaining({ code: 'INVALID' }));
    device.send({
      type: 'CON',
      code: codes.content,
      messageId: 9,
      token,
      options: [observe(3)],
      payload: Buffer.from('on'),
    });
    await network.clock.advance(5);
    expect(heard).toEqual(['on']);
    expect(endpoint.metrics().observations).toBe(1);
    expect(device.received.at(-1)).toMatchObject({ type: 'ACK', messageId: 9 });
    observation.forget();
    expect(endpoint.metrics().observations).toBe(0);
  });
});
