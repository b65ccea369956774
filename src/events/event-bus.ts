import { createSubscriber, type Subscriber, type Subscription } from './subscription.ts';

/**
 * The event bus inside the process. A publisher never waits. Each subscriber has its own bounded buffer (1,024 events
 * by default). When the buffer is full, the oldest event is dropped, and the subscriber receives the number of missed
 * events.
 */
export interface EventBus<Topics> {
  publish<K extends keyof Topics>(topic: K, key: string, value: Topics[K]): void;
  /**
   * `key`: null subscribes to every key of the topic. `accept`: an event that it refuses never enters the buffer, so a
   * burst of one tenant can't displace events of another. `accept` must not throw.
   */
  subscribe<K extends keyof Topics>(
    topic: K,
    key: string | null,
    options?: { buffer?: number; accept?: (value: Topics[K]) => boolean },
  ): Subscription<Topics[K]>;
  /** Ends every subscription. Later subscriptions end at once, and published events are discarded. */
  close(): void;
}

/** Values for the metrics. */
export interface EventBusSnapshot {
  readonly subscribers: number;
  readonly published: number;
  /** The number of events that full buffers dropped. */
  readonly dropped: number;
}

const BUFFER = 1024;

/** The map key of subscribers to every key of a topic. */
const EVERY = null;

export function createEventBus<Topics>(): EventBus<Topics> & { snapshot(): EventBusSnapshot } {
  const topics = new Map<keyof Topics, Map<string | null, Set<Subscriber<unknown>>>>();
  let closed = false;
  let subscribers = 0;
  let published = 0;
  let dropped = 0;

  function join(topic: keyof Topics, key: string | null, subscriber: Subscriber<unknown>): void {
    const keys = topics.get(topic) ?? new Map<string | null, Set<Subscriber<unknown>>>();
    topics.set(topic, keys);
    const audience = keys.get(key) ?? new Set();
    keys.set(key, audience.add(subscriber));
    subscribers++;
  }

  function leave(topic: keyof Topics, key: string | null, subscriber: Subscriber<unknown>): void {
    const keys = topics.get(topic);
    const audience = keys?.get(key);
    if (!audience?.delete(subscriber)) return;
    subscribers--;
    if (audience.size === 0) keys?.delete(key);
    if (keys?.size === 0) topics.delete(topic);
  }

  return {
    publish(topic, key, value) {
      const keys = topics.get(topic);
      published++;
      for (const audience of [keys?.get(key), keys?.get(EVERY)]) {
        for (const subscriber of audience ?? []) if (subscriber.offer(value) === 'dropped-oldest') dropped++;
      }
    },

    subscribe<K extends keyof Topics>(
      topic: K,
      key: string | null,
      options?: { buffer?: number; accept?: (value: Topics[K]) => boolean },
    ) {
      const subscriber = createSubscriber<Topics[K]>(
        options?.buffer ?? BUFFER,
        // `publish` offers a subscriber only values of its own topic.
        () => leave(topic, key, subscriber as Subscriber<unknown>),
        options?.accept,
      );
      if (closed) subscriber.close();
      else join(topic, key, subscriber as Subscriber<unknown>);
      return subscriber;
    },

    close() {
      closed = true;
      for (const keys of topics.values()) {
        for (const audience of keys.values()) for (const subscriber of audience) subscriber.close();
      }
    },

    snapshot: () => ({ subscribers, published, dropped }),
  };
}
