import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { datagrams } from '../coap/datagrams.ts';
import { runDevice } from '../e2e/device-process.ts';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';

const DATAGRAMS = 1_000_000;
/** Sent between two turns of the loop, so that the port's answers are read too. */
const BURST = 50;
const MIB = 1024 * 1024;

/** Bytes that the server's JavaScript holds, and what it counted, from its metrics page. */
async function metric(treeline: TreelineProcess, name: string): Promise<number> {
  const page = await treeline.metrics();
  const values = page.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? ([0-9.e+]+)$`, 'gm'));
  return [...values].reduce((sum, [, value]) => sum + Number(value), 0);
}

describe(`${DATAGRAMS} random and mutated datagrams at the port`, () => {
  let treeline: TreelineProcess;

  beforeAll(async () => {
    treeline = await runTreeline({ TREELINE_AUTO_PROVISION: 'false', TREELINE_LOG_LEVEL: 'warn' });
  });

  afterAll(() => treeline?.stop());

  async function flood(count: number, seed: number): Promise<void> {
    const socket = createSocket('udp4');
    socket.on('message', () => {});
    let sent = 0;
    for (const datagram of datagrams(count, seed)) {
      socket.send(datagram, treeline.coap.port, treeline.coap.host);
      if (++sent % BURST === 0) await turn();
    }
    socket.close();
    await once(socket, 'close');
  }

  it(
    'end in no uncaught error, no growth that stays, and a server that still answers',
    { timeout: 600_000 },
    async () => {
      await flood(DATAGRAMS / 10, 1);
      const before = await metric(treeline, 'nodejs_heap_size_used_bytes');
      await flood((DATAGRAMS * 9) / 10, 2);
      const after = await metric(treeline, 'nodejs_heap_size_used_bytes');
      expect(await metric(treeline, 'treeline_coap_datagrams_received_total')).toBeGreaterThan(DATAGRAMS / 2);
      // Tables are bounded and filled by the first tenth; what is above is garbage not yet collected.
      expect(after - before).toBeLessThan(128 * MIB);
      expect(treeline.output()).not.toMatch(/uncaught|unhandled/i);

      const { provisionDevice } = await treeline.query<{ provisionDevice: { __typename: string } }>(
        'mutation { provisionDevice(input: { endpoint: "urn:imei:afterwards" }) { __typename } }',
      );
      expect(provisionDevice.__typename).toBe('ProvisionDevicePayload');
      const device = runDevice(treeline.coap, 'urn:imei:afterwards');
      await device.heard(/registered/);
      await device.stop();
    },
  );
});
