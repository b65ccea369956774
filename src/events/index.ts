export interface Subscription<T> extends AsyncIterable<Event<T>> {
  close(): void;
}

/** What a subscriber receives: events in order, and, after a full buffer, how many it missed. */
export type Event<T> =
  | { readonly kind: 'event'; readonly value: T }
  | { readonly kind: 'missed'; readonly count: number };

/**
 * The event bus inside the process. A publisher never waits. Each subscriber has a bounded buffer of its own (1,024 by
 * default); when it is full the oldest event is dropped and the subscriber is told how many it missed.
 */
export interface EventBus<Topics> {
  publish<K extends keyof Topics>(topic: K, key: string, value: Topics[K]): void;
  /** `key` null: every key of the topic. What `accept` refuses never enters the buffer, so it can't push others out. */
  subscribe<K extends keyof Topics>(
    topic: K,
    key: string | null,
    options?: { buffer?: number; accept?: (value: Topics[K]) => boolean },
  ): Subscription<Topics[K]>;
  /** Ends every subscription. */
  close(): void;
}
