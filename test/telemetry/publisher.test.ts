import { asc } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';

import type { DeviceId } from '../../src/fleet/index.ts';
import { deadLetters, leases, outbox } from '../../src/store/index.ts';
import { numbers, usePublisher } from './publisher-world.ts';

/** Levels of pino. */
const INFORMATION = 30;
const WARNING = 40;

/** A text whose event has so many bytes. */
const text = (bytes: number): string => 'x'.repeat(bytes - JSON.stringify({ n: '' }).length);

const world = usePublisher();

describe('the publisher', () => {
  it('sends what waits to the topic of its kind and tenant, keyed by device, and forgets it', async () => {
    const { store, broker, acme, umbrella, startPublisher, enqueue, waiting, paused } = world();
    await enqueue(acme, [1]);
    await enqueue(umbrella, [2]);
    await enqueue(acme, [3], 'status');
    const rows = await store.asSystem((tx) => tx.select().from(outbox).orderBy(asc(outbox.id)));
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
    expect(publisher.snapshot()).toMatchObject({ published: 3, failures: 0, broker: 'ok' });
  });

  it('sends more than one round, in order', async () => {
    const { broker, acme, startPublisher, enqueue, paused } = world();
    await enqueue(acme, numbers(0, 1_200));
    startPublisher();
    await paused();
    expect(broker.values()).toEqual(numbers(0, 1_200));
  });

  it('looks at once when it is woken, and after a second when nobody wakes it', async () => {
    const { clock, broker, acme, startPublisher, enqueue, paused } = world();
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

  it('waits longer and longer for a broker that is away, whoever wakes it, and then sends everything in order', async () => {
    const { clock, broker, acme, startPublisher, enqueue, paused } = world();
    broker.up = false;
    await enqueue(acme, numbers(0, 5));
    const publisher = startPublisher();
    await paused();
    const waits = [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000];
    for (const [tries, wait] of waits.entries()) {
      expect(broker.sends).toBe(tries + 1);
      expect(publisher.snapshot()).toMatchObject({ broker: 'unreachable', failures: tries + 1 });
      await enqueue(acme, [5 + tries]);
      publisher.wake();
      await clock.advance(wait - 1);
      expect(broker.sends).toBe(tries + 1);
      if (tries === waits.length - 1) broker.up = true;
      await clock.advance(1);
      await paused();
    }
    expect(broker.values()).toEqual(numbers(0, 5 + waits.length));
    expect(publisher.snapshot()).toMatchObject({ broker: 'ok' });
  });

  it('sends again under the same event ids what was not acknowledged', async () => {
    const { clock, broker, acme, startPublisher, enqueue, paused } = world();
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

  it('holds back a topic that refuses, and nothing else', async () => {
    const { clock, broker, acme, umbrella, startPublisher, enqueue, paused } = world();
    broker.refusedTopics.add('telemetry.raw.acme');
    await enqueue(acme, numbers(0, 600));
    await enqueue(umbrella, [7]);
    const publisher = startPublisher();
    await paused();
    await clock.advance(1_000);
    await paused();
    expect(broker.values('telemetry.raw.umbrella')).toEqual([7]);
    expect(publisher.snapshot()).toMatchObject({ heldBackStreams: 1, broker: 'ok' });
    broker.refusedTopics.clear();
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      await paused();
    }
    expect(broker.values('telemetry.raw.acme')).toEqual(numbers(0, 600));
    expect(publisher.snapshot()).toMatchObject({ heldBackStreams: 0 });
  });

  it('sets aside an event that is too large, and sends those around it', async () => {
    const { store, clock, broker, acme, startPublisher, enqueue, waiting, paused } = world();
    broker.largestRecord = 20;
    await enqueue(acme, [1, 'x'.repeat(100), 3]);
    const publisher = startPublisher();
    await paused();
    expect(broker.values()).toEqual([1, 3]);
    expect(await waiting()).toEqual([]);
    const [letter] = await store.asSystem((tx) => tx.select().from(deadLetters));
    expect(letter).toMatchObject({
      ...acme,
      kind: 'event',
      path: 'telemetry.raw.acme',
      reason: 'larger than the max message size',
      bytes: new Uint8Array(Buffer.from(JSON.stringify({ n: 'x'.repeat(100) }))),
      receivedAt: new Date(clock.now()),
    });
    // All three together are too large, and then each goes alone.
    expect(broker.calls.map(([, records]) => records)).toEqual([3, 1, 1, 1]);
    expect(publisher.snapshot()).toMatchObject({ published: 2, setAside: 1, failures: 0 });
  });

  it('forgets an event that is too large when its device has been deleted', async () => {
    const { store, broker, acme, startPublisher, enqueue, waiting, paused } = world();
    broker.largestRecord = 20;
    const deleted = { ...acme, deviceId: crypto.randomUUID() as DeviceId }; // no device has this id
    await enqueue(deleted, ['x'.repeat(100)]);
    const publisher = startPublisher();
    await paused();
    expect(await waiting()).toEqual([]);
    expect(await store.asSystem((tx) => tx.$count(deadLetters))).toBe(0);
    expect(publisher.snapshot()).toMatchObject({ published: 0, setAside: 1, broker: 'ok' });
  });

  it('sends at most 512 KiB of values together', async () => {
    const { broker, acme, startPublisher, enqueue, paused } = world();
    const half = text(256 * 1024);
    await enqueue(acme, [text(600 * 1024), half, half, half, text(256 * 1024 + 1), text(10)]);
    startPublisher();
    await paused();
    expect(broker.calls.map(([, records]) => records)).toEqual([1, 2, 1, 2]);
    expect(broker.log).toHaveLength(6);
  });

  it('treats an error that is none of the sender’s like a broker that is away', async () => {
    const { clock, broker, acme, startPublisher, enqueue, waiting, paused } = world();
    broker.before = () => Promise.reject(new RangeError('unexpected'));
    await enqueue(acme, [1]);
    const publisher = startPublisher();
    await paused();
    expect(publisher.snapshot()).toMatchObject({
      broker: 'unreachable',
      failures: 1,
      setAside: 0,
      heldBackStreams: 0,
    });
    expect(await waiting()).toEqual([1]);
    broker.before = async () => {};
    await clock.advance(250);
    await paused();
    expect(broker.values()).toEqual([1]);
  });

  it('logs once that the broker is away, and once that it is back', async () => {
    const { clock, broker, acme, logged, startPublisher, enqueue, paused } = world();
    await enqueue(acme, [1]);
    startPublisher();
    await paused();
    expect(logged).toEqual([]);
    broker.up = false;
    await enqueue(acme, [2]);
    for (const wait of [1_000, 250, 500]) {
      await clock.advance(wait);
      await paused();
    }
    expect(logged.map(({ level }) => level)).toEqual([WARNING]);
    broker.up = true;
    await clock.advance(1_000);
    await paused();
    await clock.advance(1_000);
    await paused();
    expect(logged.map(({ level }) => level)).toEqual([WARNING, INFORMATION]);
  });

  it('checks the broker at the start and every ten seconds, although there is nothing to send', async () => {
    const { clock, broker, logged, startPublisher, paused } = world();
    broker.up = false;
    const publisher = startPublisher();
    expect(publisher.snapshot()).toMatchObject({ broker: 'connecting' });
    await paused();
    expect(publisher.snapshot()).toMatchObject({ broker: 'unreachable' });
    expect(logged).toMatchObject([{ level: WARNING, code: 'UNREACHABLE', reason: 'connect ECONNREFUSED' }]);
    broker.up = true;
    await clock.advance(250);
    await paused();
    expect(publisher.snapshot()).toMatchObject({ broker: 'ok' });
    expect(logged).toHaveLength(2);
    broker.up = false;
    for (let second = 0; second < 10; second++) {
      expect(broker.checks).toBe(2);
      await clock.advance(1_000);
      await paused();
    }
    expect(publisher.snapshot()).toMatchObject({ broker: 'unreachable' });
  });

  it('reports a broker that does not answer for five seconds, and stops within two', async () => {
    const { clock, broker, startPublisher } = world();
    const answers: (() => void)[] = [];
    const asked = new Promise<void>((resolve) => {
      broker.before = () => {
        resolve();
        return new Promise((resume) => answers.push(resume));
      };
    });
    const publisher = startPublisher();
    await asked;
    await clock.advance(5_000);
    expect(publisher.snapshot()).toMatchObject({ broker: 'connecting' });
    await clock.advance(1);
    expect(publisher.snapshot()).toMatchObject({ broker: 'unresponsive' });
    const close = broker.close.bind(broker);
    broker.close = () => new Promise(() => {});
    const stopped = publisher.stop();
    await clock.advance(2_000);
    await stopped;
    broker.close = close;
    for (const answer of answers) answer();
  });

  it('logs events that are set aside once a minute, with their number and without a stack', async () => {
    const { clock, broker, acme, logged, startPublisher, enqueue, paused } = world();
    broker.largestRecord = 20;
    const large = 'x'.repeat(100);
    await enqueue(acme, [large, large, large]);
    startPublisher();
    await paused();
    const line = { level: 50, reason: 'larger than the max message size', device: acme.deviceId, bytes: 108 };
    expect(logged).toEqual([expect.objectContaining({ ...line, events: 1 })]);
    expect(JSON.stringify(logged)).not.toContain('stack');
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      await paused();
    }
    await enqueue(acme, [large]);
    await clock.advance(1_000);
    await paused();
    expect(logged.slice(1)).toEqual([expect.objectContaining({ ...line, events: 3 })]);
  });

  it('looks again at once when it is woken while it sends', async () => {
    const { broker, acme, startPublisher, enqueue, paused } = world();
    await enqueue(acme, [1]);
    const publisher = startPublisher();
    broker.before = async () => {
      broker.before = async () => {};
      await enqueue(acme, [2]);
      publisher.wake();
    };
    await paused();
    expect(broker.values()).toEqual([1, 2]);
  });

  it('renews its lease after 20 s, and sends nothing once another process has it', async () => {
    const { store, clock, broker, acme, startPublisher, enqueue, paused } = world();
    const lease = async () => {
      const [row] = await store.asSystem((tx) => tx.select().from(leases));
      if (!row) throw new Error('a publisher that runs has the lease');
      return row;
    };
    const begun = Date.now();
    startPublisher();
    await paused();
    const first = await lease();
    expect(first.name).toBe('publisher');
    expect(first.until.getTime() - begun).toBeGreaterThanOrEqual(59_000);
    await clock.advance(19_000);
    await paused();
    expect(await lease()).toEqual(first);
    await clock.advance(1_000);
    await paused();
    expect((await lease()).until.getTime()).toBeGreaterThan(first.until.getTime());
    const thief = crypto.randomUUID();
    await store.asSystem((tx) => tx.update(leases).set({ holder: thief }));
    await clock.advance(20_000);
    await paused();
    await enqueue(acme, [1]);
    await clock.advance(1_000);
    await paused();
    expect(broker.values()).toEqual([]);
    expect((await lease()).holder).toBe(thief);
  });

  it('leaves the work to the process that has it, and takes it over when that one stops', async () => {
    const { clock, broker, acme, startPublisher, enqueue, paused } = world();
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

  it('stops while the broker is away, and the next start sends what waits', async () => {
    const { clock, broker, acme, startPublisher, enqueue, paused } = world();
    broker.up = false;
    await enqueue(acme, [1, 2]);
    const publisher = startPublisher();
    await paused();
    await publisher.stop();
    expect(clock.pendingCount).toBe(0);
    expect(broker.closed).toBe(1);
    broker.up = true;
    startPublisher();
    await paused();
    expect(broker.values()).toEqual([1, 2]);
  });

  it('stops after two seconds when the broker does not answer', async () => {
    const { clock, broker, acme, startPublisher, enqueue } = world();
    const answers: (() => void)[] = [];
    const asked = new Promise<void>((resolve) => {
      broker.before = () => {
        resolve();
        return new Promise((answered) => answers.push(answered));
      };
    });
    await enqueue(acme, [1]);
    const publisher = startPublisher();
    await asked;
    let stopped = false;
    const stop = publisher.stop().then(() => (stopped = true));
    await clock.advance(1_999);
    expect([stopped, broker.closed]).toEqual([false, 0]);
    await clock.advance(1);
    await stop;
    expect(broker.closed).toBe(1);
    for (const answer of answers) answer();
  });
});
