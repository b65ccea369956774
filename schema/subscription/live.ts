import type { Event, Subscription } from '../../src/events/index.ts';

/** One event of a subscription: what its field resolves to, and how many events were lost before it. */
export interface LiveEvent<T> {
  readonly value: T;
  readonly missed: number;
  /**
   * The event of the bus that it stands for, the same object for every subscriber; null for what only this subscriber
   * gets. Subscribers of the same query, variables and access may share what an origin resolves to.
   */
  readonly origin: object | null;
}

export interface LiveOptions<E, T> {
  readonly subscription: Subscription<E>;
  /** What the subscriber gets of an event of the bus; null: nothing. */
  readonly select: (event: E) => T | null | Promise<T | null>;
  /** What comes first, and again after events were lost, so that the subscriber never keeps a stale state. */
  readonly present?: () => Promise<T>;
  /** Called once when the subscriber leaves, in whatever way. */
  readonly left?: () => void;
}

/**
 * The events of a subscription. A generator would only hear of a subscriber's leaving when the next event comes; this
 * leaves at once, whether an event is awaited or not.
 */
export function live<E extends object, T>(options: LiveOptions<E, T>): AsyncIterableIterator<LiveEvent<T>> {
  const { subscription, select, present, left } = options;
  const events: AsyncIterator<Event<E>> = subscription[Symbol.asyncIterator]();
  let state: 'starting' | 'running' | 'left' = 'starting';
  let missed = 0;

  const leave = (): void => {
    if (state === 'left') return;
    state = 'left';
    subscription.close();
    left?.();
  };
  const done = { done: true, value: undefined } as const;
  const emit = async (value: T | Promise<T>, origin: object | null): Promise<IteratorResult<LiveEvent<T>>> => {
    const event = { value: await value, missed, origin };
    missed = 0;
    return isLeft() ? done : { done: false, value: event };
  };
  // Asked anew after each await: the subscriber may have left meanwhile.
  const isLeft = (): boolean => state === 'left';

  const next = async (): Promise<IteratorResult<LiveEvent<T>>> => {
    if (state === 'starting') {
      state = 'running';
      if (present) return emit(present(), null);
    }
    while (!isLeft()) {
      const result = await events.next();
      if (result.done || isLeft()) break;
      if (result.value.kind === 'missed') {
        missed += result.value.count;
        if (present) return emit(present(), null);
        continue;
      }
      const event = result.value.value;
      const selected = await select(event);
      if (selected !== null) return emit(selected, event);
    }
    leave();
    return done;
  };

  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () =>
      next().catch((error: unknown) => {
        leave();
        throw error;
      }),
    return: async () => {
      leave();
      return done;
    },
    throw: async (error: unknown) => {
      leave();
      throw error;
    },
  };
}
