import type { Clock, Timer } from '../clock.ts';

/** An item with a due time. It stores its own heap index, which saves a map of a million entries. */
export interface Due {
  /** Milliseconds since the Unix epoch. */
  dueAt: number;
  /** The index in the heap; -1 when the item is in no heap. */
  heapIndex: number;
}

/**
 * Calls `onDue` for each item at its due time. All items share one timer and one binary heap, so an Update among a
 * million registrations moves at most twenty entries.
 */
export class Deadlines<D extends Due> {
  readonly #clock: Clock;
  readonly #onDue: (due: D) => void;
  readonly #heap: D[] = [];
  #timer: Timer | null = null;
  #armedFor = Infinity;
  #stopped = false;

  constructor(clock: Clock, onDue: (due: D) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Adds the item, or changes its due time. */
  set(due: D, at: number): void {
    due.dueAt = at;
    if (due.heapIndex < 0) {
      due.heapIndex = this.#heap.length;
      this.#heap.push(due);
    }
    this.#rise(due);
    this.#sink(due);
    this.#arm();
  }

  delete(due: D): void {
    const index = due.heapIndex;
    if (index < 0) return;
    const last = this.#heap.pop();
    due.heapIndex = -1;
    if (last === undefined || last === due) return;
    this.#put(last, index);
    this.#rise(last);
    this.#sink(last);
  }

  /** Cancels the timer; no item becomes due after this. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    const earliest = this.#heap[0];
    // A timer that fires too early finds no due item and is set again. That costs less than one reset per Update.
    if (this.#stopped || earliest === undefined || earliest.dueAt >= this.#armedFor) return;
    this.#timer?.cancel();
    this.#armedFor = earliest.dueAt;
    this.#timer = this.#clock.after(Math.max(0, earliest.dueAt - this.#clock.now()), () => this.#fire());
  }

  #fire(): void {
    this.#timer = null;
    this.#armedFor = Infinity;
    const now = this.#clock.now();
    for (let earliest = this.#heap[0]; earliest !== undefined && earliest.dueAt <= now; earliest = this.#heap[0]) {
      this.delete(earliest);
      this.#onDue(earliest);
    }
    this.#arm();
  }

  #rise(due: D): void {
    for (let index = due.heapIndex; index > 0;) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || parent.dueAt <= due.dueAt) return;
      this.#put(parent, index);
      this.#put(due, parentIndex);
      index = parentIndex;
    }
  }

  #sink(due: D): void {
    for (let index = due.heapIndex; ;) {
      const left = this.#heap[2 * index + 1];
      const right = this.#heap[2 * index + 2];
      const child = right !== undefined && left !== undefined && right.dueAt < left.dueAt ? right : left;
      if (child === undefined || child.dueAt >= due.dueAt) return;
      const childIndex = child.heapIndex;
      this.#put(child, index);
      this.#put(due, childIndex);
      index = childIndex;
    }
  }

  #put(due: D, index: number): void {
    this.#heap[index] = due;
    due.heapIndex = index;
  }
}
