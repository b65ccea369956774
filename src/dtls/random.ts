import { randomFillSync } from 'node:crypto';

/** Returns unpredictable bytes in a new buffer. */
export type Random = (size: number) => Buffer;

/** Bytes per call of node:crypto. A call for this many costs little more than one for 32. */
const BLOCK = 4_096;

/** Takes random bytes from a block that node:crypto fills, and erases them from the block. */
export function randomInBlocks(): Random {
  const block = Buffer.alloc(BLOCK);
  let used = BLOCK;
  return (size) => {
    const bytes = Buffer.alloc(size);
    if (size > BLOCK) return randomFillSync(bytes);
    if (used + size > BLOCK) {
      randomFillSync(block);
      used = 0;
    }
    block.copy(bytes, 0, used, used + size);
    block.fill(0, used, used + size);
    used += size;
    return bytes;
  };
}
