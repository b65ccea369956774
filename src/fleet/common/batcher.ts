import { StoreError } from '../../store/index.ts';

/** How many items wait, and how many are being stored now. */
export interface BatcherSnapshot {
  readonly waiting: number;
  readonly running: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly key: string | null;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export interface BatcherOptions<Item, Result> {
  /** Stores a batch in one transaction. Resolves with one result for each item, in the order of the items. */
  readonly run: (lane: string, items: readonly Item[]) => Promise<readonly Result[]>;
  /**
   * Returns the lane of an item: its tenant. A batch has items of one lane only, because a transaction runs as one
   * tenant.
   */
  readonly lane: (item: Item) => string;
  /** Returns the key of an item. A batch has each key only once, so that a statement changes each row only once. */
  readonly key?: (item: Item) => string;
  /** Most items in a batch. Default: 256. */
  readonly largestBatch?: number;
  /** When this many items wait, `add` rejects. Default: 65,536. */
  readonly mostWaiting?: number;
}

/**
 * Stores items in batches. Items that arrive while a batch is being stored go into the next batch of their lane. Under
 * light load, an item is stored at once and alone. Under heavy load, hundreds of items share a transaction. The promise
 * of an item settles when its batch is committed. The items of a lane are stored in the order of their arrival.
 *
 * When a batch fails, the batcher stores its halves, and so on, so that an invalid item rejects only itself. When the
 * database is unavailable (`StoreError.unavailable`), it rejects the rest of the batch without a try, because each
 * failure could take seconds.
 */
export class Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  readonly #largestBatch: number;
  readonly #mostWaiting: number;
  readonly #lanes = new Map<string, { waiting: Waiting<Item, Result>[]; done: Promise<void> }>();
  #waiting = 0;
  #running = 0;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
    this.#largestBatch = options.largestBatch ?? 256;
    this.#mostWaiting = options.mostWaiting ?? 65_536;
  }

  /** Resolves with the result when the item is committed. Rejects with the error when it can't be stored. */
  add(item: Item): Promise<Result> {
    if (this.#waiting >= this.#mostWaiting)
      return Promise.reject(new Error(`too many writes wait for the database: the limit is ${this.#mostWaiting}`));
    const name = this.#options.lane(item);
    const key = this.#options.key?.(item) ?? null;
    return new Promise((resolve, reject) => {
      const entry = { item, key, resolve, reject };
      this.#waiting++;
      const lane = this.#lanes.get(name);
      if (lane) {
        lane.waiting.push(entry);
        return;
      }
      const started = { waiting: [entry], done: Promise.resolve() };
      this.#lanes.set(name, started);
      started.done = this.#drain(name, started.waiting);
    });
  }

  snapshot(): BatcherSnapshot {
    return { waiting: this.#waiting, running: this.#running };
  }

  /** Resolves when no item waits and no batch is being stored. */
  async idle(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.all([...this.#lanes.values()].map((lane) => lane.done));
  }

  async #drain(name: string, waiting: Waiting<Item, Result>[]): Promise<void> {
    // Items that are added in the same turn of the event loop share the first batch.
    await Promise.resolve();
    while (waiting.length > 0) {
      const batch = this.#take(waiting);
      this.#waiting -= batch.length;
      this.#running += batch.length;
      await this.#store(name, batch);
      this.#running -= batch.length;
    }
    this.#lanes.delete(name);
  }

  /** Removes the items of the next batch: the first items up to the largest batch or the first repeated key. */
  #take(waiting: Waiting<Item, Result>[]): Waiting<Item, Result>[] {
    const keys = new Set<string>();
    let length = 0;
    for (const { key } of waiting) {
      if (length === this.#largestBatch || (key !== null && keys.has(key))) break;
      if (key !== null) keys.add(key);
      length++;
    }
    return waiting.splice(0, length);
  }

  /** Stores a batch and settles the promises of its items. Resolves with the error if the database is unavailable. */
  async #store(name: string, batch: readonly Waiting<Item, Result>[]): Promise<StoreError | null> {
    try {
      const results = await this.#options.run(
        name,
        batch.map(({ item }) => item),
      );
      for (const [index, entry] of batch.entries()) {
        entry.resolve(results[index] as Result); // `run` returns one result for each item
      }
      return null;
    } catch (error) {
      const unavailable = error instanceof StoreError && error.unavailable ? error : null;
      if (unavailable !== null || batch.length === 1) {
        reject(batch, error);
        return unavailable;
      }
      const middle = batch.length >> 1;
      const [first, second] = [batch.slice(0, middle), batch.slice(middle)];
      const down = await this.#store(name, first);
      if (down === null) return this.#store(name, second);
      reject(second, down);
      return down;
    }
  }
}

function reject(entries: readonly Pick<Waiting<unknown, never>, 'reject'>[], error: unknown): void {
  for (const entry of entries) entry.reject(error);
}
