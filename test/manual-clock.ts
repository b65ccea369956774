import type { Clock, Timer } from '../src/clock.ts';

interface Pending {
  readonly at: number;
  readonly order: number;
  readonly task: () => void;
}

/** A clock that stands still until told: `advance` runs what falls due, in order, letting promises settle in between. */
export class ManualClock implements Clock {
  #now: number;
  #order = 0;
  readonly #pending = new Set<Pending>();

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): Timer {
    const pending = { at: this.#now + Math.max(0, ms), order: this.#order++, task };
    this.#pending.add(pending);
    return { cancel: () => void this.#pending.delete(pending) };
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const due = this.#earliest(end);
      if (!due) break;
      this.#pending.delete(due);
      this.#now = Math.max(this.#now, due.at);
      due.task();
    }
    this.#now = end;
    await settled();
  }

  #earliest(end: number): Pending | undefined {
    let earliest: Pending | undefined;
    for (const pending of this.#pending) {
      if (pending.at > end) continue;
      if (!earliest || pending.at < earliest.at || (pending.at === earliest.at && pending.order < earliest.order)) {
        earliest = pending;
      }
    }
    return earliest;
  }
}

/** Resolves when every promise that can settle without I/O has settled. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
