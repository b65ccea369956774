import { describe, expect, it } from 'vitest';

import { createSpki } from '../../src/dtls/certificate.ts';
import { createServerIdentity, loadServerIdentity } from '../../src/dtls/server-identity.ts';
import { certify, START } from './certificates.ts';
import type { Client, ClientOptions } from './client.ts';
import { badWeather, seededRandom, World } from './network.ts';

const device = certify('device', null);
const spki = createSpki(device.privateKey);
const DEVICES = 100;

const KINDS: [string, Partial<ClientOptions>][] = [
  ['PSK', {}],
  ['PSK and a Connection ID', { cid: Buffer.from('c0c1c2c3c4c5c6c7', 'hex') }],
  [
    'a raw public key',
    {
      suites: ['TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8'],
      certificate: { privateKey: device.privateKey, chain: [] },
      certificateType: 'RawPublicKey',
    },
  ],
];

function stormyWorld(seed: number): World {
  const names = { commonName: 'server', names: [], now: START, days: 30 };
  const world = new World({
    limits: { sessionsPerCredential: DEVICES },
    settings: { identity: loadServerIdentity(createServerIdentity(names)) },
    credentials: {
      rawPublicKey: async (key) => (spki.equals(key) ? { credential: 'rpk-1' } : null),
    },
  });
  world.weather = badWeather(0.3, seededRandom(seed));
  world.echo = true;
  return world;
}

describe('with 30% of datagrams lost, duplicated, late or out of order in both directions', () => {
  it.each(KINDS)('100 of 100 devices with %s finish their handshake and get an answer', async (_what, options) => {
    const world = stormyWorld(4);
    const clients = Array.from({ length: DEVICES }, () => world.client(options));
    for (const client of clients) client.start();
    await world.clock.advance(120_000);
    expect(clients.filter(({ state }) => state === 'open')).toHaveLength(DEVICES);
    expect(world.engine.metrics).toMatchObject({ sessions: DEVICES, halfOpen: 0 });
    await keepAsking(world, clients);
    expect(clients.filter(({ received }) => received.length > 0)).toHaveLength(DEVICES);
    expect(world.engine.metrics.dropped.forged).toBeUndefined();
  });

  it('100 of 100 devices resume their session', async () => {
    const world = stormyWorld(5);
    world.weather = () => [0];
    const first = Array.from({ length: DEVICES }, () => world.client());
    for (const client of first) client.start();
    await world.clock.advance(1_000);
    world.weather = badWeather(0.3, seededRandom(5));
    const second = first.map(({ session }) => world.client({ resume: session }));
    for (const client of second) client.start();
    await world.clock.advance(120_000);
    expect(second.filter(({ state, isResumed }) => state === 'open' && isResumed)).toHaveLength(DEVICES);
    await keepAsking(world, second);
    expect(second.filter(({ received }) => received.length > 0)).toHaveLength(DEVICES);
    expect(world.engine.metrics).toMatchObject({ sessions: DEVICES, halfOpen: 0 });
  });
});

/** Repeats each request until it is answered, as CoAP does. */
async function keepAsking(world: World, clients: readonly Client[]): Promise<void> {
  for (let tries = 0; tries < 10; tries++) {
    for (const client of clients) if (client.received.length === 0) client.send(Buffer.from('reading'));
    await world.clock.advance(3_000);
  }
}
