import type { BaseLogger as Log } from 'pino';

import type { Clock } from '../clock.ts';
import type { EventBus } from '../events/index.ts';
import type { TelemetrySink } from '../fleet/index.ts';
import type { Store } from '../store/index.ts';
import { startCounting, type TelemetryCounters } from './counters.ts';
import { createHistory, type TelemetryHistory } from './history.ts';
import { createIngest } from './ingest.ts';
import { outboxDepth } from './outbox.ts';
import type { TelemetryEvents } from './point.ts';
import { createKafkaSender, type KafkaConnection } from './publisher-kafka.ts';
import { Publisher, type PublisherSnapshot } from './publisher.ts';
import type { EventFormat } from './record.ts';
import { Retention } from './retention.ts';

export interface TelemetryOptions {
  readonly store: Store;
  readonly bus: EventBus<TelemetryEvents>;
  readonly clock: Clock;
  readonly log: Log;
  /** Without brokers, points are stored but neither published nor kept in the outbox. */
  readonly kafka: EventFormat & KafkaConnection;
  /** Days before points are deleted. */
  readonly retentionDays: number;
}

export interface Telemetry {
  /** Receives the fleet's readings and status events. */
  readonly sink: TelemetrySink;
  /** Answers queries for stored points. */
  readonly history: TelemetryHistory;
  /** Starts publishing and deleting old rows. Never throws. */
  start(): void;
  /** Resolves within about two seconds, whatever the broker does. Unpublished events stay in the outbox. */
  stop(): Promise<void>;
  counters(): TelemetryCounters;
  /** Null without brokers. */
  publisher(): PublisherSnapshot | null;
  /** The number of unpublished events and the time of the oldest, from one database statement. */
  outboxDepth(): Promise<{ readonly waiting: number; readonly oldest: Date | null }>;
}

export function createTelemetry({ store, bus, clock, log, kafka, retentionDays }: TelemetryOptions): Telemetry {
  const counting = startCounting();
  const retention = new Retention({ store, clock, log, days: retentionDays });
  const publisher =
    kafka.brokers.length === 0
      ? null
      : new Publisher({ store, sender: createKafkaSender(kafka, log), format: kafka, clock, log });
  return {
    sink: createIngest({ bus, clock, counting, wakePublisher: publisher && (() => publisher.wake()) }),
    history: createHistory(store),
    start() {
      publisher?.start();
      retention.start();
    },
    async stop() {
      await Promise.all([publisher?.stop(), retention.stop()]);
    },
    counters: () => structuredClone(counting),
    publisher: () => publisher?.snapshot() ?? null,
    outboxDepth: () => store.asSystem(outboxDepth),
  };
}
