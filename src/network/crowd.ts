/**
 * Entries that an unproven peer caused, by network (see `networkOf`), the oldest first. Finds the oldest entry of the
 * network with the most entries in constant time: under a flood, that entry makes room for a newcomer. Another unit
 * than the network can be used, such as the credential.
 */
export class Crowd<Entry> {
  readonly #byNetwork = new Map<string, Set<Entry>>();
  /** The networks with each number of entries; the number is the index. */
  readonly #bySize: Set<string>[] = [];
  #largest = 0;

  count(network: string): number {
    return this.#byNetwork.get(network)?.size ?? 0;
  }

  add(network: string, entry: Entry): void {
    const entries = this.#byNetwork.get(network) ?? new Set<Entry>();
    this.#byNetwork.set(network, entries);
    if (!entries.has(entry)) this.#resize(network, entries.size, entries.add(entry).size);
  }

  /** Does nothing when the entry is not there. */
  remove(network: string, entry: Entry): void {
    const entries = this.#byNetwork.get(network);
    if (!entries?.delete(entry)) return;
    if (entries.size === 0) this.#byNetwork.delete(network);
    this.#resize(network, entries.size + 1, entries.size);
  }

  oldestOf(network: string): Entry | undefined {
    const [oldest] = this.#byNetwork.get(network) ?? [];
    return oldest;
  }

  oldestOfLargest(): Entry | undefined {
    const [network] = this.#bySize[this.#largest] ?? [];
    return network === undefined ? undefined : this.oldestOf(network);
  }

  #resize(network: string, before: number, after: number): void {
    this.#bySize[before]?.delete(network);
    if (after > 0) (this.#bySize[after] ??= new Set()).add(network);
    if (after > this.#largest) this.#largest = after;
    else if (before === this.#largest && this.#bySize[before]?.size === 0) this.#largest = after;
  }
}
