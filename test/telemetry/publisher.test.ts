import { asc } from 'drizzle-orm';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { deadLetters, insertRows, leases, outbox } from '../../src/store/index.ts';
import { TelemetryError } from '../../src/telemetry/error.ts';
import { Publisher } from '../../src/telemetry/publisher.ts';
import type { EventFormat, OutgoingRecord } from '../../src/telemetry/record.ts';
import type { EventSender } from '../../src/telemetry/sender.ts';
import { ManualClock } from '../manual-clock.ts';
import { useStore } from '../store/database.ts';
import { addDevice, type KnownDevice } from './known-device.ts';

/** Simulates a broker; test/interop/kafka-publisher.test.ts uses a real one. */
class Broker implements EventSender {
  readonly log: { topic: string; record: OutgoingRecord }[] = [];
  sends = 0;
  up = true;
  readonly refusedTopics = new Set<string>();
  largestRecord = Infinity;
  /** Stores the records but loses the acknowledgement. */
  deaf = false;

  async send(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    this.sends++;
    if (!this.up) throw new TelemetryError('UNREACHABLE', 'connect ECONNREFUSED');
    if (this.refusedTopics.has(topic)) throw new TelemetryError('REFUSED', 'Not authorized to access topics');
    if (records.some(({ value }) => value.length > this.largestRecord)) {
      throw new TelemetryError('TOO_LARGE', 'larger than the max message size');
    }
    this.log.push(...records.map((record) => ({ topic, record })));
    if (this.deaf) throw new TelemetryError('UNREACHABLE', 'Request timed out');
  }

  async close(): Promise<void> {}

  values(topic?: string): unknown[] {
    return this.log
      .filter((entry) => topic === undefined || entry.topic === topic)
      .map(({ record }) => valueOf(record));
  }
}

const valueOf = ({ value }: OutgoingRecord): unknown => JSON.parse(Buffer.from(value).toString()).n;

const store = useStore({ poolSize: 1 });
const format: EventFormat = {
  telemetryTopic: 'telemetry.raw.{tenant_id}',
  statusTopic: 'device.status',
  format: 'json',
};
const log = pino({ level: 'silent' });

let clock: ManualClock;
let broker: Broker;
let acme: KnownDevice;
let umbrella: KnownDevice;
const running: Publisher[] = [];

beforeEach(async () => {
  clock = new ManualClock();
  broker = new Broker();
  acme = await addDevice(store(), 'acme');
  umbrella = await addDevice(store(), 'umbrella');
  await store().asSystem(async (tx) => {
    for (const table of [outbox, deadLetters, leases]) await tx.delete(table);
  });
});
afterEach(() => Promise.all(running.splice(0).map((publisher) => publisher.stop())));

function startPublisher(): Publisher {
  const publisher = new Publisher({ store: store(), sender: broker, format, clock, log });
  running.push(publisher);
  publisher.start();
  return publisher;
}

/** Adds events with these numbers to the outbox. */
async function enqueue(
  device: KnownDevice,
  numbers: number[],
  kind: 'telemetry' | 'status' = 'telemetry',
): Promise<void> {
  await store().asSystem((tx) =>
    insertRows(
      tx,
      outbox,
      numbers.map((n) => ({ ...device, eventId: crypto.randomUUID(), kind, event: { n }, createdAt: new Date() })),
    ),
  );
}

const waiting = async (): Promise<unknown[]> => {
  const rows = await store().asSystem((tx) => tx.select({ event: outbox.event }).from(outbox).orderBy(asc(outbox.id)));
  return rows.map(({ event }) => (event as { n: number }).n);
};

/** Resolves when the publisher waits only for the clock or for `wake`. */
async function paused(publishers = 1): Promise<void> {
  while (clock.pendingCount < publishers) await new Promise((resolve) => setImmediate(resolve));
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);

