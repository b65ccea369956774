import { createServer } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedDevice } from '../../src/simulator/index.ts';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { KafkaBroker, requirePeer } from './peers/index.ts';

/** A device registers and goes: both are events of device.status. */
async function visit({ coap }: TreelineProcess, endpoint: string): Promise<void> {
  const account = { server: coap, shortServerId: 123, lifetime: 300 };
  const device = new SimulatedDevice({ endpoint, accounts: [account], objects: [] });
  await device.start();
  await device.stop();
}

async function readiness({ graphql }: TreelineProcess): Promise<string> {
  return (await fetch(new URL('/readyz', graphql))).text();
}

const SOON = { timeout: 60_000, interval: 250 };

requirePeer('kafka')('a broker without automatic topics', () => {
  let broker: KafkaBroker;
  beforeAll(async () => {
    broker = await KafkaBroker.start(null, { 'auto.create.topics.enable': false });
  });
  afterAll(() => broker?.remove());

  it('is reported while the topic is missing, and the events go out when it exists', async () => {
    const treeline = await runTreeline({ KAFKA_BROKERS: broker.brokers });
    try {
      await expect.poll(() => readiness(treeline), SOON).toContain('"broker":"ok"');
      await visit(treeline, 'urn:imei:early');
      await expect.poll(() => readiness(treeline), SOON).toMatch(/refuses (1 topic|2 topics), events wait/);
      const refused = await treeline.metrics();
      expect(refused).toMatch(/^treeline_outbox_refused_topics [12]$/m);
      expect(refused).toMatch(/^treeline_broker_state\{state="ok"\} 1$/m);
      expect(treeline.output()).toMatch(/"topic":"device.status".*the broker refused a topic/);

      const admin = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      const topics = ['device.status', 'telemetry.raw.default'];
      await admin.createTopics({
        topics: topics.map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })),
      });
      await admin.disconnect();
      await expect.poll(() => readiness(treeline), SOON).toContain('"broker":"ok"');
      await expect.poll(() => treeline.metrics(), SOON).toMatch(/^treeline_outbox_waiting 0$/m);
      expect(treeline.output()).toMatch(/"topic":"device.status".*the broker accepts the topic again/);
      // No text is there twice, as "X: X".
      expect(treeline.output()).not.toMatch(/"(?:message|reason)":"([^":]{10,}): \1"/);
    } finally {
      await treeline.stop();
    }
  });
});

describe('a broker that can’t be used', () => {
  it('because it accepts TCP and never answers is reported, and does not delay a stop', async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP port');
    const treeline = await runTreeline({ KAFKA_BROKERS: `127.0.0.1:${address.port}` });
    try {
      await expect.poll(() => readiness(treeline), SOON).toContain('does not respond, events wait');
      expect(await treeline.metrics()).toMatch(/^treeline_broker_state\{state="unresponsive"\} 1$/m);
    } finally {
      expect(await treeline.stop()).toBe(0);
      silent.close();
    }
  });

  it('because its name does not resolve is reported', async () => {
    const treeline = await runTreeline({ KAFKA_BROKERS: 'nowhere.invalid:9092' });
    try {
      await expect.poll(() => readiness(treeline), SOON).toContain('unreachable, events wait');
      expect(treeline.output()).toMatch(/"reason":"[^"]*nowhere\.invalid.*events can’t be published/);
    } finally {
      await treeline.stop();
    }
  });
});
