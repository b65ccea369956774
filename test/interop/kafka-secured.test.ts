import { afterAll, beforeAll, expect, it } from 'vitest';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServerIdentity } from '../../src/dtls/index.ts';
import { SimulatedDevice } from '../../src/simulator/index.ts';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { type Consumption, consume } from './kafka-records.ts';
import { KafkaBroker, requirePeer } from './peers/index.ts';

const PASSWORD = 'correct-horse-battery-staple';

/** A device registers and is gone: its status is an event. */
async function visit({ coap }: TreelineProcess, endpoint: string): Promise<void> {
  const device = new SimulatedDevice({
    endpoint,
    accounts: [{ server: coap, shortServerId: 123, lifetime: 300 }],
    objects: [],
  });
  await device.start();
  await device.stop();
}

requirePeer('kafka')('a broker that wants TLS and SASL', () => {
  let broker: KafkaBroker;
  let consumption: Consumption;
  let directory: string;
  let authorities: string;

  beforeAll(async () => {
    const names = ['127.0.0.1', 'localhost'];
    const { certificates, privateKey } = createServerIdentity({
      commonName: 'broker',
      names,
      now: Date.now(),
      days: 2,
    });
    directory = await mkdtemp(join(tmpdir(), 'treeline-kafka-ca-'));
    authorities = join(directory, 'ca.pem');
    await writeFile(authorities, certificates);
    broker = await KafkaBroker.start({
      username: 'treeline',
      password: PASSWORD,
      identity: `${privateKey}\n${certificates}`,
    });
    consumption = await consume(broker.brokers, ['telemetry.raw.default', 'device.status']);
  });
  afterAll(async () => {
    await consumption?.stop();
    await broker?.remove();
    await rm(directory, { recursive: true, force: true });
  });

  function secured(mechanism: string, password = PASSWORD): Record<string, string> {
    return {
      KAFKA_BROKERS: broker.securedBrokers ?? '',
      KAFKA_TLS: 'true',
      KAFKA_TLS_CA: authorities,
      KAFKA_SASL_MECHANISM: mechanism,
      KAFKA_SASL_USERNAME: 'treeline',
      KAFKA_SASL_PASSWORD: password,
    };
  }

  it.each(['plain', 'scram-sha-512'])('gets what devices tell, by %s', async (mechanism) => {
    const treeline = await runTreeline(secured(mechanism));
    try {
      const endpoint = `urn:imei:${mechanism}`;
      await visit(treeline, endpoint);
      await consumption.first(({ topic, value }) => topic === 'device.status' && value['endpoint'] === endpoint);
    } finally {
      expect(await treeline.stop()).toBe(0);
    }
    expect(treeline.output()).not.toContain(PASSWORD);
  });

  it('that refuses the password is told in the log, without it, while events wait', async () => {
    const treeline = await runTreeline(secured('scram-sha-512', 'wrong-horse'));
    try {
      await visit(treeline, 'urn:imei:refused');
      await expect
        .poll(async () => (await fetch(new URL('/readyz', treeline.graphql))).text(), { timeout: 30_000 })
        .toContain('unreachable, events wait');
    } finally {
      await treeline.stop();
    }
    expect(treeline.output()).toMatch(/SASL|authenticat/i);
    expect(treeline.output()).not.toContain('wrong-horse');
  });
});
