/** How many items wait, and how long: what a metric shows. */
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
  /** Stores a batch in one transaction and answers for each item, in their order. */
  readonly run: (lane: string, items: readonly Item[]) => Promise<readonly Result[]>;
  /** Items of one lane go together: a tenant, since a transaction runs as one. */
  readonly lane: (item: Item) => string;
  /** Items with the same key never share a batch, so that a statement meets each row once. */
  readonly key?: (item: Item) => string;
  readonly largestBatch?: number;
  /** Above this many waiting items the batcher refuses more. */
  readonly mostWaiting?: number;
}

/** A database that is away refuses everything, each time after seconds. */
const FAILURES_IN_A_ROW = 3;

/**
 * Groups what arrives while a batch is being stored into the next one: under light load an item goes at once and alone,
 * under heavy load hundreds share a transaction, and nobody waits for more than the commit that holds what it brought.
 * Items of a lane are stored in the order they came. When a batch fails, its items are tried one by one, so that one bad
 * item rejects only itself; when several in a row fail it is not the items, and the rest is rejected with them.
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

  /** Resolves when the item is committed; rejects with what kept it from that. */
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

  /** Resolves when everything added so far is stored or refused. */
  async idle(): Promise<void> {
    while (this.#lanes.size > 0) await Promise.all([...this.#lanes.values()].map((lane) => lane.done));
  }

  async #drain(name: string, waiting: Waiting<Item, Result>[]): Promise<void> {
    // What is added in the same turn of the event loop shares the first batch.
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

  /** The longest run from the front without a repeated key. */
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

  /** Resolves with what kept the batch from being stored, or null; settles the promises of its items. */
  async #store(name: string, batch: readonly Waiting<Item, Result>[]): Promise<unknown> {
    try {
      const results = await this.#options.run(
        name,
        batch.map(({ item }) => item),
      );
      for (const [index, entry] of batch.entries()) {
        entry.resolve(results[index] as Result); // one result for each item, by the contract of `run`
      }
      return null;
    } catch (error) {
      if (batch.length === 1) batch[0]?.reject(error);
      else await this.#storeOneByOne(name, batch);
      return error;
    }
  }

  async #storeOneByOne(name: string, batch: readonly Waiting<Item, Result>[]): Promise<void> {
    let failures = 0;
    for (const [index, entry] of batch.entries()) {
      const error = await this.#store(name, [entry]);
      failures = error === null ? 0 : failures + 1;
      if (failures < FAILURES_IN_A_ROW) continue;
      for (const rest of batch.slice(index + 1)) rest.reject(error);
      return;
    }
  }
}
