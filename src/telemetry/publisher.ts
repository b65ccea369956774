import { randomUUID } from 'node:crypto';

import { sql } from 'drizzle-orm';
import type { BaseLogger as Log } from 'pino';

import type { Clock } from '../clock.ts';
import { deadLetters, devices, type Store } from '../store/index.ts';
import { BrokerHealth, type BrokerState } from './broker-health.ts';
import { letterOf } from './dead-letters.ts';
import { TelemetryError } from './error.ts';
import { holdLease, releaseLease } from './lease.ts';
import { forget, oldestWaiting, streamOf, type Stream, type WaitingEvent } from './outbox.ts';
import { recordOf, topicOf, type EventFormat, type OutgoingRecord } from './record.ts';
import type { EventSender } from './sender.ts';

export interface PublisherOptions {
  readonly store: Store;
  readonly sender: EventSender;
  readonly format: EventFormat;
  readonly clock: Clock;
  readonly log: Log;
}

/** The publisher's values for the metrics page. */
export interface PublisherSnapshot {
  /** Records that the broker acknowledged. */
  readonly published: number;
  readonly failures: number;
  /** Events that exceeded the broker's size limit and became dead letters. */
  readonly setAside: number;
  readonly broker: BrokerState;
  readonly heldBackStreams: number;
  /** The topics that the broker refuses. Their events wait. */
  readonly refusedTopics: readonly string[];
}

/** Events per round. This limits what the publisher keeps in memory. */
const LARGEST_ROUND = 500;
/** Bytes of values per send: a broker accepts 1 MiB by default. */
const LARGEST_SEND = 512 * 1024;
/** Interval of polling the outbox, for events of other processes, which don't wake this publisher. */
const POLL_MS = 1_000;
const SHORTEST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
/** Longer than the longest round. */
const LEASE_MS = 60_000;
const RENEW_MS = 20_000;
/** How long a stop waits for the running round. The next start resends events that were sent but not deleted. */
const STOP_MS = 2_000;
const LEASE = 'publisher';
/** Events that are set aside are logged once in so long, with their number. */
const SET_ASIDE_LOG_MS = 60_000;

interface Held {
  readonly topic: string;
  readonly until: number;
  readonly waitMs: number;
}

/**
 * Publishes the events of the outbox, oldest first, and deletes those that the broker acknowledged. Delivery is at
 * least once, in order for each device. Only one process publishes at a time. While no broker answers, the publisher
 * retries after 0.25 s and then doubles the wait up to 10 s; while there is nothing to send, it checks every 10 s that the
 * broker answers. A refused topic is held back in the same way; other topics go on. No method throws, and no other module
 * waits for the broker.
 */
