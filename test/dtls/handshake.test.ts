import { createHash, generateKeyPairSync } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { createServerIdentity, loadServerIdentity } from '../../src/dtls/server-identity.ts';
import { createSpki } from '../../src/dtls/certificate.ts';
import { SUITES, type SuiteName } from '../../src/dtls/suites.ts';
import { PSK, World } from './network.ts';

const identity = loadServerIdentity(
  createServerIdentity({ commonName: 'server', names: ['localhost'], now: Date.UTC(2026, 0, 1), days: 30 }),
);
const device = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const deviceSpki = createSpki(device.publicKey);

function world(): World {
  return new World({
    settings: { identity },
    credentials: {
      rawPublicKey: async (spki) => (deviceSpki.equals(spki) ? { credential: 'rpk-1' } : null),
    },
  });
}

describe('a handshake', () => {
  it.each(SUITES.map((suite) => suite.name))('opens a session that carries data both ways with %s', async (name) => {
    const w = world();
    w.echo = true;
    const client = await w.connected({
      suites: [name],
      certificate: { privateKey: device.privateKey, chain: [] },
      certificateType: 'RawPublicKey',
    });
    expect(client.state).toBe('open');
    client.send(Buffer.from('reading'));
    await w.clock.advance(1);
    expect(client.received.map(String)).toEqual(['reading']);
    expect(w.engine.metrics).toMatchObject({ sessions: 1, halfOpen: 0 });
  });
  void createHash;
  void PSK;
  void (0 as unknown as SuiteName);
});
