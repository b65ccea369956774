import { describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { createLwm2mServer, Path, type RestoredState } from '../../src/lwm2m/index.ts';
import { SimulatedNetwork } from '../coap/network.ts';
import { DEV1 } from './lwm2m-world.ts';
import { RecordingHandlers } from './recording-handlers.ts';
import { ScriptedDevice, SERVER } from './scripted-device.ts';

const temperature = Path.parse('/3303/0/5700');

/** A server over connections that the test ends. */
async function connected(
  kind: 'tcp' | 'tls' | 'dtls' = 'tcp',
  restored: RestoredState = { registrations: [], observations: [] },
) {
  const network = new SimulatedNetwork();
  const transport = network.transport(SERVER);
  const endpoint = network.endpoint(SERVER, { transport });
  const handlers = new RecordingHandlers();
  const server = createLwm2mServer({ endpoints: [{ endpoint, transport: kind }], handlers, clock: network.clock });
  await server.start(restored);
  const device = new ScriptedDevice(network);
  device.onAsked = () => ({ code: codes.content, contentFormat: 0, payload: '21' });
  return { network, transport, handlers, server, device };
}

describe('when the connection of a device ends', () => {
  it.each(['tcp', 'dtls'] as const)('notes that at once, and asks the device after its Update: %s', async (kind) => {
    const { network, transport, handlers, server, device } = await connected(kind);
    await device.register(DEV1, '</3303/0>');
    transport.peerGone(device.peer);
    expect(handlers.events.at(-1)).toBe('disconnected dev1');
    expect(server.isUnreachable('dev1')).toBe(true);
    const read = { kind: 'read', path: temperature } as const;
    await expect(server.perform('dev1', read)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    expect(device.asked).toEqual([]);

    device.move('192.0.2.3');
    expect(await device.update()).toMatchObject({ code: '2.04' });
    expect(server.isUnreachable('dev1')).toBe(false);
    const again = server.perform('dev1', read);
    await network.clock.advance(10);
    expect(await again).toMatchObject({ ok: true });
    expect(device.asked.map(({ line }) => line)).toEqual(['GET /3303/0/5700']);
  });

  it('sends nothing, and says so, when only the transport knows it', async () => {
    const { network, transport, server, device } = await connected('dtls');
    await device.register(DEV1, '</3303/0>');
    transport.endsSilently(device.peer);
    const progress: string[] = [];
    const read = server.perform(
      'dev1',
      { kind: 'read', path: temperature },
      { onSent: () => void progress.push('sent') },
    );
    await expect(read).rejects.toMatchObject({ code: 'UNREACHABLE' });
    await network.clock.advance(300_000);
    expect(progress).toEqual([]);
  });

  it('ends a request that was sent at once', async () => {
    const { network, transport, server, device } = await connected('dtls');
    await device.register(DEV1, '</3303/0>');
    device.onAsked = () => null;
    const read = server.perform('dev1', { kind: 'read', path: temperature });
    const ended = expect(read).rejects.toMatchObject({ code: 'DISCONNECTED' });
    await network.clock.advance(100);
    transport.peerGone(device.peer);
    await ended;
  });

  it.each(['tcp', 'dtls'] as const)('takes a queue-mode device for asleep: %s', async (kind) => {
    const { transport, handlers, device } = await connected(kind);
    await device.register([...DEV1, 'Q'], '</3303/0>');
    transport.peerGone(device.peer);
    expect(handlers.events.at(-1)).toBe('dev1 sleeps');
    expect(handlers.events).not.toContain('disconnected dev1');
  });

  it('ignores the end of the former connection of a device that has a new one', async () => {
    const { transport, handlers, server, device } = await connected();
    await device.register(DEV1, '</3303/0>');
    const { peer } = device;
    device.move('192.0.2.3');
    await device.update();
    transport.peerGone(peer);
    expect(handlers.events).not.toContain('disconnected dev1');
    expect(server.isUnreachable('dev1')).toBe(false);
  });

  it('notes it for the registrations of the run before a restart', async () => {
    const { server, device } = await connected();
    await device.register(DEV1, '</3303/0>');
    const registration = server.registration('dev1');
    if (!registration) throw new Error('not registered');
    const model = await new RecordingHandlers().admit({ endpoint: 'dev1', lwm2mVersion: '1.1', peer: device.peer });
    if (!model.admitted) throw new Error('refused');
    const { handlers } = await connected('tcp', {
      registrations: [{ registration, model: model.model }],
      observations: [],
    });
    expect(handlers.events).toEqual(['disconnected dev1']);
  });
});
