import { describe, expect, it } from 'vitest';
import { codes } from '../../src/coap/index.ts';
import { createLwm2mServer, Path, registryModel, type Lwm2mServer, type Registration } from '../../src/lwm2m/index.ts';
import { DEV1, world, type World } from './lwm2m-world.ts';
import { RecordingHandlers } from './recording-handlers.ts';
import { SERVER } from './scripted-device.ts';

const temperature = Path.parse('/3303/0/5700');

function text(payload: string) {
  return { code: codes.content, contentFormat: 0, payload };
}

/** Stops the server of a world and starts another at its address, with the stored state. */
async function restarted(before: World, away = 0): Promise<{ server: Lwm2mServer; handlers: RecordingHandlers }> {
  const { network, endpoint, advance } = before;
  const registrations = [before.server.registration('dev1')].flatMap((registration) =>
    registration ? [{ registration: structuredPeer(registration), model: registryModel() }] : [],
  );
  const observations = before.server.observations('dev1');
  await before.server.stop();
  const closed = endpoint.close();
  await advance(5_000 + away);
  await closed;
  const handlers = new RecordingHandlers();
  const server = createLwm2mServer({
    endpoints: [{ endpoint: network.endpoint(SERVER), transport: 'udp' }],
    handlers,
    clock: network.clock,
  });
  await server.start({ registrations, observations });
  return { server, handlers };
}

/** Copies the registration like a store: the peer becomes plain data. */
function structuredPeer(registration: Registration): Registration {
  const { key, address, port, security } = registration.peer;
  return { ...registration, peer: { key, address, port, security } };
}

describe('a restart', () => {
  it('restores the registration and the observation with its token, and reports the device as ready', async () => {
    const before = await world();
    const { device, advance } = before;
    await device.register(DEV1, '</3303/0>');
    device.onAsked = () => ({ ...text('21'), observe: 1 });
    await before.perform({ kind: 'observe', paths: [temperature] });
    const [asked] = device.asked;
    if (!asked) throw new Error('the server sent no request');
    const { server, handlers } = await restarted(before);
    expect(handlers.events).toEqual(['ready dev1 restart']);
    expect(server.observations('dev1')).toMatchObject([{ paths: [temperature] }]);
    const messageId = device.notify(asked, 2, text('22'));
    await advance(2);
    expect(device.acknowledgement(messageId)).toBe('ACK');
    expect(handlers.values).toEqual(['/3303/0/5700=22']);
    expect(await device.update()).toMatchObject({ code: '2.04' });
    device.asked.length = 0;
    const cancelled = server.perform('dev1', { kind: 'cancel-observation', paths: [temperature] });
    await advance(10);
    expect(await cancelled).toMatchObject({ ok: true });
    expect(device.asked[0]).toMatchObject({ observe: 1, token: asked.token });
  });

  it('gives a device whose lifetime has ended in the meantime the grace for an Update', async () => {
    const before = await world();
    await before.device.register(['ep=dev1', 'lt=60', 'lwm2m=1.1']);
    const { server } = await restarted(before, 3_600_000);
    await before.advance(90_000);
    expect(await before.device.update()).toMatchObject({ code: '2.04' });
    await before.advance(60_000 + 93_001);
    expect(server.registration('dev1')).toBeUndefined();
  });

  it('restores a queue-mode device as asleep when its awake window is over, and does not report it as ready', async () => {
    const before = await world();
    await before.device.register([...DEV1, 'Q']);
    const { server, handlers } = await restarted(before, 100_000);
    expect(server.isUnreachable('dev1')).toBe(true);
    expect(handlers.events).toEqual([]);
    await before.device.update();
    expect(handlers.events).toEqual(['updated dev1', 'dev1 woke', 'ready dev1 update']);
  });

  it('ends registrations of a transport that no endpoint has, and observations without a registration', async () => {
    const before = await world();
    await before.device.register(DEV1);
    const registration = before.server.registration('dev1');
    if (!registration) throw new Error('not registered');
    const handlers = new RecordingHandlers();
    const server = createLwm2mServer({ endpoints: [], handlers, clock: before.network.clock });
    const observation = {
      token: '0000000100000002',
      registrationId: registration.id,
      deviceKey: 'dev1',
      paths: [temperature],
      composite: false,
      contentFormat: null,
      startedAt: 0,
    };
    await server.start({ registrations: [{ registration, model: registryModel() }], observations: [observation] });
    expect(handlers.events).toEqual(['ended dev1 removed', 'not observing /3303/0/5700 registration-ended']);
  });
});

describe('stopping', () => {
  it('cancels operations, waits for running handlers, and expires no registration', async () => {
    const { device, server, handlers, advance } = await world();
    await device.register([...DEV1]);
    device.onAsked = () => null;
    const read = server.perform('dev1', { kind: 'read', path: temperature }).catch((error: unknown) => error);
    const stored = handlers.hold();
    device.send({ method: 'POST', path: '/dp', contentFormat: 110, payload: '[{"n":"/3/0/9","v":1}]' });
    await advance(10);
    let stopped = false;
    const stopping = (async () => {
      await server.stop();
      stopped = true;
    })();
    expect(await read).toMatchObject({ code: 'CANCELLED' });
    await advance(10);
    expect(stopped).toBe(false);
    stored();
    await stopping;
    expect(handlers.values).toEqual(['/3/0/9=1']);
    await expect(server.perform('dev1', { kind: 'read', path: temperature })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    expect(await device.update()).toMatchObject({ code: '5.03' });
    await advance(1_000_000);
    expect(handlers.events.at(-1)).toBe('ready dev1 register');
  });

  it('does not acknowledge notifications, so that the next run receives them', async () => {
    const { device, server, perform, handlers, advance } = await world();
    await device.register([...DEV1], '</3303/0>');
    device.onAsked = () => ({ ...text('21'), observe: 1 });
    await perform({ kind: 'observe', paths: [temperature] });
    const [asked] = device.asked;
    if (!asked) throw new Error('the server sent no request');
    await server.stop();
    const messageId = device.notify(asked, 2, text('22'));
    await advance(10);
    expect(device.acknowledgement(messageId)).toBeNull();
    expect(handlers.values).toEqual(['/3303/0/5700=21']);
  });
});
