import { Lwm2mError } from './error.ts';

/** One thing at a time under each key, in the order asked. A key that nobody is at costs nothing. */
export class SerialTasks {
  readonly #most: number;
  readonly #lanes = new Map<string, { last: Promise<void>; waiting: number }>();

  /** @param most how many may be at, or wait for, one key; above it LIMIT */
  constructor(most: number) {
    this.#most = most;
  }

  /** What `task` resolves to; rejects as it does, or with LIMIT before it runs. */
  async run<T>(key: string, task: () => Promise<T>): Promise<T> {
    const lane = this.#lanes.get(key) ?? { last: Promise.resolve(), waiting: 0 };
    if (lane.waiting >= this.#most) throw new Lwm2mError('LIMIT', `${this.#most} things at once are under way already`);
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

  /** Resolves when everything asked until now is done. */
  async settled(): Promise<void> {
    await Promise.all([...this.#lanes.values()].map((lane) => lane.last));
  }
}

function ignore(): void {}
