import type { ByteBudget } from './budget.ts';
import { copyOf } from './message.ts';

/** A message of the peer that is being acted upon, or was (RFC 7252 §4.5). */
export interface RecentMessage {
  readonly messageId: number;
  readonly expiresAt: number;
  /** False once it is answered. */
  inProgress: boolean;
  /** What a duplicate is answered with: the reply, or an empty ACK when that went first; null for silence. */
  reply: Uint8Array | null;
}

/**
 * The message ids that one peer used lately, bounded by count and by age. A message in progress is never dropped for
 * room, so a duplicate never runs a handler a second time while the first runs.
 */
export class RecentMessages {
  readonly #most: number;
  readonly #budget: ByteBudget;
  /** Oldest first: short enough that a scan beats a hash. */
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

  /** Null when as many messages of the peer are in progress as are remembered. */
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

  /** A reply above what all replies together may take is not kept: its duplicates are met with silence. */
  keepReply(entry: RecentMessage, reply: Uint8Array): void {
    this.#budget.release(entry.reply?.length ?? 0);
    // A copy of its own size: the original would hold on to a whole page of Node's pool.
    entry.reply = this.#budget.reserve(reply.length) ? copyOf(reply) : null;
  }

  /** The message was not acted upon after all: its next copy counts as the first. */
  forget(entry: RecentMessage): void {
    const index = this.#entries.indexOf(entry);
    if (index >= 0) this.#removeAt(index);
  }

  /** Drops what is too old; false when nothing is left. */
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
