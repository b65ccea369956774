import type { ByteBudget } from './budget.ts';
import { copyOf } from './message.ts';

/** A message of the peer that is or was processed (RFC 7252 §4.5). */
export interface RecentMessage {
  readonly messageId: number;
  readonly expiresAt: number;
  /** True until the message is answered. */
  inProgress: boolean;
  /** The answer to a duplicate: the reply, or the empty ACK that preceded it. Null: a duplicate gets no answer. */
  reply: Uint8Array | null;
}

/**
 * The recent message IDs of one peer, limited by number and age. A message in progress is never removed to make room,
 * so a duplicate can't run the handler again while it still runs.
 */
export class RecentMessages {
  readonly #most: number;
  readonly #budget: ByteBudget;
  /** Oldest first. The list is short: a scan is faster than a hash table. */
  readonly #entries: RecentMessage[] = [];

  constructor(most: number, budget: ByteBudget) {
    this.#most = most;
    this.#budget = budget;
  }

  find(messageId: number, now: number): RecentMessage | undefined {
    for (const entry of this.#entries) {
      if (entry.messageId === messageId && (entry.inProgress || entry.expiresAt > now)) return entry;
    }
    return undefined;
  }

  /** Records a message. Null when the list is full of messages in progress. */
  begin(messageId: number, now: number, lifetimeMs: number): RecentMessage | null {
    this.prune(now);
    if (this.#entries.length >= this.#most) {
      const answered = this.#entries.findIndex((entry) => !entry.inProgress);
      if (answered < 0) return null;
      this.#removeAt(answered);
    }
    const entry: RecentMessage = { messageId, expiresAt: now + lifetimeMs, inProgress: true, reply: null };
    this.#entries.push(entry);
    return entry;
  }

  /** Keeps the reply for duplicates. False when all replies together exceed their limit: a duplicate gets no answer. */
  keepReply(entry: RecentMessage, reply: Uint8Array): boolean {
    // The entry was removed meanwhile: its reply would never be released.
    if (!this.#entries.includes(entry)) return true;
    this.#budget.release(entry.reply?.length ?? 0);
    // Copy it: the original is a view that would keep a whole page of Node's buffer pool.
    entry.reply = this.#budget.reserve(reply.length) ? copyOf(reply) : null;
    return entry.reply !== null;
  }

  /** Removes a message that was not processed, so that its retransmission counts as new. */
  forget(entry: RecentMessage): void {
    const index = this.#entries.indexOf(entry);
    if (index >= 0) this.#removeAt(index);
  }

  /** Removes expired messages. False when the list is empty. */
  prune(now: number): boolean {
    let first = this.#entries[0];
    while (first && !first.inProgress && first.expiresAt <= now) {
      this.#removeAt(0);
      first = this.#entries[0];
    }
    return this.#entries.length > 0;
  }

  clear(): void {
    while (this.#entries.length > 0) this.#removeAt(this.#entries.length - 1);
  }

  #removeAt(index: number): void {
    const entry = index === 0 ? this.#entries.shift() : this.#entries.splice(index, 1)[0];
    this.#budget.release(entry?.reply?.length ?? 0);
    if (entry) entry.reply = null;
  }
}
