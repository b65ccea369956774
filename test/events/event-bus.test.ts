import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { createEventBus, type Event, type Subscription } from '../../src/events/index.ts';

interface Topics {
  readonly reading: number;
  readonly status: string;
}

const event = <T>(value: T): Event<T> => ({ kind: 'event', value });

async function read<T>(subscription: Subscription<T>, count: number): Promise<Event<T>[]> {
  const events: Event<T>[] = [];
  const iterator = subscription[Symbol.asyncIterator]();
  while (events.length < count) {
    const next = await iterator.next();
    if (next.done) break;
    events.push(next.value);
  }
  return events;
}

describe('a subscriber', () => {
  it('receives the events of its topic and key in order', async () => {
    const bus = createEventBus<Topics>();
    const subscription = bus.subscribe('reading', 'acme/1');
    bus.publish('reading', 'acme/1', 1);
    bus.publish('reading', 'acme/2', 2);
    bus.publish('status', 'acme/1', 'online');
    bus.publish('reading', 'acme/1', 3);
    expect(await read(subscription, 2)).toEqual([event(1), event(3)]);
  });

  it('without a key receives the events of every key', async () => {
    const bus = createEventBus<Topics>();
    const subscription = bus.subscribe('reading', null);
    bus.publish('reading', 'acme/1', 1);
    bus.publish('reading', 'umbrella/1', 2);
    expect(await read(subscription, 2)).toEqual([event(1), event(2)]);
  });

  it('that waits receives the next event', async () => {
    const bus = createEventBus<Topics>();
    const next = read(bus.subscribe('reading', 'acme/1'), 1);
    bus.publish('reading', 'acme/1', 7);
    expect(await next).toEqual([event(7)]);
  });

  it('that is too slow loses the oldest events and receives the number of missed events', async () => {
    const bus = createEventBus<Topics>();
    const slow = bus.subscribe('reading', 'acme/1', { buffer: 3 });
    const other = bus.subscribe('reading', 'acme/1');
    for (let value = 1; value <= 8; value++) bus.publish('reading', 'acme/1', value);
    expect(await read(slow, 4)).toEqual([{ kind: 'missed', count: 5 }, event(6), event(7), event(8)]);
    expect(await read(other, 8)).toHaveLength(8);
    bus.publish('reading', 'acme/1', 9);
    expect(await read(slow, 1)).toEqual([event(9)]);
    expect(bus.snapshot()).toEqual({ subscribers: 2, published: 9, dropped: 5 });
  });

  it('has a buffer of 1,024 events by default', async () => {
    const bus = createEventBus<Topics>();
    const subscription = bus.subscribe('reading', 'acme/1');
    for (let value = 0; value < 1030; value++) bus.publish('reading', 'acme/1', value);
    expect(await read(subscription, 2)).toEqual([{ kind: 'missed', count: 6 }, event(6)]);
  });

  it('receives or misses every event exactly once at any pace', async () => {
    const steps = fc.array(fc.record({ publish: fc.nat(9), take: fc.nat(9) }));
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 5 }), async (plan, buffer) => {
        const bus = createEventBus<Topics>();
        const subscription = bus.subscribe('reading', 'k', { buffer });
        let published = 0;
        let accounted = 0;
        const take = async (most: number): Promise<void> => {
          for (let n = 0; n < most; n++) {
            if (accounted === published) return;
            for (const received of await read(subscription, 1)) {
              if (received.kind === 'missed') accounted += received.count;
              else expect(received.value).toBe(accounted++);
            }
          }
        };
        for (const step of plan) {
          for (let n = 0; n < step.publish; n++) bus.publish('reading', 'k', published++);
          await take(step.take);
        }
        await take(Infinity);
        expect(accounted).toBe(published);
      }),
    );
  });
});

describe('a subscriber that accepts only some events', () => {
  it('receives those, and the others displace none of them from its buffer', async () => {
    const bus = createEventBus<Topics>();
    const even = bus.subscribe('reading', null, { buffer: 2, accept: (value) => value % 2 === 0 });
    for (const value of [0, 1, 2, 3, 5, 7]) bus.publish('reading', 'acme/1', value);
    expect(await read(even, 2)).toEqual([event(0), event(2)]);
    expect(bus.snapshot().dropped).toBe(0);
  });
});

describe('a subscription ends', () => {
  it('when it is closed: the waiting loop ends, and later events are discarded', async () => {
    const bus = createEventBus<Topics>();
    const subscription = bus.subscribe('reading', 'acme/1');
    const waiting = read(subscription, 1);
    subscription.close();
    subscription.close();
    bus.publish('reading', 'acme/1', 1);
    expect(await waiting).toEqual([]);
    expect(await read(subscription, 1)).toEqual([]);
    expect(bus.snapshot().subscribers).toBe(0);
  });

  it('when its reader leaves the loop', async () => {
    const bus = createEventBus<Topics>();
    const subscription = bus.subscribe('reading', 'acme/1');
    bus.publish('reading', 'acme/1', 1);
    bus.publish('reading', 'acme/1', 2);
    for await (const received of subscription) {
      expect(received).toEqual(event(1));
      break;
    }
    expect(bus.snapshot().subscribers).toBe(0);
    expect(await read(subscription, 1)).toEqual([]);
  });

  it('when the bus is closed, and a later subscription ends at once', async () => {
    const bus = createEventBus<Topics>();
    const waiting = [read(bus.subscribe('reading', 'a'), 1), read(bus.subscribe('status', null), 1)];
    bus.close();
    expect(await Promise.all(waiting)).toEqual([[], []]);
    expect(await read(bus.subscribe('reading', 'a'), 1)).toEqual([]);
    expect(bus.snapshot().subscribers).toBe(0);
  });
});
