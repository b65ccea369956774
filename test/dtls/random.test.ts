import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { randomInBlocks } from '../../src/dtls/random.ts';

describe('random bytes in blocks', () => {
  it('have the requested length and never repeat', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 16, max: 5_000 }), { maxLength: 40 }), (sizes) => {
        const random = randomInBlocks();
        const drawn = sizes.map((size) => random(size));
        expect(drawn.map(({ length }) => length)).toEqual(sizes);
        const beginnings = drawn.map((bytes) => bytes.toString('hex', 0, 16));
        expect(new Set(beginnings).size).toBe(sizes.length);
        expect(beginnings).not.toContain('00'.repeat(16));
      }),
    );
  });

  it('are not changed by later draws', () => {
    const random = randomInBlocks();
    const first = random(32);
    const copy = Buffer.from(first);
    for (let n = 0; n < 300; n++) random(32);
    expect(first).toEqual(copy);
  });
});
