import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deadlines, type Due } from '../../src/lwm2m/deadlines.ts';
import { ManualClock } from '../manual-clock.ts';

interface Named extends Due {
  readonly name: number;
}

const named = (name: number): Named => ({ name, dueAt: Infinity, heapIndex: -1 });

describe('deadlines', () => {
  it('become due in order of time, with one timer, after any changes', async () => {
    const change = fc.record({ name: fc.nat(30), at: fc.option(fc.nat(1000), { nil: null }) });
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 200 }), async (changes) => {
        const clock = new ManualClock(0);
        const heard: [number, number][] = [];
        const deadlines = new Deadlines<Named>(clock, ({ name }) => heard.push([clock.now(), name]));
        const items = Array.from({ length: 31 }, (_, name) => named(name));
        const expected = new Map<number, number>();
        for (const { name, at } of changes) {
          const item = items[name];
          if (!item) continue;
          if (at === null) {
            deadlines.delete(item);
            expected.delete(name);
          } else {
            deadlines.set(item, at);
            expected.set(name, at);
          }
        }
        expect(deadlines.size).toBe(expected.size);
        expect(clock.pendingCount).toBeLessThanOrEqual(1);
        await clock.advance(2000);
        expect(heard.map(([at]) => at)).toEqual([...expected.values()].sort((left, right) => left - right));
        expect(new Map(heard.map(([at, name]) => [name, at]))).toEqual(expected);
        expect(deadlines.size).toBe(0);
      }),
    );
  });

  it('can be set again from the callback', async () => {
    const clock = new ManualClock(0);
    const heard: number[] = [];
    const deadlines: Deadlines<Named> = new Deadlines(clock, (due) => {
      heard.push(clock.now());
      if (heard.length < 3) deadlines.set(due, clock.now() + 10);
    });
    deadlines.set(named(1), 5);
    await clock.advance(100);
    expect(heard).toEqual([5, 15, 25]);
  });

  it('do not become due after stop', async () => {
    const clock = new ManualClock(0);
    const heard: number[] = [];
    const deadlines = new Deadlines<Named>(clock, ({ name }) => heard.push(name));
    deadlines.set(named(1), 5);
    deadlines.stop();
    deadlines.set(named(2), 6);
    await clock.advance(100);
    expect(heard).toEqual([]);
    expect(clock.pendingCount).toBe(0);
  });
});
