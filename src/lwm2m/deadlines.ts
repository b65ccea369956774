import type { Clock, Timer } from '../clock.ts';

/** Something that falls due. Holds its own place in the heap, which saves a map of a million entries. */
export interface Due {
  /** Milliseconds since the Unix epoch. */
  dueAt: number;
  /** Its place in the heap; -1 when it is in none. */
  heapIndex: number;
}

/**
 * What falls due when, under one timer for all: a binary heap, so that an Update among a million registrations moves
 * twenty entries at most.
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

  /** Adds it or moves it. */
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

  /** Nothing falls due any more. */
  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(): void {
    const earliest = this.#heap[0];
    // A timer that rings too early finds nothing due and is set anew: cheaper than one reset for each Update.
    if (this.#stopped || earliest === undefined || earliest.dueAt >= this.#armedFor) return;
    this.#timer?.cancel();
    this.#armedFor = earliest.dueAt;
    this.#timer = this.#clock.after(Math.max(0, earliest.dueAt - this.#clock.now()), () => this.#ring());
  }

  #ring(): void {
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
