import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, Partitioners, type Producer } from 'kafkajs';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type DeviceProcess, runDevice } from '../e2e/device-process.ts';
import { type ExampleProcess, runExample } from '../e2e/example-process.ts';
import { runTreeline, type TreelineProcess } from '../e2e/treeline-process.ts';
import { type Consumption, consume, type KafkaRecord } from './kafka-records.ts';
import { KafkaBroker, requirePeer } from './peers/index.ts';

const ENDPOINT = 'urn:imei:490154203237518';
const TELEMETRY = 'telemetry.raw.default';
const STATUS = 'device.status';
const PATIENCE = { timeout: 60_000, interval: 100 };

/** A record like this one, of another event. */
function another(
  record: KafkaRecord,
  value: Record<string, unknown>,
  headers: Record<string, string> = {},
): KafkaRecord {
  const own = { ...record.headers, 'event-id': randomUUID(), ...headers };
  return { ...record, headers: own, value: { ...record.value, ...value } };
}

requirePeer('kafka')('examples/kafka-consumer.mjs, with a real broker', () => {
  let broker: KafkaBroker;
  let example: ExampleProcess;
  let treeline: TreelineProcess;
  let device: DeviceProcess;
  let consumption: Consumption;
  let producer: Producer;

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    example = runExample({ KAFKA_BROKERS: broker.brokers }, 'kafka-consumer.mjs');
    const waiting = `Waiting for the topics ${TELEMETRY} and ${STATUS}.`;
    await vi.waitFor(() => expect(example.errors()).toContain(waiting), PATIENCE);
    treeline = await runTreeline({ KAFKA_BROKERS: broker.brokers });
    device = runDevice(treeline.coap, ENDPOINT);
    consumption = await consume(broker.brokers, [TELEMETRY, STATUS]);
    const kafka = new Kafka({ brokers: [broker.brokers], logLevel: logLevel.NOTHING });
    producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
  });

  afterAll(async () => {
    await example?.stop();
    await producer?.disconnect();
    await consumption?.stop();
    await device?.stop();
    await treeline?.stop();
    await broker?.remove();
  });

  async function send({ topic, key, headers, value }: KafkaRecord): Promise<void> {
    await producer.send({ topic, messages: [{ key, headers: { ...headers }, value: JSON.stringify(value) }] });
  }

  it('waits for the topics, then prints that the device is online, and its measurements', async () => {
    const status = await consumption.first(({ topic }) => topic === STATUS);
    const telemetry = await consumption.first(({ topic }) => topic === TELEMETRY);
    const metrics = Object.entries(telemetry.value['numeric_values'] ?? {}).map(([name, value]) => `${name}=${value}`);
    await expect
      .poll(() => example.lines(), PATIENCE)
      .toEqual(
        expect.arrayContaining([
          `status ${ENDPOINT} online (registered) at ${status.value['at']}`,
          `telemetry ${telemetry.key} ${metrics.join(' ')} at ${telemetry.value['timestamp']}`,
        ]),
      );
  });

  it('prints an event that comes again once', async () => {
    const record = await consumption.first(({ topic }) => topic === TELEMETRY);
    await send(record);
    await send(another(record, { numeric_values: { marker: 1 } }));
    await expect.poll(() => example.lines().join('\n'), PATIENCE).toContain(' marker=1 ');
    const published = consumption.records.filter(({ headers }) => headers['event-id'] === record.headers['event-id']);
    expect(published).toHaveLength(2);
    const [metric] = Object.keys(record.value['numeric_values'] ?? {});
    const printed = example
      .lines()
      .filter((line) => line.includes(` ${metric}=`) && line.endsWith(` at ${record.value['timestamp']}`));
    expect(printed).toHaveLength(1);
  });

  it('prints nothing of another tenant', async () => {
    const record = await consumption.first(({ topic }) => topic === STATUS);
    await send(another(record, { tenant_id: 'acme', endpoint: 'urn:imei:acme' }));
    await send(another(record, { endpoint: 'urn:imei:marker' }));
    await expect.poll(() => example.lines().join('\n'), PATIENCE).toContain('status urn:imei:marker online');
    expect(example.lines().join('\n')).not.toContain('urn:imei:acme');
  });

  it('says which event is protobuf, and goes on', async () => {
    const record = await consumption.first(({ topic }) => topic === TELEMETRY);
    const protobuf = another(record, {}, { 'content-type': 'application/x-protobuf' });
    await send(protobuf);
    await send(another(record, { numeric_values: { marker: 2 } }));
    await expect.poll(() => example.lines().join('\n'), PATIENCE).toContain(' marker=2 ');
    expect(example.errors()).toContain(`${protobuf.headers['event-id']} is application/x-protobuf`);
  });

  it('leaves the group at Ctrl-C', async () => {
    expect(await example.stop()).toBe(0);
  });
});
