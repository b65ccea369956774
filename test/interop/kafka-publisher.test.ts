import { afterAll, beforeAll, expect, it } from 'vitest';
import { asc } from 'drizzle-orm';
import { pino } from 'pino';

import { systemClock } from '../../src/clock.ts';
import { createEventBus } from '../../src/events/index.ts';
import { Path, type Reading } from '../../src/lwm2m/index.ts';
import { telemetryPoints } from '../../src/store/index.ts';
import { createTelemetry, type Telemetry, type TelemetryEvents } from '../../src/telemetry/index.ts';
import { useStore } from '../store/database.ts';
import { addDevice, type KnownDevice } from '../telemetry/known-device.ts';
import { consume, type Consumption, type KafkaRecord } from './kafka-records.ts';
import { KafkaBroker, requirePeer } from './peers/index.ts';

const TOPIC = 'telemetry.raw.acme';

const temperature = ({ value }: KafkaRecord): unknown =>
  (value['numeric_values'] as Record<string, number> | undefined)?.['temperature'];

requirePeer('kafka')('the publisher, with a real broker', () => {
  const store = useStore();
  const running: Telemetry[] = [];
  let broker: KafkaBroker;
  let consumption: Consumption;
  let devices: readonly KnownDevice[];

  beforeAll(async () => {
    broker = await KafkaBroker.start();
    consumption = await consume(broker.brokers, [TOPIC, 'device.status']);
    devices = [await addDevice(store(), 'acme'), await addDevice(store(), 'acme')];
  });
  afterAll(async () => {
    for (const telemetry of running) await telemetry.stop();
    await consumption.stop();
    await broker.remove();
  });

  function start(): Telemetry {
    const telemetry = createTelemetry({
      store: store(),
      bus: createEventBus<TelemetryEvents>(),
      clock: systemClock,
      log: pino({ level: 'silent' }),
      kafka: {
        brokers: [broker.brokers],
        tls: null,
        sasl: null,
        telemetryTopic: 'telemetry.raw.{tenant_id}',
        statusTopic: 'device.status',
        format: 'json',
      },
      retentionDays: 30,
    });
    running.push(telemetry);
    telemetry.start();
    return telemetry;
  }

  /** A notification of `/3303/0/5700` from one of the devices, stored and committed. */
  async function notify({ sink }: Telemetry, from: number, temperature: number): Promise<void> {
    const device = devices[from % devices.length];
    if (!device) throw new Error('there is a device');
    const reading: Reading = { type: 'Float', value: temperature, path: Path.of(3303, 0, 5700), time: null };
    const mappings = [{ path: '/3303/0/5700', metric: 'temperature' }];
    const now = Date.now();
    const arrival = { receivedAt: now, presumedAt: now, message: null };
    const batch = { ...device, mappings, readings: [reading], ...arrival };
    const told = await store().asTenant('acme', (tx) => sink.record(tx, [batch]));
    told();
  }

  /** Records without the repeats that at-least-once allows: the first of each event id. */
  function withoutRepeats(): KafkaRecord[] {
    const seen = new Set<string | undefined>();
    return consumption.records.filter(({ topic, headers }) => {
      const id = headers['event-id'];
      return topic === TOPIC && !seen.has(id) && seen.add(id);
    });
  }

  it('delivers every point, once per event id and each device’s in order, though the broker dies in between', async () => {
    const telemetry = start();
    for (let n = 0; n < 50; n++) await notify(telemetry, n, n);
    await consumption.first((record) => temperature(record) === 49);

    await broker.kill();
    const before = performance.now();
    for (let n = 50; n < 150; n++) await notify(telemetry, n, n);
    const perPoint = (performance.now() - before) / 100;
    expect(perPoint).toBeLessThan(100);
    await expect.poll(() => telemetry.publisher()?.broker, { timeout: 30_000 }).toMatch('unre');

    await broker.start();
    for (let n = 150; n < 200; n++) await notify(telemetry, n, n);
    await consumption.first((record) => temperature(record) === 199, 60_000);
    await expect.poll(() => telemetry.outboxDepth(), { timeout: 10_000 }).toMatchObject({ waiting: 0 });

    const records = withoutRepeats();
    const stored = await store().asTenant('acme', (tx) =>
      tx.select().from(telemetryPoints).orderBy(asc(telemetryPoints.receivedAt)),
    );
    expect(new Set(records.map(({ headers }) => headers['event-id']))).toEqual(new Set(stored.map((p) => p.eventId)));
    for (const { deviceId } of devices) {
      const own = records.filter(({ key }) => key === deviceId).map(temperature);
      expect(own).toHaveLength(100);
      expect(own).toEqual(own.toSorted((a, b) => Number(a) - Number(b)));
    }
    expect(records[0]?.headers).toMatchObject({ 'content-type': 'application/json', schema: 'TelemetryPoint/1' });
    expect(telemetry.publisher()).toMatchObject({ broker: 'ok' });
    await telemetry.stop();
  });

  it('stops within seconds while the broker is away, and the next start delivers what was left', async () => {
    await broker.kill();
    const first = start();
    await notify(first, 0, 1_000);
    await expect.poll(() => first.publisher()?.broker, { timeout: 30_000 }).toMatch('unre');
    const before = performance.now();
    await first.stop();
    expect(performance.now() - before).toBeLessThan(4_000);

    await broker.start();
    const second = start();
    const record = await consumption.first((candidate) => temperature(candidate) === 1_000, 60_000);
    expect(record.key).toBe(devices[0]?.deviceId);
    await second.stop();
  });

  it('tells a change of status on device.status', async () => {
    const telemetry = start();
    const [device] = devices;
    if (!device) throw new Error('there is a device');
    const told = await store().asTenant('acme', (tx) =>
      telemetry.sink.enqueueStatus(tx, [
        {
          ...device,
          endpoint: 'urn:imei:123',
          status: 'online',
          previous: null,
          reason: 'registered',
          lastSeen: new Date(),
          at: new Date(),
        },
      ]),
    );
    told();
    const record = await consumption.first(({ topic }) => topic === 'device.status');
    expect(record).toMatchObject({ key: device.deviceId, headers: { schema: 'DeviceStatus/1' } });
    expect(record.value).toMatchObject({
      event_id: record.headers['event-id'],
      device_id: device.deviceId,
      tenant_id: 'acme',
      endpoint: 'urn:imei:123',
      status: 'online',
      previous: null,
      reason: 'registered',
    });
    await telemetry.stop();
  });
});
