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
  /** Without brokers nothing leaves and nothing is kept to leave later: points are stored all the same. */
  readonly kafka: EventFormat & KafkaConnection;
  /** How long points are kept. */
  readonly retentionDays: number;
}

export interface Telemetry {
  /** What the fleet writes to. */
  readonly sink: TelemetrySink;
  /** What the schema reads from. */
  readonly history: TelemetryHistory;
  /** Begins to publish and to delete what is too old; resolves nothing and never throws. */
  start(): void;
  /** Within about two seconds, whatever the broker does. What has not left stays in the outbox. */
  stop(): Promise<void>;
  counters(): TelemetryCounters;
  /** Null without brokers. */
  publisher(): PublisherSnapshot | null;
  /** How many events wait to leave, and since when the oldest does: one statement. */
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
    counters: () => ({ points: counting.points, deadLetters: { ...counting.deadLetters } }),
    publisher: () => publisher?.snapshot() ?? null,
    outboxDepth: () => store.asSystem(outboxDepth),
  };
}
