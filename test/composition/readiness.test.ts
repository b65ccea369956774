import { describe, expect, it } from 'vitest';

import { createReadiness } from '../../src/composition/readiness.ts';
import { ManualClock } from '../manual-clock.ts';

const NO_BROKER = { publisher: () => null };

describe('the readiness', () => {
  it('is there while the database answers', async () => {
    const ready = createReadiness({ ping: async () => {} }, NO_BROKER, new ManualClock());
    expect(await ready()).toEqual({ ready: true, checks: { database: 'ok', broker: 'none' } });
  });

  it('is known within two seconds while the database hangs, by one request to it', async () => {
    const clock = new ManualClock();
    let asked = 0;
    const ping = (): Promise<never> => {
      asked++;
      return new Promise(() => {});
    };
    const ready = createReadiness({ ping }, NO_BROKER, clock);
    const answers = Promise.all([ready(), ready()]);
    await clock.advance(1_999);
    const hanging = { ready: false, checks: { database: 'does not respond', broker: 'none' } };
    expect(await answers).toEqual([hanging, hanging]);
    expect([asked, clock.pendingCount]).toEqual([1, 0]);
  });

  it('is not there while the database is unreachable', async () => {
    const ready = createReadiness({ ping: () => Promise.reject(new Error('refused')) }, NO_BROKER, new ManualClock());
    expect(await ready()).toEqual({ ready: false, checks: { database: 'unreachable', broker: 'none' } });
  });

  it.each([
    ['connecting', [], 'connecting'],
    ['ok', [], 'ok'],
    ['ok', ['telemetry.raw.acme'], 'refuses 1 topic, events wait'],
    ['ok', ['telemetry.raw.acme', 'device.status'], 'refuses 2 topics, events wait'],
    ['unresponsive', [], 'does not respond, events wait'],
    ['unreachable', ['device.status'], 'unreachable, events wait'],
  ] as const)('tells the state of a broker that is %s and refuses %o', async (broker, refusedTopics, text) => {
    const publisher = () => ({ published: 0, failures: 0, setAside: 0, broker, heldBackStreams: 0, refusedTopics });
    const ready = createReadiness({ ping: async () => {} }, { publisher }, new ManualClock());
    expect(await ready()).toEqual({ ready: true, checks: { database: 'ok', broker: text } });
  });
});