export class Publisher {
  readonly #store: Store;
  readonly #sender: EventSender;
  readonly #format: EventFormat;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #holder = randomUUID();
  readonly #health: BrokerHealth;
  readonly #heldBack = new Map<Stream, Held>();
  #renewAt = 0;
  #published = 0;
  #failures = 0;
  #setAside = 0;
  #notLogged = 0;
  #loggedAt = -Infinity;
  /** The length of the last pause after a failure; 0 after a success. */
  #waitMs = 0;
  #stopped = false;
  #woken = false;
  #rouse: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor({ store, sender, format, clock, log }: PublisherOptions) {
    this.#store = store;
    this.#sender = sender;
    this.#format = format;
    this.#clock = clock;
    this.#log = log;
    this.#health = new BrokerHealth(clock);
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Starts a round now, because the outbox has new events; ignored while the broker is unreachable. */
  wake(): void {
    this.#woken = true;
    if (this.#waitMs === 0) this.#rouse();
  }

  /** Resolves after the running round, or after two seconds. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#rouse();
    let closing: Promise<void> | undefined;
    const close = (): Promise<void> => (closing ??= this.#sender.close());
    await this.#atMost(STOP_MS, this.#running.then(close));
    // Not awaited: a broker that does not answer confirms no goodbye either.
    void close();
  }

  #atMost(ms: number, work: Promise<void>): Promise<void> {
    return new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, resolve);
      const ended = (): void => {
        timer.cancel();
        resolve();
      };
      void work.then(ended);
    });
  }

  snapshot(): PublisherSnapshot {
    return {
      published: this.#published,
      failures: this.#failures,
      setAside: this.#setAside,
      broker: this.#health.state,
      heldBackStreams: this.#heldBack.size,
      refusedTopics: [...new Set([...this.#heldBack.values()].map(({ topic }) => topic))],
    };
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        const busy = await this.#round();
        if (this.#health.needsCheck) await this.#health.follow(() => this.#sender.check());
        if (this.#waitMs > 0) this.#log.info('the broker accepts events again');
        this.#waitMs = 0;
        if (!busy) await this.#pause(POLL_MS);
      } catch (error) {
        this.#failures++;
        if (this.#waitMs === 0) this.#log.warn(reasonOf(error), 'events can’t be published; they wait in the outbox');
        this.#waitMs = doubled(this.#waitMs);
        await this.#pause(this.#waitMs);
      }
    }
    await this.#store.asSystem((tx) => releaseLease(tx, LEASE, this.#holder)).catch(() => {});
  }

  /** Sends one round; returns whether more events may wait. Throws when the broker or the database is unreachable. */
  async #round(): Promise<boolean> {
    this.#woken = false;
    const events = await this.#read();
    this.#forgetEmptyStreams(events);
    const byTopic = new Map<string, WaitingEvent[]>();
    for (const event of events) {
      const topic = topicOf(event, this.#format);
      const together = byTopic.get(topic);
      if (together) together.push(event);
      else byTopic.set(topic, [event]);
    }
    const sends = [...byTopic].map(([topic, some]) => this.#sendTopic(topic, some));
    const failed = (await Promise.allSettled(sends)).find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    return events.length === LARGEST_ROUND || this.#woken;
  }

  #read(): Promise<WaitingEvent[]> {
    const now = this.#clock.now();
    const heldBack = [...this.#heldBack].filter(([, held]) => held.until > now).map(([stream]) => stream);
    return this.#store.asSystem(async (tx) => {
      if (now >= this.#renewAt) {
        if (!(await holdLease(tx, LEASE, this.#holder, LEASE_MS))) return [];
        this.#renewAt = now + RENEW_MS;
      }
      return oldestWaiting(tx, LARGEST_ROUND, heldBack);
    });
  }

  async #sendTopic(topic: string, events: readonly WaitingEvent[]): Promise<void> {
    const outgoing = events.map((event) => ({ event, record: recordOf(event, this.#format) }));
    try {
      for (const some of bySize(outgoing)) await this.#send(topic, some);
      this.#accepted(topic);
    } catch (error) {
      if (!(error instanceof TelemetryError) || error.code !== 'REFUSED') throw error;
      this.#failures++;
      for (const stream of new Set(events.map(streamOf))) this.#holdBack(stream, topic, error);
    }
  }

  async #send(topic: string, outgoing: readonly Outgoing[]): Promise<void> {
    try {
      const records = outgoing.map(({ record }) => record);
      await this.#health.follow(() => this.#sender.send(topic, records));
    } catch (error) {
      if (!(error instanceof TelemetryError) || error.code !== 'TOO_LARGE') throw error;
      const [only, ...others] = outgoing;
      if (only && others.length === 0) return this.#putAside(topic, only, error);
      for (const one of outgoing) await this.#send(topic, [one]);
      return;
    }
    await this.#store.asSystem((tx) =>
      forget(
        tx,
        outgoing.map(({ event }) => event.id),
      ),
    );
    this.#published += outgoing.length;
  }

  #holdBack(stream: Stream, topic: string, error: TelemetryError): void {
    if (![...this.#heldBack.values()].some((held) => held.topic === topic)) {
      this.#log.warn({ ...reasonOf(error), topic }, 'the broker refused a topic; its events wait in the outbox');
    }
    const waitMs = doubled(this.#heldBack.get(stream)?.waitMs ?? 0);
    this.#heldBack.set(stream, { topic, until: this.#clock.now() + waitMs, waitMs });
  }

  #accepted(topic: string): void {
    const streams = [...this.#heldBack].filter(([, held]) => held.topic === topic);
    for (const [stream] of streams) this.#heldBack.delete(stream);
    if (streams.length > 0) this.#log.info({ topic }, 'the broker accepts the topic again');
  }

  /** The events of a stream that was held back may be gone: retention deletes old ones. */
  #forgetEmptyStreams(events: readonly WaitingEvent[]): void {
    if (events.length === LARGEST_ROUND) return;
    const now = this.#clock.now();
    const waiting = new Set(events.map(streamOf));
    for (const [stream, { until }] of this.#heldBack) {
      if (until <= now && !waiting.has(stream)) this.#heldBack.delete(stream);
    }
  }

  /** Stores an event that the broker will never accept as a dead letter, so that the events after it go on. */
  async #putAside(topic: string, { event, record }: Outgoing, error: TelemetryError): Promise<void> {
    await this.#store.asSystem(async (tx) => {
      const known = await tx.$count(devices, sql`${devices.id} = ${event.deviceId}`);
      if (known > 0) {
        const letter = letterOf({
          tenantId: event.tenantId,
          deviceId: event.deviceId,
          path: topic,
          kind: 'event',
          reason: error.message,
          bytes: record.value,
          receivedAt: new Date(this.#clock.now()),
        });
        await tx.insert(deadLetters).values(letter);
      }
      await forget(tx, [event.id]);
    });
    this.#setAside++;
    this.#notLogged++;
    if (this.#clock.now() - this.#loggedAt < SET_ASIDE_LOG_MS) return;
    this.#log.error(
      { ...reasonOf(error), topic, device: event.deviceId, bytes: record.value.length, events: this.#notLogged },
      'events exceed the broker’s size limit and became dead letters of their devices',
    );
    this.#loggedAt = this.#clock.now();
    this.#notLogged = 0;
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopped || (this.#woken && this.#waitMs === 0)) return;
    await new Promise<void>((resolve) => {
      const timer = this.#clock.after(ms, resolve);
      this.#rouse = () => {
        timer.cancel();
        resolve();
      };
    });
    this.#rouse = () => {};
  }
}

interface Outgoing {
  readonly event: WaitingEvent;
  readonly record: OutgoingRecord;
}

function* bySize(outgoing: readonly Outgoing[]): Generator<Outgoing[]> {
  let some: Outgoing[] = [];
  let bytes = 0;
  for (const one of outgoing) {
    if (some.length > 0 && bytes + one.record.value.length > LARGEST_SEND) {
      yield some;
      some = [];
      bytes = 0;
    }
    some.push(one);
    bytes += one.record.value.length;
  }
  if (some.length > 0) yield some;
}

function doubled(ms: number): number {
  return Math.min(LONGEST_WAIT_MS, ms === 0 ? SHORTEST_WAIT_MS : ms * 2);
}

/** The fields of a log line: of an unexpected error also its stack. */
function reasonOf(error: unknown): Record<string, unknown> {
  return error instanceof TelemetryError ? { code: error.code, reason: error.message } : { err: error };
}
