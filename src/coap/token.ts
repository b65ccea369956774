import { randomFillSync } from 'node:crypto';
import type { Delivery } from './delivery.ts';
import type { Message } from './message.ts';
import type { PeerState } from './peer.ts';

const TOKEN_BYTES = 8;

/** Who a response with a certain token is for. Holds its own place in the table, which saves an object each. */
export abstract class TokenHolder {
  abstract state: PeerState;
  slot = 0;
  nonce = 0;
  /** The next holder in the same slot, see `TokenTable`. */
  chained: TokenHolder | null = null;

  /** Takes a response that came in the acknowledgement of a request of ours. */
  abstract onPiggybacked(message: Message): void;
  /** Takes a response in a CON or a NON of its own, and settles its delivery now or later. */
  abstract onSeparate(message: Message, delivery: Delivery): void;

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
 * Who waits under which token. A token is a slot's index, for a look-up in constant time, and 32 random bits, so that
 * one who doesn't see our datagrams can't answer them (RFC 7252 §5.3.1, §11.4). A token of an earlier run may name a slot that is
 * taken in this one, or one past the end: the holders of a slot form a chain, of one link but for those.
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

  /** Takes the place that a token names; false when the table is full, the token is not one of ours or is in use. */
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

  /** `successor` hears from now on what comes with the token of `holder`. */
  replace(holder: TokenHolder, successor: TokenHolder): void {
    successor.slot = holder.slot;
    successor.nonce = holder.nonce;
    successor.chained = holder.chained;
    if (this.#relink(holder, successor)) holder.chained = null;
  }

  /** Does nothing when it isn't there any more. */
  remove(holder: TokenHolder): void {
    if (!this.#relink(holder, holder.chained)) return;
    holder.chained = null;
    this.#size--;
    const index = holder.slot % this.#most;
    if (!this.#slots[index]) this.#free(index);
  }

  /** Puts `next` where `holder` is in its chain. */
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
      // Slots that a resumed token leaps over are free like any other.
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
    // A resumed token takes its slot without taking it off the list, so the list may name slots twice: write it anew.
    this.#freed.length = 0;
    for (const [slot, holder] of this.#slots.entries()) if (!holder) this.#freed.push(slot);
  }

  #freeSlot(): number {
    for (;;) {
      const slot = this.#freed.pop();
      // Size is below the bound, so at worst the chains of some slots are longer than one and this one's too.
      if (slot === undefined) return this.#slots.length < this.#most ? this.#slots.length : 0;
      // A resumed token may have taken it since.
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

/** From the system's generator, a kilo of numbers at a time. */
function randomInt32(): number {
  if (randomLeft === 0) {
    randomFillSync(randomPool);
    randomLeft = randomPool.length;
  }
  return randomPool[--randomLeft] ?? 0;
}
