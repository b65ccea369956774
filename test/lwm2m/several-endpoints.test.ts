import { describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { createLwm2mServer, Path } from '../../src/lwm2m/index.ts';
import { SimulatedNetwork } from '../coap/network.ts';
import { DEV1 } from './lwm2m-world.ts';
import { RecordingHandlers } from './recording-handlers.ts';
import { ScriptedDevice, SERVER } from './scripted-device.ts';

const temperature = Path.parse('/3303/0/5700');

function text(payload: string) {
  return { code: codes.content, contentFormat: 0, payload };
}

describe('with several endpoints', () => {
  const SECOND = '192.0.2.5';

  /** Observes a device over one endpoint, then lets it send an Update to the other. */
  async function observed(transport: 'udp' | 'tcp') {
    const network = new SimulatedNetwork();
    const handlers = new RecordingHandlers();
    const endpoints = [SERVER, SECOND].map((address) => ({ endpoint: network.endpoint(address), transport }));
    const server = createLwm2mServer({ endpoints, handlers, clock: network.clock });
    await server.start({ registrations: [], observations: [] });
    const before = new ScriptedDevice(network, '192.0.2.2');
    await before.register(DEV1, '</3303/0>');
    before.onAsked = () => ({ ...text('21'), observe: 1 });
    const begun = server.perform('dev1', { kind: 'observe', paths: [temperature] });
    await network.clock.advance(10);
    await begun;
    const [asked] = before.asked;
    if (!asked) throw new Error('the server sent no request');
    const after = new ScriptedDevice(network, '192.0.2.3', 100, SECOND);
    after.location = before.location;
    expect(await after.update()).toMatchObject({ code: '2.04' });
    return { network, handlers, server, asked, after };
  }

  it('moves the observations of a device from one to the other', async () => {
    const { network, handlers, server, asked, after } = await observed('udp');
    const messageId = after.notify(asked, 2, text('22'));
    await network.clock.advance(2);
    expect(after.acknowledgement(messageId)).toBe('ACK');
    expect(handlers.values).toEqual(['/3303/0/5700=21', '/3303/0/5700=22']);
    after.onAsked = () => text('23');
    const cancelled = server.perform('dev1', { kind: 'cancel-observation', paths: [temperature] });
    await network.clock.advance(10);
    expect(await cancelled).toMatchObject({ ok: true });
    expect(after.asked[0]).toMatchObject({ observe: 1, token: asked.token });
  });

  it('ends observations with their connection (RFC 8323 §7.4)', async () => {
    const { handlers, server } = await observed('tcp');
    expect(server.observations('dev1')).toEqual([]);
    expect(handlers.events).toContain('not observing /3303/0/5700 cancelled');
  });
});
