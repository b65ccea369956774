import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codes, udpPeer, type Peer, type SecurityIdentity, type Transport } from '../../src/coap/index.ts';
import {
  createLwm2mServer,
  Lwm2mError,
  Path,
  registryModel,
  type Lwm2mServer,
  type Operation,
  type Registration,
} from '../../src/lwm2m/index.ts';
import { SimulatedNetwork } from '../coap/network.ts';
import { DEV1, world, type World } from './lwm2m-world.ts';
import { RecordingHandlers } from './recording-handlers.ts';
import { ScriptedDevice, SERVER } from './scripted-device.ts';

const temperature = Path.parse('/3303/0/5700');

function text(payload: string) {
  return { code: codes.content, contentFormat: 0, payload };
}

describe('a registration', () => {
  it('LightweightM2M-1.1-int-102: expires after its lifetime and the grace', async () => {
    const { device, server, handlers, advance } = await world();
    await device.register(['ep=dev1', 'lt=20', 'lwm2m=1.1']);
    await advance(20_000 + 92_000);
    expect(server.registration('dev1')).toBeDefined();
    await advance(2_000);
    expect(server.registration('dev1')).toBeUndefined();
    expect(handlers.told.at(-1)).toBe('ended dev1 expired');
    expect(await device.update()).toMatchObject({ code: '4.04' });
  });

  it('never expires with a lifetime of 0', async () => {
    const { device, server, advance } = await world();
    await device.register(['ep=dev1', 'lt=0', 'lwm2m=1.1']);
    await advance(10 * 365 * 86_400_000);
    expect(server.registration('dev1')).toBeDefined();
  });

  it('stands until the handlers has stored that it expired', async () => {
    const { device, server, handlers, faults, advance } = await world();
    await device.register(['ep=dev1', 'lt=20', 'lwm2m=1.1']);
    handlers.store = () => Promise.reject(new Error('the database is away'));
    await advance(120_000);
    expect(server.registration('dev1')).toBeDefined();
    expect(faults).toContain('ending an expired registration');
    handlers.store = async () => {};
    await advance(30_000);
    expect(server.registration('dev1')).toBeUndefined();
  });

  it('is kept by an Update that comes while its expiry waits', async () => {
    const { device, server, handlers, advance } = await world();
    await device.register(['ep=dev1', 'lt=20', 'lwm2m=1.1']);
    await advance(112_500);
    const stored = handlers.hold();
    const update = device.send({ method: 'POST', path: device.location });
    await advance(5_000);
    stored();
    await advance(100);
    expect(device.answerTo(update).code).toBe('2.04');
    expect(server.registration('dev1')).toBeDefined();
  });

  it('tells the handlers of each message of its device', async () => {
    const { device, handlers, perform } = await world();
    await device.register(DEV1);
    expect(handlers.heardAt).toHaveLength(1);
    await device.update();
    expect(handlers.heardAt).toHaveLength(2);
    await device.request({ method: 'POST', path: '/dp', contentFormat: 110, payload: 'nonsense' });
    expect(handlers.heardAt).toHaveLength(3);
    device.onAsked = () => text('1');
    await perform({ kind: 'read', path: temperature });
    expect(handlers.heardAt.length).toBeGreaterThan(3);
  });

  it('is answered even when the handlers’s listeners throw', async () => {
    const { device, handlers, faults, server } = await world();
    handlers.heard = () => {
      throw new Error('in a listener');
    };
    handlers.onReady = () => {
      throw new Error('in a listener');
    };
    expect(await device.register(DEV1)).toMatchObject({ code: '2.01' });
    expect(faults).toEqual(['telling that a device was heard', 'telling that a device is ready']);
    expect(server.registration('dev1')).toBeDefined();
  });
});

/** Ends the server of a world and starts another at its address, with what was stored. */
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

/** As a store keeps it: the peer is data. */
function structuredPeer(registration: Registration): Registration {
  const { key, address, port, security } = registration.peer;
  return { ...registration, peer: { key, address, port, security } };
}

interface SecureWorld {
  readonly server: Lwm2mServer;
  readonly handlers: RecordingHandlers;
  readonly network: SimulatedNetwork;
  /** Who sits at an address. */
  readonly identities: Map<string, SecurityIdentity | null>;
  device(address: string): ScriptedDevice;
}

const psk = (name: string): SecurityIdentity => ({ kind: 'psk', name, credential: `credential of ${name}` });

/** A server whose transport says who sits at which address, as DTLS does. */
async function secured(): Promise<SecureWorld> {
  const network = new SimulatedNetwork();
  const identities = new Map<string, SecurityIdentity | null>();
  const plain = network.transport(SERVER);
  const transport: Transport = {
    ...plain,
    kind: 'dtls',
    send: ({ address, port }, datagram) => plain.send(udpPeer(address, port), datagram),
    onDatagram: (receive) =>
      plain.onDatagram((peer: Peer, datagram) => {
        const { address, port } = peer;
        receive({ key: `session ${peer.key}`, address, port, security: identities.get(address) ?? null }, datagram);
      }),
  };
  const endpoint = network.endpoint(SERVER, { transport });
  const handlers = new RecordingHandlers();
  handlers.admission = async ({ endpoint: name, peer }) => ({
    admitted: true,
    deviceKey: name ?? peer.security?.name ?? 'nobody',
    endpoint: name ?? peer.security?.name ?? 'nobody',
    model: registryModel(),
  });
  const server = createLwm2mServer({ endpoints: [{ endpoint, transport: 'dtls' }], handlers, clock: network.clock });
  await server.start({ registrations: [], observations: [] });
  const device = (address: string): ScriptedDevice => new ScriptedDevice(network, address);
  return { server, handlers, network, identities, device };
}

