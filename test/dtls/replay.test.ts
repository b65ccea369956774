import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ReplayWindow } from '../../src/dtls/replay.ts';

describe('the replay window', () => {
  it('accepts each of 64 sequence numbers once, and no older one', () => {
    const window = new ReplayWindow();
    window.mark(100);
    expect(window.accepts(100)).toBe(false);
    expect(window.accepts(37)).toBe(true);
    expect(window.accepts(36)).toBe(false);
    window.mark(37);
    expect(window.accepts(37)).toBe(false);
    expect(window.accepts(101)).toBe(true);
  });

  it('takes the sequence number 0 first, and once', () => {
    const window = new ReplayWindow();
    expect([window.accepts(0), window.mark(0), window.accepts(0), window.accepts(1)]).toEqual([
      true,
      true,
      false,
      true,
    ]);
  });

  it('is not changed by a mark on what is older than itself', () => {
    const window = new ReplayWindow();
    window.mark(200);
    for (const old of [136, 104, 72, 0]) expect(window.mark(old)).toBe(false);
    for (let sequence = 137; sequence < 200; sequence++) expect(window.accepts(sequence)).toBe(true);
  });

  it.each([1, 31, 32, 33, 63, 64, 65, 1_000])('moves on by %i', (step) => {
    const window = new ReplayWindow();
    const seen = [100, 99, 69, 68, 67, 37];
    for (const sequence of seen) window.mark(sequence);
    window.mark(100 + step);
    for (let sequence = 37; sequence <= 100 + step; sequence++) {
      const isNew = sequence > 100 + step - 64 && !seen.includes(sequence) && sequence !== 100 + step;
      expect([sequence, window.accepts(sequence)]).toEqual([sequence, isNew]);
    }
  });

  it('reports whether a record is newer than all earlier ones', () => {
    const window = new ReplayWindow();
    expect([window.mark(5), window.mark(4), window.mark(6), window.mark(6)]).toEqual([true, false, true, false]);
  });

  it('agrees with a set of the last 64 numbers in any order of arrival', () => {
    const jump = fc.integer({ min: -70, max: 70 });
    fc.assert(
      fc.property(fc.array(jump, { maxLength: 200 }), (jumps) => {
        const window = new ReplayWindow();
        const seen = new Set<number>();
        let highest = 1_000;
        window.mark(highest);
        seen.add(highest);
        for (const step of jumps) {
          const sequence = Math.max(0, highest + step);
          const expected = sequence > highest - 64 && !seen.has(sequence);
          expect(window.accepts(sequence)).toBe(expected);
          if (!expected) continue;
          window.mark(sequence);
          seen.add(sequence);
          highest = Math.max(highest, sequence);
        }
        const restored = new ReplayWindow(window.state);
        for (let back = -2; back < 70; back++) {
          expect(restored.accepts(highest - back)).toBe(window.accepts(highest - back));
        }
      }),
    );
  });
});
