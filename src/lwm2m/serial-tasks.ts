import { Lwm2mError } from './error.ts';

/** Runs the tasks of each key one at a time, in the order of the calls. An idle key uses no memory. */
export class SerialTasks {
  readonly #most: number;
  readonly #lanes = new Map<string, { last: Promise<void>; waiting: number }>();

  /** @param most how many tasks of one key may run or wait; above this `run` rejects with LIMIT */
  constructor(most: number) {
    this.#most = most;
  }

  /** Settles like `task`, or rejects with LIMIT without running it. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(key) ?? { last: Promise.resolve(), waiting: 0 };
    if (lane.waiting >= this.#most)
      throw new Lwm2mError('LIMIT', `${this.#most} requests are already in progress, the maximum`);
    lane.waiting++;
    this.#lanes.set(key, lane);
    const result = lane.last.then(task);
    lane.last = result.then(ignore, ignore);
    try {
      return await result;
    } finally {
      lane.waiting--;
      if (lane.waiting === 0) this.#lanes.delete(key);
    }
  }

  /** Resolves when all tasks that were added until now are done. */
  async settled(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.last));
  }
}

function ignore(): void {}
