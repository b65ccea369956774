import { describe, expect, it } from 'vitest';
import { udpPeer, type Peer, type SecurityIdentity, type Transport } from '../../../src/coap/index.ts';
import { createLwm2mServer, registryModel, type Lwm2mServer } from '../../../src/lwm2m/index.ts';
import { SimulatedNetwork } from '../../coap/network.ts';
import { DEV1 } from '../lwm2m-world.ts';
import { RecordingHandlers } from '../recording-handlers.ts';
import { ScriptedDevice, SERVER } from '../scripted-device.ts';

interface SecureWorld {
  readonly server: Lwm2mServer;
  readonly handlers: RecordingHandlers;
  readonly network: SimulatedNetwork;
  /** The security identity at each address. */
  readonly identities: Map<string, SecurityIdentity | null>;
  device(address: string): ScriptedDevice;
}

const psk = (name: string): SecurityIdentity => ({ kind: 'psk', name, credential: `credential of ${name}` });

/** A server with a transport that gives each address an identity, like DTLS. */
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
    deviceKey: name ?? peer.security?.name ?? 'unknown',
    endpoint: name ?? peer.security?.name ?? 'unknown',
    model: registryModel(),
  });
  const server = createLwm2mServer({ endpoints: [{ endpoint, transport: 'dtls' }], handlers, clock: network.clock });
  await server.start({ registrations: [], observations: [] });
  const device = (address: string): ScriptedDevice => new ScriptedDevice(network, address);
  return { server, handlers, network, identities, device };
}

describe('over sessions with an identity', () => {
  it('takes the endpoint from the identity when a device leaves it out', async () => {
    const { server, identities, device } = await secured();
    identities.set('192.0.2.2', psk('dev1'));
    expect(await device('192.0.2.2').register(['lt=300', 'lwm2m=1.1'])).toMatchObject({ code: '2.01' });
    expect(server.registration('dev1')).toMatchObject({ endpoint: 'dev1', peer: { security: psk('dev1') } });
  });

  it('accepts an Update and a De-register from a new session of the same identity', async () => {
    const { server, handlers, identities, device } = await secured();
    identities.set('192.0.2.2', psk('dev1')).set('192.0.2.3', psk('dev1'));
    const dev1 = device('192.0.2.2');
    await dev1.register(DEV1);
    dev1.move('192.0.2.3');
    expect(await dev1.update()).toMatchObject({ code: '2.04' });
    expect(handlers.events.at(-2)).toBe('updated dev1 moved');
    expect(await dev1.request({ method: 'DELETE', path: dev1.location })).toMatchObject({ code: '2.02' });
    expect(server.registration('dev1')).toBeUndefined();
  });

  it.each([
    ['another identity', psk('dev2')],
    ['another credential of the same name', { ...psk('dev1'), credential: 'other' }],
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
