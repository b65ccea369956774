import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { openEndpoints } from '../../src/composition/endpoints.ts';
import { readConfig } from '../../src/config/index.ts';
import { takeSavedSessions } from '../../src/installation/index.ts';
import { ManualClock } from '../manual-clock.ts';
import { nothing } from './reading.ts';

/** The devices of this test have no credentials. */
const lookUp = {
  psk: async () => null,
  publicKey: async () => null,
  anchors: async () => [],
  certificate: async () => null,
  holders: async () => new Map(),
  secured: async () => new Set<never>(),
};

it('a stop saves the DTLS sessions before it waits for a TCP peer that does not close its connection', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'treeline-stop-'));
  const clock = new ManualClock();
  const endpoints = await openEndpoints({
    config: readConfig({
      TREELINE_DATA_DIR: dataDir,
      TREELINE_COAP_HOST: '127.0.0.1',
      TREELINE_COAP_PORT: '0',
      TREELINE_COAPS_HOST: '127.0.0.1',
      TREELINE_COAPS_PORT: '0',
    }),
    secretKey: Buffer.alloc(32, 1),
    lookUp,
    clock,
    log: pino({ level: 'silent' }),
    onHandshake: nothing,
  });
  const { port } = endpoints.tcp.transport.addresses[0] ?? { port: 0 };
  const peer = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  await once(peer, 'data');
  const released = once(peer.resume(), 'end');
  let isClosed = false;
  const closed = endpoints.close().then(() => (isClosed = true));
  while ((await takeSavedSessions(dataDir)) === null) await setImmediate();
  expect(isClosed).toBe(false);
  await released;
  await clock.advance(1_000);
  await closed;
  peer.destroy();
  await rm(dataDir, { recursive: true });
});
