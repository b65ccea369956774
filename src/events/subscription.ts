/** A subscriber receives events in order and, after its buffer was full, the number of missed events. */
export type Event<T> =
  | { readonly kind: 'event'; readonly value: T }
  | { readonly kind: 'missed'; readonly count: number };

/** Use one loop per subscription: all its iterators share one buffer. Leaving the loop closes the subscription. */
export interface Subscription<T> extends AsyncIterable<Event<T>> {
  /** Ends the loop and discards the buffered events. Idempotent. */
  close(): void;
}

/** A subscription with the method that the bus calls. */
export interface Subscriber<T> extends Subscription<T> {
  offer(value: T): 'taken' | 'dropped-oldest' | 'refused';
}

/** `buffer`: the capacity, at least 1. `accept`: an event that it refuses is not buffered. `closed` is called once. */
export function createSubscriber<T>(
  buffer: number,
  closed: () => void,
  accept: (value: T) => boolean = () => true,
): Subscriber<T> {
  const capacity = Math.max(1, Math.trunc(buffer));
  /** A ring buffer: `count` events, starting at `first`. It grows up to the capacity. */
  const ring: T[] = [];
  let first = 0;
  let count = 0;
  let missed = 0;
  let open = true;
  const waiting: ((result: IteratorResult<Event<T>, undefined>) => void)[] = [];

  function take(): Event<T> | undefined {
    // The dropped events are older than all buffered ones, so their number comes first.
    if (missed > 0) {
      const event = { kind: 'missed', count: missed } as const;
      missed = 0;
      return event;
    }
    if (count === 0) return undefined;
    const value = ring[first] as T; // `count` > 0, so the value exists
    first = (first + 1) % capacity;
    count--;
    if (count === 0) {
      // Release the events: an idle subscriber keeps none in memory.
      ring.length = 0;
      first = 0;
    }
    return { kind: 'event', value };
  }

  function close(): void {
    if (!open) return;
    open = false;
    ring.length = 0;
    count = 0;
    missed = 0;
    closed();
    for (const resolve of waiting.splice(0)) resolve({ done: true, value: undefined });
  }

  const iterator: AsyncIterator<Event<T>, undefined> = {
    next() {
      const value = take();
      if (value) return Promise.resolve({ done: false, value });
      if (!open) return Promise.resolve({ done: true, value: undefined });
      return new Promise((resolve) => waiting.push(resolve));
    },
    return() {
      close();
      return Promise.resolve({ done: true, value: undefined });
    },
  };

  return {
    offer(value) {
      if (!accept(value)) return 'refused';
      const resolve = waiting.shift();
      if (resolve) {
        resolve({ done: false, value: { kind: 'event', value } });
        return 'taken';
      }
      ring[(first + count) % capacity] = value;
      if (count < capacity) {
        count++;
        return 'taken';
      }
      first = (first + 1) % capacity;
      missed++;
      return 'dropped-oldest';
    },
    close,
    [Symbol.asyncIterator]: () => iterator,
  };
}
