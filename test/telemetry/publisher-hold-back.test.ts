import { describe, expect, it } from 'vitest';

import { outbox } from '../../src/store/index.ts';
import { numbers, usePublisher } from './publisher-world.ts';

const WARNING = 40;
const ACME = 'telemetry.raw.acme';
const UMBRELLA = 'telemetry.raw.umbrella';

const world = usePublisher();

describe('a topic that refuses', () => {
  it('is tried again after 0.25 s, and then after twice as long each time, up to 10 s', async () => {
    const { clock, broker, acme, startPublisher, enqueue, paused } = world();
    broker.refusedTopics.add(ACME);
    await enqueue(acme, [1, 2, 3]);
    const publisher = startPublisher();
    await paused();
    const tries = (): number => broker.sends;
    expect(tries()).toBe(1);
    for (const [times, wait] of [250, 500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000].entries()) {
      // The publisher looks at the outbox every second, and when it is woken: here in the millisecond before, and then.
      await clock.advance(wait - 1);
      publisher.wake();
      await paused();
      expect(tries()).toBe(times + 1);
      await clock.advance(1);
      publisher.wake();
      await paused();
      expect(tries()).toBe(times + 2);
      expect(publisher.snapshot()).toMatchObject({ failures: times + 2, published: 0, heldBackStreams: 1 });
    }
  });

  it('keeps its events in the outbox, in their order, until it accepts them', async () => {
    const { clock, broker, acme, startPublisher, enqueue, waiting, paused } = world();
    broker.refusedTopics.add(ACME);
    await enqueue(acme, [1, 2]);
    const publisher = startPublisher();
    await paused();
    await enqueue(acme, [3]);
    publisher.wake();
    await paused();
    expect(broker.calls).toEqual([[ACME, 2]]);
    expect(await waiting()).toEqual([1, 2, 3]);
    broker.refusedTopics.clear();
    await clock.advance(1_000);
    await paused();
    expect(broker.values()).toEqual([1, 2, 3]);
    expect(await waiting()).toEqual([]);
    expect(publisher.snapshot()).toMatchObject({ heldBackStreams: 0, published: 3, failures: 1 });
  });

  it('keeps no other tenant and no other kind of event waiting, however many events it has', async () => {
    const { broker, acme, umbrella, startPublisher, enqueue, paused } = world();
    broker.refusedTopics.add(ACME);
    await enqueue(acme, numbers(0, 500));
    await enqueue(acme, ['status'], 'status');
    await enqueue(umbrella, ['telemetry']);
    const publisher = startPublisher();
    await paused();
    expect(broker.values()).toEqual(['status', 'telemetry']);
    expect(publisher.snapshot()).toMatchObject({ heldBackStreams: 1, broker: 'ok' });
  });

  it('is reported, and its recovery is logged', async () => {
    const { clock, broker, acme, logged, startPublisher, enqueue, paused } = world();
    broker.refusedTopics.add(ACME);
    await enqueue(acme, [1]);
    const publisher = startPublisher();
    await paused();
    expect(publisher.snapshot()).toMatchObject({ broker: 'ok', refusedTopics: [ACME] });
    expect(logged).toMatchObject([{ level: WARNING, topic: ACME, reason: 'Not authorized to access topics' }]);
    broker.refusedTopics.clear();
    await clock.advance(1_000);
    await paused();
    expect(publisher.snapshot()).toMatchObject({ broker: 'ok', refusedTopics: [] });
    expect(logged.slice(1)).toMatchObject([{ level: 30, topic: ACME, msg: 'the broker accepts the topic again' }]);
  });

  it('is no longer reported when its last event was deleted', async () => {
    const { store, clock, broker, acme, startPublisher, enqueue, paused } = world();
    broker.refusedTopics.add(ACME);
    await enqueue(acme, [1]);
    const publisher = startPublisher();
    await paused();
    await store.asSystem((tx) => tx.delete(outbox));
    await clock.advance(1_000);
    await paused();
    expect(publisher.snapshot()).toMatchObject({ heldBackStreams: 0, refusedTopics: [] });
  });

  it('shared by several tenants is held back for each of them', async () => {
    const { clock, broker, acme, umbrella, startPublisher, enqueue, waiting, paused } = world();
    broker.refusedTopics.add('device.status');
    await enqueue(acme, [1], 'status');
    await enqueue(umbrella, [2], 'status');
    await enqueue(acme, [3]);
    const publisher = startPublisher();
    await paused();
    publisher.wake();
    await paused();
    expect(broker.calls).toEqual([
      ['device.status', 2],
      [ACME, 1],
    ]);
    expect(publisher.snapshot()).toMatchObject({ heldBackStreams: 2, failures: 1 });
    broker.refusedTopics.clear();
    await clock.advance(1_000);
    await paused();
    expect(broker.values('device.status')).toEqual([1, 2]);
    expect(await waiting()).toEqual([]);
    expect(publisher.snapshot().heldBackStreams).toBe(0);
  });

  it('begins anew with 0.25 s, and is logged again, when it refuses after it had accepted', async () => {
    const { clock, broker, acme, logged, startPublisher, enqueue, paused } = world();
    const publisher = startPublisher();
    await paused();
    for (const round of [1, 2]) {
      broker.refusedTopics.add(ACME);
      await enqueue(acme, [round]);
      publisher.wake();
      await paused();
      await clock.advance(250);
      publisher.wake();
      await paused();
      const warnings = logged.filter(({ level }) => level === WARNING);
      expect(warnings.map(({ topic }) => topic)).toEqual(Array.from({ length: round }, () => ACME));
      broker.refusedTopics.clear();
      await clock.advance(500);
      publisher.wake();
      await paused();
    }
    expect(broker.calls.filter(([topic]) => topic === ACME)).toHaveLength(6);
    expect(broker.values()).toEqual([1, 2]);
  });

  it('and another that refuses are tried again each in its own time', async () => {
    const { clock, broker, acme, umbrella, startPublisher, enqueue, paused } = world();
    broker.refusedTopics.add(ACME).add(UMBRELLA);
    await enqueue(acme, [1]);
    const publisher = startPublisher();
    await paused();
    await clock.advance(100);
    await enqueue(umbrella, [2]);
    publisher.wake();
    await paused();
    await clock.advance(150);
    publisher.wake();
    await paused();
    expect(broker.calls.map(([topic]) => topic)).toEqual([ACME, UMBRELLA, ACME]);
    await clock.advance(100);
    publisher.wake();
    await paused();
    expect(broker.calls.map(([topic]) => topic)).toEqual([ACME, UMBRELLA, ACME, UMBRELLA]);
  });
});