describe('a restart', () => {
  it('finds the device registered and ready, and its observation running under its token', async () => {
    const before = await world();
    const { device, advance } = before;
    await device.register(DEV1, '</3303/0>');
    device.onAsked = () => ({ ...text('21'), observe: 1 });
    await before.perform({ kind: 'observe', paths: [temperature] });
    const [asked] = device.asked;
    if (!asked) throw new Error('nothing was asked');
    const { server, handlers } = await restarted(before);
    expect(handlers.told).toEqual(['ready dev1 restart']);
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

  it('gives a device whose lifetime ran out meanwhile the grace to update', async () => {
    const before = await world();
    await before.device.register(['ep=dev1', 'lt=60', 'lwm2m=1.1']);
    const { server } = await restarted(before, 3_600_000);
    await before.advance(90_000);
    expect(await before.device.update()).toMatchObject({ code: '2.04' });
    await before.advance(60_000 + 93_001);
    expect(server.registration('dev1')).toBeUndefined();
  });

  it('finds a queue-mode device asleep whose window is over, and does not call it ready', async () => {
    const before = await world();
    await before.device.register([...DEV1, 'Q']);
    const { server, handlers } = await restarted(before, 100_000);
    expect(server.isAsleep('dev1')).toBe(true);
    expect(handlers.told).toEqual([]);
    await before.device.update();
    expect(handlers.told).toEqual(['updated dev1', 'dev1 woke', 'ready dev1 update']);
  });

  it('ends registrations of a transport that is not served any more, and observations without a registration', async () => {
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
    expect(handlers.told).toEqual(['ended dev1 removed', 'not observing /3303/0/5700 registration-ended']);
  });
});

describe('stopping', () => {
  it('cancels what devices are asked, waits for what is being stored, and expires nobody', async () => {
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
    expect(handlers.told.at(-1)).toBe('ready dev1 register');
  });

  it('leaves notifications unacknowledged for the next run', async () => {
    const { device, server, perform, handlers, advance } = await world();
    await device.register([...DEV1], '</3303/0>');
    device.onAsked = () => ({ ...text('21'), observe: 1 });
    await perform({ kind: 'observe', paths: [temperature] });
    const [asked] = device.asked;
    if (!asked) throw new Error('nothing was asked');
    await server.stop();
    const messageId = device.notify(asked, 2, text('22'));
    await advance(10);
    expect(device.acknowledgement(messageId)).toBeNull();
    expect(handlers.values).toEqual(['/3303/0/5700=21']);
  });
});

describe('over sessions with an identity', () => {
  it('takes the endpoint from the identity when a device leaves it out', async () => {
    const { server, identities, device } = await secured();
    identities.set('192.0.2.2', psk('dev1'));
    expect(await device('192.0.2.2').register(['lt=300', 'lwm2m=1.1'])).toMatchObject({ code: '2.01' });
    expect(server.registration('dev1')).toMatchObject({ endpoint: 'dev1', peer: { security: psk('dev1') } });
  });

  it('takes an Update and a De-register from a new session of the same identity', async () => {
    const { server, handlers, identities, device } = await secured();
    identities.set('192.0.2.2', psk('dev1')).set('192.0.2.3', psk('dev1'));
    const dev1 = device('192.0.2.2');
    await dev1.register(DEV1);
    dev1.move('192.0.2.3');
    expect(await dev1.update()).toMatchObject({ code: '2.04' });
    expect(handlers.told.at(-2)).toBe('updated dev1 moved');
    expect(await dev1.request({ method: 'DELETE', path: dev1.location })).toMatchObject({ code: '2.02' });
    expect(server.registration('dev1')).toBeUndefined();
  });

  it.each([
    ['another identity', psk('dev2')],
    ['another credential of that name', { ...psk('dev1'), credential: 'other' }],
    ['no identity', null],
  ])('answers 4.00 to an Update and a De-register with %s', async (_name, identity) => {
    const { server, identities, device } = await secured();
    identities.set('192.0.2.2', psk('dev1')).set('192.0.2.66', identity);
    const dev1 = device('192.0.2.2');
    await dev1.register(DEV1);
    const before = server.registration('dev1');
    const thief = device('192.0.2.66');
    expect(await thief.request({ method: 'POST', path: dev1.location, query: ['lt=1'] })).toMatchObject({
      code: '4.00',
    });
    expect(await thief.request({ method: 'DELETE', path: dev1.location })).toMatchObject({ code: '4.00' });
    expect(server.registration('dev1')).toBe(before);
  });
});

describe('with several endpoints', () => {
  const SECOND = '192.0.2.5';

  /** A device that is observed over one endpoint, and the same device as it comes to the other. */
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
    if (!asked) throw new Error('nothing was asked');
    const after = new ScriptedDevice(network, '192.0.2.3', 100, SECOND);
    after.location = before.location;
    expect(await after.update()).toMatchObject({ code: '2.04' });
    return { network, handlers, server, asked, after };
  }

  it('takes a device’s observations along from one to the other', async () => {
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

  it('ends observations with the connection they were asked over (RFC 8323 §7.4)', async () => {
    const { handlers, server } = await observed('tcp');
    expect(server.observations('dev1')).toEqual([]);
    expect(handlers.told).toContain('not observing /3303/0/5700 cancelled');
  });
});

describe('whatever a device answers', () => {
  it('is a result, or a Lwm2mError', async () => {
    const { device, handlers, perform, faults } = await world();
    await device.register(['ep=dev1', 'lt=0', 'lwm2m=1.1'], '</3/0>,</3303/0>');
    const answer = fc.record({
      code: fc.oneof(fc.constantFrom(69, 69, 69, 65, 67, 68, 132, 160), fc.integer({ min: 64, max: 191 })),
      contentFormat: fc.option(fc.constantFrom(0, 40, 42, 60, 110, 112, 1542, 11542, 11543, 11544, 65535), {
        nil: undefined,
      }),
      payload: fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constantFrom('21.5', '[{"n":"/3/0/9","v":1}]', '</3/0>')),
      locationPath: fc.array(fc.constantFrom('3303', '0', '99999', 'x'), { maxLength: 3 }),
      observe: fc.option(fc.constantFrom(0, 1, 2), { nil: undefined }),
    });
    const operation = fc.constantFrom<Operation>(
      { kind: 'read', path: Path.parse('/3/0') },
      { kind: 'read', path: temperature, contentFormat: null },
      { kind: 'read-composite', paths: [Path.root] },
      { kind: 'discover', path: Path.parse('/3') },
      { kind: 'observe', paths: [temperature] },
      { kind: 'create', objectId: 3303, instanceId: null, values: [] },
      { kind: 'delete', path: Path.parse('/3303/0') },
      { kind: 'execute', path: Path.parse('/3/0/4'), arguments: {} },
    );
    await fc.assert(
      fc.asyncProperty(operation, answer, async (asked, { contentFormat, observe, ...rest }) => {
        device.onAsked = () => ({
          ...rest,
          ...(contentFormat !== undefined && { contentFormat }),
          ...(observe !== undefined && { observe }),
        });
        try {
          expect(await perform(asked, { timeoutMs: 1_000, ms: 1_100 })).toMatchObject({
            code: expect.stringMatching(/^\d\.\d\d$/),
          });
        } catch (error) {
          expect(error).toBeInstanceOf(Lwm2mError);
          expect(error).toMatchObject({ code: expect.stringMatching(/^(BAD_ANSWER|TIMEOUT)$/) });
        }
        device.asked.length = 0;
      }),
      { numRuns: 500 },
    );
    expect(faults).toEqual([]);
    device.onAsked = () => ({ code: codes.content, contentFormat: 110, payload: '[{"n":"/3/0/9","v":77}]' });
    expect(await perform({ kind: 'read', path: Path.parse('/3/0') })).toMatchObject({ ok: true });
    expect(handlers.values.at(-1)).toBe('/3/0/9=77');
  }, 60_000);
});

describe('whatever a device sends', () => {
  it('is answered, and never breaks the server', async () => {
    const { device, server, faults } = await world();
    await device.register(DEV1);
    const segment = fc.constantFrom('rd', 'dp', 'bs', '', '0', '..', 'x'.repeat(255), device.location.slice(4));
    const parameter = fc.oneof(
      fc.constantFrom(
        'ep=dev1',
        'ep=',
        'ep=\u{1f600}',
        'lt=300',
        'lt=-1',
        'lwm2m=1.1',
        'lwm2m=9.9',
        'b=Q',
        'Q',
        'sms=1',
        'pid=x',
      ),
      fc.string({ maxLength: 40 }),
    );
    const request = fc.record({
      method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'FETCH', 'PATCH', 'iPATCH'),
      path: fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`),
      query: fc.array(parameter, { maxLength: 5 }),
      contentFormat: fc.option(fc.constantFrom(0, 40, 60, 110, 112, 11542, 11544, 65535), { nil: undefined }),
      payload: fc.oneof(
        fc.constantFrom('</1/0>,</3/0>', '</>', '<', '[{"n":"/3/0/9","v":1}]', ''),
        fc.uint8Array({ maxLength: 60 }),
      ),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ contentFormat, ...rest }) => {
        const { code } = await device.request({ ...rest, ...(contentFormat !== undefined && { contentFormat }) });
        expect(code).toMatch(/^[24]\.\d\d$/);
      }),
      { numRuns: 500 },
    );
    expect(faults).toEqual([]);
    expect(await device.register(DEV1)).toMatchObject({ code: '2.01' });
    expect(server.registration('dev1')).toBeDefined();
  });
});
