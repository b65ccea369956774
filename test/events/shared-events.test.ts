import { expect, it, vi } from 'vitest';

import { shareEvents } from '../../src/composition/shared-events.ts';
import { createEventBus } from '../../src/events/index.ts';

interface Topics {
  readonly ended: { readonly id: string };
  readonly own: { readonly id: string };
}

/** Processes whose messages reach all of them, the sender too. */
function processes(count: number) {
  const sent: string[] = [];
  const all = Array.from({ length: count }, () => {
    const bus = createEventBus<Topics>();
    const errors: unknown[] = [];
    const shared = shareEvents<Topics>({
      bus,
      keys: { ended: ({ id }) => `key of ${id}` },
      channel: () => ({
        async send(message) {
          sent.push(message);
          for (const one of all) one.shared.receive(message);
        },
      }),
      onError: (error) => errors.push(error),
    });
    const heard: string[] = [];
    for (const topic of ['ended', 'own'] as const) {
      const events = bus.subscribe(topic, topic === 'ended' ? 'key of a' : null);
      void (async () => {
        for await (const event of events) if (event.kind === 'event') heard.push(`${topic} ${event.value.id}`);
      })();
    }
    return { bus, shared, heard, errors };
  });
  return { all, sent };
}

it('publishes an event of a shared topic once in each process, and no other topic', async () => {
  const { all, sent } = processes(3);
  all[0]?.bus.publish('ended', 'key of a', { id: 'a' });
  all[0]?.bus.publish('own', 'x', { id: 'b' });
  await vi.waitFor(() => expect(all[2]?.heard).toEqual(['ended a']));
  expect(all.map(({ heard }) => heard)).toEqual([['ended a', 'own b'], ['ended a'], ['ended a']]);
  expect(sent).toHaveLength(1);
});

it.each(['', 'null', '7', '{"from":"x"}', '{"from":"x","topic":"own","key":"","value":{}}'])(
  'ignores the message %j of another program',
  async (message) => {
    const { all } = processes(1);
    all[0]?.shared.receive(message);
    await Promise.resolve();
    expect(all[0]?.heard).toEqual([]);
  },
);
