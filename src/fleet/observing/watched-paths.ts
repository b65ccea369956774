import type { Path } from '../../lwm2m/index.ts';
import type { DeviceKey } from '../devices/index.ts';

/** Counts the watchers of each path that subscriptions watch, by device. */
export class WatchedPaths {
  readonly #devices = new Map<DeviceKey, Map<string, { readonly path: Path; watchers: number }>>();

  /** Adds a watcher to each path until `release` is called. `release` returns true on its first call only. */
  hold(key: DeviceKey, paths: readonly Path[]): { release(): boolean } {
    const held = [...new Map(paths.map((path) => [String(path), path])).values()];
    const watched = this.#devices.get(key) ?? new Map<string, { path: Path; watchers: number }>();
    if (held.length > 0) this.#devices.set(key, watched);
    for (const path of held) {
      const entry = watched.get(String(path)) ?? { path, watchers: 0 };
      entry.watchers++;
      watched.set(String(path), entry);
    }
    let released = false;
    return {
      release: () => {
        if (released) return false;
        released = true;
        for (const path of held) {
          const entry = watched.get(String(path));
          if (entry && --entry.watchers === 0) watched.delete(String(path));
        }
        if (watched.size === 0 && this.#devices.get(key) === watched) this.#devices.delete(key);
        return true;
      },
    };
  }

  of(key: DeviceKey): readonly Path[] {
    return [...(this.#devices.get(key)?.values() ?? [])].map(({ path }) => path);
  }

  /** The number of devices with watched paths. */
  get size(): number {
    return this.#devices.size;
  }
}
