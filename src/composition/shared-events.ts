import { randomUUID } from 'node:crypto';
import type { Event, EventBus } from '../events/index.ts';

/** What the bridge sends to the other processes. */
interface Envelope {
  /** The process that published the event. */
  readonly from: string;
  readonly topic: string;
  readonly key: string;
  readonly value: object;
}

/** The part of a channel that the bridge uses. */
interface Sender {
  send(message: string): Promise<void>;
}

/** Publishes the events of some topics in all processes on one database. */
export interface SharedEvents {
  /** Publishes the event of a message on this process's bus, unless this process sent it. */
  receive(message: string): void;
}

/**
 * Shares topics between the processes. `keys` has an entry for each shared topic: the key of its events on the bus.
 * Events must consist of JSON values. An event that can't be sent is given to `onError`; the other processes then find
 * out by themselves (see `createRevocations`). Runs until the bus closes.
 */
export function shareEvents<Topics extends { readonly [topic in keyof Topics]: object }>(options: {
  readonly bus: EventBus<Topics>;
  readonly channel: () => Sender;
  readonly keys: { readonly [K in keyof Topics]?: (value: Topics[K]) => string };
  readonly onError: (error: unknown) => void;
}): SharedEvents {
  const { bus, channel, keys, onError } = options;
  const me = randomUUID();
  /** The events that came from other processes: they are not sent again. */
  const received = new WeakSet<object>();
  const topics = Object.keys(keys) as (keyof Topics & string)[]; // the keys of `keys` are topics

  async function forward<K extends keyof Topics & string>(topic: K, event: Event<Topics[K]>): Promise<void> {
    const keyOf = keys[topic];
    if (event.kind !== 'event' || keyOf === undefined || received.has(event.value)) return;
    const envelope: Envelope = { from: me, topic, key: keyOf(event.value), value: event.value };
    await channel().send(JSON.stringify(envelope));
  }

  for (const topic of topics) {
    const events = bus.subscribe(topic, null);
    void (async () => {
      for await (const event of events) await forward(topic, event).catch(onError);
    })();
  }
  return {
    receive(message) {
      const envelope = parsed(message);
      if (envelope === null || envelope.from === me) return;
      const topic = topics.find((one) => one === envelope.topic);
      if (topic === undefined) return;
      received.add(envelope.value);
      // Another process of this program sent it, so it has the type of its topic.
      bus.publish(topic, envelope.key, envelope.value as Topics[typeof topic]);
    },
  };
}

/** Null for a message of another program or of a version with another form. */
function parsed(message: string): Envelope | null {
  try {
    const envelope = JSON.parse(message) as Partial<Envelope> | null; // checked below
    const { from, topic, key, value } = envelope ?? {};
    if (typeof from !== 'string' || typeof topic !== 'string' || typeof key !== 'string') return null;
    return typeof value === 'object' && value !== null ? { from, topic, key, value } : null;
  } catch {
    return null;
  }
}
