import { randomFillSync } from 'node:crypto';
import type { Delivery } from './delivery.ts';
import type { Message } from './message.ts';
import type { PeerState } from './peer.ts';

const TOKEN_BYTES = 8;

/** The receiver of the responses with one token. It stores its own table position, which saves an object each. */
export abstract class TokenHolder {
  abstract state: PeerState;
  slot = 0;
  nonce = 0;
  /** The next holder in the same slot, see `TokenTable`. */
  chained: TokenHolder | null = null;

  /** Processes a piggybacked response (RFC 7252 §5.2.1). */
  abstract onPiggybacked(message: Message): void;
  /** Processes a separate response or a notification; it must acknowledge, reject or forget the delivery. */
  abstract onSeparate(message: Message, delivery: Delivery): void;

  /** Called when a message with the token came from another peer and was rejected with a Reset. */
  onRejected(): void {}

  /** A copy. */
  get token(): Uint8Array {
    const token = new Uint8Array(TOKEN_BYTES);
    const view = new DataView(token.buffer);
    view.setUint32(0, this.slot);
    view.setInt32(4, this.nonce);
    return token;
  }
}

/**
 * Finds the holder of a token. A token consists of a slot index, for look-up in constant time, and 32 random bits, so
 * that an attacker who can't see the datagrams can't forge a response (RFC 7252 §5.3.1, §11.4). The slot of a resumed
 * token of an earlier run may be in use or beyond the end, so each slot has a chain of holders, usually of one.
 */
export class TokenTable {
  readonly #most: number;
  readonly #slots: (TokenHolder | null)[] = [];
  readonly #freed: number[] = [];
  #size = 0;

  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** False when the table is full. */
  add(holder: TokenHolder): boolean {
    if (this.#size >= this.#most) return false;
    holder.slot = this.#freeSlot();
    holder.nonce = randomInt32();
    this.#link(holder);
    return true;
  }

  /** Adds a holder with a given token. False when the table is full or the token is in use or does not have 8 bytes. */
  addAt(holder: TokenHolder, token: Uint8Array): boolean {
    if (token.length !== TOKEN_BYTES || this.#size >= this.#most || this.find(token)) return false;
    holder.slot = readInt32(token, 0) >>> 0;
    holder.nonce = readInt32(token, 4);
    this.#link(holder);
    return true;
  }

  find(token: Uint8Array): TokenHolder | null {
    if (token.length !== TOKEN_BYTES) return null;
    const slot = readInt32(token, 0) >>> 0;
    const nonce = readInt32(token, 4);
    let holder = this.#slots[slot % this.#most] ?? null;
    while (holder && (holder.nonce !== nonce || holder.slot !== slot)) holder = holder.chained;
    return holder;
  }

  /** Gives the token of `holder` to `successor`. */
  replace(holder: TokenHolder, successor: TokenHolder): void {
    successor.slot = holder.slot;
    successor.nonce = holder.nonce;
    successor.chained = holder.chained;
    if (this.#relink(holder, successor)) holder.chained = null;
  }

  /** Does nothing when the holder is not in the table. */
  remove(holder: TokenHolder): void {
    if (!this.#relink(holder, holder.chained)) return;
    holder.chained = null;
    this.#size--;
    const index = holder.slot % this.#most;
    if (!this.#slots[index]) this.#free(index);
  }

  /** Replaces `holder` by `next` in its chain. */
  #relink(holder: TokenHolder, next: TokenHolder | null): boolean {
    const index = holder.slot % this.#most;
    let before: TokenHolder | null = null;
    let current = this.#slots[index] ?? null;
    while (current && current !== holder) {
      before = current;
      current = current.chained;
    }
    if (!current) return false;
    if (before) before.chained = next;
    else this.#slots[index] = next;
    return true;
  }

  #link(holder: TokenHolder): void {
    const index = holder.slot % this.#most;
    while (this.#slots.length <= index) {
      // The slots before the slot of a resumed token are free.
      if (this.#slots.length < index) this.#freed.push(this.#slots.length);
      this.#slots.push(null);
    }
    holder.chained = this.#slots[index] ?? null;
    this.#slots[index] = holder;
    this.#size++;
  }

  #free(index: number): void {
    if (this.#freed.length < this.#slots.length) {
      this.#freed.push(index);
      return;
    }
    // A resumed token uses its slot without removing it from this list, so the list may contain duplicates: rebuild it.
    this.#freed.length = 0;
    for (const [slot, holder] of this.#slots.entries()) if (!holder) this.#freed.push(slot);
  }

  #freeSlot(): number {
    for (;;) {
      const slot = this.#freed.pop();
      // The table is not full, so without a free slot some chains are longer than one; slot 0 gets a longer one too.
      if (slot === undefined) return this.#slots.length < this.#most ? this.#slots.length : 0;
      // A resumed token may use the slot now.
      if (!this.#slots[slot]) return slot;
    }
  }
}

function readInt32(bytes: Uint8Array, offset: number): number {
  return (
    ((bytes[offset] ?? 0) << 24) |
    ((bytes[offset + 1] ?? 0) << 16) |
    ((bytes[offset + 2] ?? 0) << 8) |
    (bytes[offset + 3] ?? 0)
  );
}

const randomPool = new Int32Array(1024);
let randomLeft = 0;

/** Reads from the system's random generator, 1024 numbers at a time. */
function randomInt32(): number {
  if (randomLeft === 0) {
    randomFillSync(randomPool);
    randomLeft = randomPool.length;
  }
  return randomPool[--randomLeft] ?? 0;
}