describe('the publisher', () => {
  it('sends events to the topic of their kind and tenant, keyed by device, and deletes them', async () => {
    await enqueue(acme, [1]);
    await enqueue(umbrella, [2]);
    await enqueue(acme, [3], 'status');
    const rows = await store().asSystem((tx) => tx.select().from(outbox).orderBy(asc(outbox.id)));
    const publisher = startPublisher();
    await paused();
    const json = 'application/json';
    expect(broker.log.map(({ topic, record }) => [topic, record.key, record.headers])).toEqual([
      [
        'telemetry.raw.acme',
        acme.deviceId,
        { 'event-id': rows[0]?.eventId, 'content-type': json, schema: 'TelemetryPoint/1' },
      ],
      [
        'telemetry.raw.umbrella',
        umbrella.deviceId,
        { 'event-id': rows[1]?.eventId, 'content-type': json, schema: 'TelemetryPoint/1' },
      ],
      [
        'device.status',
        acme.deviceId,
        { 'event-id': rows[2]?.eventId, 'content-type': json, schema: 'DeviceStatus/1' },
      ],
    ]);
    expect(await waiting()).toEqual([]);
    expect(publisher.snapshot()).toMatchObject({ published: 3, failures: 0, brokerReachable: true });
  });

  it('sends more than one round, in order', async () => {
    await enqueue(acme, numbers(0, 1_200));
    startPublisher();
    await paused();
    expect(broker.values()).toEqual(numbers(0, 1_200));
  });

  it('starts a round when it is woken, and after a second without a wake', async () => {
    const publisher = startPublisher();
    await paused();
    await enqueue(acme, [1]);
    publisher.wake();
    expect(clock.pendingCount).toBe(0);
    await paused();
    expect(broker.values()).toEqual([1]);
    await enqueue(acme, [2]);
    await clock.advance(999);
    expect(broker.values()).toEqual([1]);
    await clock.advance(1);
    await paused();
    expect(broker.values()).toEqual([1, 2]);
  });

  it('doubles the wait for an unreachable broker, ignores wakes, and then sends everything in order', async () => {
    broker.up = false;
    await enqueue(acme, numbers(0, 5));
    const publisher = startPublisher();
    await paused();
    const waits = [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
    for (const [tries, wait] of waits.entries()) {
      expect(broker.sends).toBe(tries + 1);
      expect(publisher.snapshot()).toMatchObject({ brokerReachable: false, failures: tries + 1 });
      await enqueue(acme, [5 + tries]);
      publisher.wake();
      await clock.advance(wait - 1);
      expect(broker.sends).toBe(tries + 1);
      if (tries === waits.length - 1) broker.up = true;
      await clock.advance(1);
      await paused();
    }
    expect(broker.values()).toEqual(numbers(0, 5 + waits.length));
    expect(publisher.snapshot()).toMatchObject({ brokerReachable: true });
  });

  it('resends unacknowledged events with the same event ids', async () => {
    broker.deaf = true;
    await enqueue(acme, [1, 2]);
    startPublisher();
    await paused();
    broker.deaf = false;
    await clock.advance(250);
    await paused();
    expect(broker.values()).toEqual([1, 2, 1, 2]);
    const ids = broker.log.map(({ record }) => record.headers['event-id']);
    expect(ids.slice(2)).toEqual(ids.slice(0, 2));
  });

  it('holds back only the refused topic', async () => {
    broker.refusedTopics.add('telemetry.raw.acme');
    await enqueue(acme, numbers(0, 600));
    await enqueue(umbrella, [7]);
    const publisher = startPublisher();
    await paused();
    await clock.advance(1_000);
    await paused();
    expect(broker.values('telemetry.raw.umbrella')).toEqual([7]);
    expect(publisher.snapshot()).toMatchObject({ heldBackStreams: 1, brokerReachable: true });
    broker.refusedTopics.clear();
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      await paused();
    }
    expect(broker.values('telemetry.raw.acme')).toEqual(numbers(0, 600));
    expect(publisher.snapshot()).toMatchObject({ heldBackStreams: 0 });
  });

  it('stores an event that is too large as a dead letter and sends the others', async () => {
    broker.largestRecord = 20;
    await enqueue(acme, [1]);
    await store().asSystem((tx) =>
      insertRows(tx, outbox, [
        {
          ...acme,
          eventId: crypto.randomUUID(),
          kind: 'telemetry',
          event: { n: 'x'.repeat(100) },
          createdAt: new Date(),
        },
      ]),
    );
    await enqueue(acme, [3]);
    const publisher = startPublisher();
    await paused();
    expect(broker.values()).toEqual([1, 3]);
    expect(await waiting()).toEqual([]);
    const [letter] = await store().asSystem((tx) => tx.select().from(deadLetters));
    expect(letter).toMatchObject({ ...acme, kind: 'event', path: 'telemetry.raw.acme' });
    expect(publisher.snapshot()).toMatchObject({ published: 2, setAside: 1 });
  });

  it('publishes nothing while another process has the lease, and takes over when that process stops', async () => {
    const first = startPublisher();
    await paused();
    const second = startPublisher();
    await paused(2);
    await enqueue(acme, [1]);
    second.wake();
    await paused(2);
    expect(broker.values()).toEqual([]);
    await first.stop();
    await clock.advance(1_000);
    await paused();
    expect(broker.values()).toEqual([1]);
  });

  it('can stop while the broker is unreachable; the next start sends the waiting events', async () => {
    broker.up = false;
    await enqueue(acme, [1, 2]);
    const publisher = startPublisher();
    await paused();
    await publisher.stop();
    expect(clock.pendingCount).toBe(0);
    broker.up = true;
    startPublisher();
    await paused();
    expect(broker.values()).toEqual([1, 2]);
  });
});
