import type { Event, Subscription } from '../../src/events/index.ts';

/** One event of a subscription: its value, and the number of events that were lost before it. */
export interface LiveEvent<T> {
  readonly value: T;
  readonly missed: number;
  /**
   * The bus event behind this event, the same object for every subscriber; null for an event that only this subscriber
   * gets. Subscribers with the same query, variables and access may share the result of an origin.
   */
  readonly origin: object | null;
}

export interface LiveOptions<E, T> {
  readonly subscription: Subscription<E>;
  /** Converts a bus event to the subscriber's value; null skips the event. */
  readonly select: (event: E) => T | null | Promise<T | null>;
  /** False: this value is only for this subscriber, so that its result is not shared. Absent: all are shared. */
  readonly isShared?: (value: T) => boolean;
  /** The current state, sent as the first event and again after lost events. */
  readonly present?: () => Promise<T>;
  /** True for the last value: the subscription completes after it. */
  readonly isLast?: (value: T) => boolean;
  /** Called once when the subscription ends, for any reason. */
  readonly left?: () => void;
}

/**
 * The events of a subscription. It is not a generator, because a generator handles `return` only after the pending event;
 * this iterator ends immediately.
 */
export function live<E extends object, T>(options: LiveOptions<E, T>): AsyncIterableIterator<LiveEvent<T>> {
  const { subscription, select, isShared = () => true, present, isLast, left } = options;
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
    if (isLeft()) return done;
    if (isLast?.(event.value) === true) leave();
    return { done: false, value: event };
  };
  // A function, so that the state is read again after each await: the subscription may have ended in the meantime.
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
      if (selected !== null) return emit(selected, isShared(selected) ? event : null);
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
