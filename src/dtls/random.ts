import { randomFillSync } from 'node:crypto';

/** Unpredictable bytes in a buffer of their own. */
export type Random = (size: number) => Buffer;

/** One draw of this many bytes costs little more than one of 32. */
const BLOCK = 4_096;

/** Takes its bytes from blocks that node:crypto filled; what was handed out is wiped from the block. */
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
