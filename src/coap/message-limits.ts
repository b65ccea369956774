import { encode, NO_BYTES, type MessageOption } from './message.ts';
import type { MessageLimits } from './transport.ts';

const SMALLEST_BLOCK = 16;

/** The bytes that a message with this token and these options leaves for a payload and its marker; may be negative. */
export function roomFor(limits: MessageLimits, token: Uint8Array, options: readonly MessageOption[]): number {
  if (limits.messageBytes === Infinity) return Infinity;
  const empty = encode({ type: 'CON', code: 0, messageId: 0, token, options, payload: NO_BYTES });
  return limits.messageBytes - empty.length;
}

/** True when a payload of `bytes` bytes fits in the room; a payload that is not empty has a marker of one byte. */
export function fits(bytes: number, room: number): boolean {
  return (bytes === 0 ? 0 : bytes + 1) <= room;
}

/** The largest block size, at most `largest`, that fits in the room; null when not even 16 bytes fit. */
export function fittingBlock(largest: number, room: number): number | null {
  for (let size = largest; size >= SMALLEST_BLOCK; size /= 2) if (fits(size, room)) return size;
  return null;
}
