import { asc } from 'drizzle-orm';
import { pino } from 'pino';
import { afterEach, beforeEach } from 'vitest';

import { deadLetters, insertRows, leases, outbox, type Store } from '../../src/store/index.ts';
import { TelemetryError } from '../../src/telemetry/error.ts';
import { Publisher } from '../../src/telemetry/publisher.ts';
import type { EventFormat, OutgoingRecord } from '../../src/telemetry/record.ts';
import type { EventSender } from '../../src/telemetry/sender.ts';
import { ManualClock } from '../manual-clock.ts';
import { useStore } from '../store/database.ts';
import { addDevice, type KnownDevice } from './known-device.ts';

/** What a broker does, seen from this side of the network; test/interop/kafka-publisher.test.ts has a real one. */
export class Broker implements EventSender {
  readonly log: { topic: string; record: OutgoingRecord }[] = [];
  /** Each call of `send`: its topic and the number of its records. */
  readonly calls: [topic: string, records: number][] = [];
  up = true;
  readonly refusedTopics = new Set<string>();
  largestRecord = Infinity;
  /** Stores, but the acknowledgement is lost. */
  deaf = false;
  closed = 0;
  checks = 0;
  /** Runs before a send is answered. */
  before: () => Promise<void> = async () => {};

  get sends(): number {
    return this.calls.length;
  }

  async send(topic: string, records: readonly OutgoingRecord[]): Promise<void> {
    this.calls.push([topic, records.length]);
    await this.before();
    if (!this.up) throw new TelemetryError('UNREACHABLE', 'connect ECONNREFUSED');
    if (this.refusedTopics.has(topic)) throw new TelemetryError('REFUSED', 'Not authorized to access topics');
    if (records.some(({ value }) => value.length > this.largestRecord)) {
      throw new TelemetryError('TOO_LARGE', 'larger than the max message size');
    }
    this.log.push(...records.map((record) => ({ topic, record })));
    if (this.deaf) throw new TelemetryError('UNREACHABLE', 'Request timed out');
  }

  async check(): Promise<void> {
    this.checks++;
    await this.before();
    if (!this.up) throw new TelemetryError('UNREACHABLE', 'connect ECONNREFUSED');
  }

  async close(): Promise<void> {
    this.closed++;
  }

  /** The numbers of the events that the broker has. */
  values(topic?: string): unknown[] {
    return this.log
      .filter((entry) => topic === undefined || entry.topic === topic)
      .map(({ record }) => valueOf(record));
  }
}

const valueOf = ({ value }: OutgoingRecord): unknown => JSON.parse(Buffer.from(value).toString()).n;

const format: EventFormat = {
  telemetryTopic: 'telemetry.raw.{tenant_id}',
  statusTopic: 'device.status',
  format: 'json',
};

/** A publisher over a real database, with a broker and a clock that do as the test says. */
export interface PublisherWorld {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly broker: Broker;
  readonly acme: KnownDevice;
  readonly umbrella: KnownDevice;
  /** Log lines from `info` upwards. */
  readonly logged: { level: number; topic?: string; msg?: string }[];
  startPublisher(): Publisher;
  /** Puts events with these numbers into the outbox. */
  enqueue(device: KnownDevice, numbers: readonly unknown[], kind?: 'telemetry' | 'status'): Promise<void>;
  /** The numbers of the events in the outbox. */
  waiting(): Promise<unknown[]>;
  /** Resolves when the publishers wait for the clock, or for a wake, and for nothing else. */
  paused(publishers?: number): Promise<void>;
}

/** Makes a new world before each test, with an empty outbox, and stops its publishers after it. */
export function usePublisher(): () => PublisherWorld {
  const store = useStore({ poolSize: 1 });
  const running: Publisher[] = [];
  let world: PublisherWorld | undefined;

  beforeEach(async () => {
    const devices = { acme: await addDevice(store(), 'acme'), umbrella: await addDevice(store(), 'umbrella') };
    await store().asSystem(async (tx) => {
      for (const table of [outbox, deadLetters, leases]) await tx.delete(table);
    });
    world = { ...devices, ...createWorld(store(), running) };
  });
  afterEach(() => Promise.all(running.splice(0).map((publisher) => publisher.stop())));

  return () => {
    if (!world) throw new Error('the world is made before the first test');
    return world;
  };
}

function createWorld(store: Store, running: Publisher[]): Omit<PublisherWorld, 'acme' | 'umbrella'> {
  const clock = new ManualClock();
  const broker = new Broker();
  const logged: PublisherWorld['logged'] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void logged.push(JSON.parse(line)) });
  return {
    store,
    clock,
    broker,
    logged,
    startPublisher() {
      const publisher = new Publisher({ store, sender: broker, format, clock, log });
      running.push(publisher);
      publisher.start();
      return publisher;
    },
    async enqueue(device, values, kind = 'telemetry') {
      const rows = values.map((n) => ({
        ...device,
        eventId: crypto.randomUUID(),
        kind,
        event: { n },
        createdAt: new Date(),
      }));
      await store.asSystem((tx) => insertRows(tx, outbox, rows));
    },
    async waiting() {
      const rows = await store.asSystem((tx) =>
        tx.select({ event: outbox.event }).from(outbox).orderBy(asc(outbox.id)),
      );
      return rows.map(({ event }) => (event as { n: unknown }).n);
    },
    async paused(publishers = 1) {
      while (clock.pendingCount < publishers) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** The whole numbers from `from` up to, and without, `to`. */
export const numbers = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, n) => from + n);
