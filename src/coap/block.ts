import { optionNumbers, uintOption } from './option.ts';
import type { MessageOption } from './message.ts';

/** The value of a Block1 or Block2 option (RFC 7959 §2.2). */
export interface Block {
  readonly number: number;
  readonly more: boolean;
  /** 16 … 1024 bytes */
  readonly size: number;
}

/** RFC 8323 §6 uses SZX 7 for BERT over TCP. */
const RESERVED_SZX = 7;
const MAX_NUMBER = 0xf_ffff;
export const LARGEST_BLOCK = 1024;

/** Null for the reserved SZX 7 (RFC 7959 §2.2: it must not be sent). */
export function readBlock(value: number): Block | null {
  const szx = value & 7;
  if (szx === RESERVED_SZX) return null;
  return { number: value >> 4, more: (value & 8) !== 0, size: 16 << szx };
}

export function blockOption(number: number, block: Block): MessageOption {
  const szx = 27 - Math.clz32(block.size);
  return uintOption(number, (block.number << 4) | (block.more ? 8 : 0) | szx);
}

/** The longest Block1 or Block2 option: for the size of the messages of a transfer, before the blocks are known. */
export const LARGEST_OPTION = blockOption(optionNumbers.block1, {
  number: MAX_NUMBER,
  more: true,
  size: LARGEST_BLOCK,
});

/** Block `number` of a body of `total` bytes; it starts at `number` × `size`. Null when it starts after the end. */
export function blockAt(number: number, size: number, total: number): Block | null {
  const offset = number * size;
  if (number > MAX_NUMBER || (offset >= total && offset > 0)) return null;
  return { number, more: offset + size < total, size };
}
