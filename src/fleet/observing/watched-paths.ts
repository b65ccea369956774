import type { Clock, Timer } from '../../clock.ts';
import type { Path } from '../../lwm2m/index.ts';
import type { DeviceKey } from '../devices/index.ts';

/** A path that subscribers watch, or watched until a short time ago. */
interface WatchedPath {
  readonly path: Path;
  watchers: number;
  /** When the path stops being wanted, in milliseconds since the epoch; null while it has watchers. */
  until: number | null;
}

interface WatchedDevice {
  readonly paths: Map<string, WatchedPath>;
  /** Runs until the next path without watchers stops being wanted. */
  timer: Timer | null;
}

export interface WatchedPathsOptions {
  readonly clock: Clock;
  /** How long a path stays wanted after its last watcher left, in milliseconds. */
  readonly lingerMs: number;
  /** The most paths of one device; above it, those without watchers end first, the one that was left first foremost. */
  readonly mostPaths: number;
  /** Called when watchers of the device left, and when paths stop being wanted. */
  readonly onLess: (key: DeviceKey) => void;
}

/**
 * Counts the watchers of each path that subscriptions watch, by device. A path stays wanted for a while after its last
 * watcher left, so that subscribers that come and go don't start and end the observation each time.
 */
export class WatchedPaths {
  readonly #options: WatchedPathsOptions;
  readonly #devices = new Map<DeviceKey, WatchedDevice>();

  constructor(options: WatchedPathsOptions) {
    this.#options = options;
  }

  /** Adds a watcher to each path until `release` is called. Further calls of `release` have no effect. */
  hold(key: DeviceKey, paths: readonly Path[]): { release(): void } {
    const held = new Map(paths.map((path) => [String(path), path]));
    const device = this.#devices.get(key) ?? { paths: new Map<string, WatchedPath>(), timer: null };
    if (held.size > 0) this.#devices.set(key, device);
    for (const [name, path] of held) {
      const watchers = (device.paths.get(name)?.watchers ?? 0) + 1;
      device.paths.set(name, { path, watchers, until: null });
    }
    this.#limit(device);
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        if (held.size > 0) this.#release(key, device, [...held.keys()]);
      },
    };
  }

  /** The wanted paths of the device, with watchers and without. */
  of(key: DeviceKey): readonly Path[] {
    return [...(this.#devices.get(key)?.paths.values() ?? [])].map(({ path }) => path);
  }

  stop(): void {
    for (const { timer } of this.#devices.values()) timer?.cancel();
  }

  /** The number of devices with wanted paths, and of paths that are still wanted though their last watcher left. */
  get size(): { readonly watched: number; readonly lingering: number } {
    let lingering = 0;
    for (const { paths } of this.#devices.values()) {
      for (const { until } of paths.values()) if (until !== null) lingering++;
    }
    return { watched: this.#devices.size, lingering };
  }

  #release(key: DeviceKey, device: WatchedDevice, names: readonly string[]): void {
    const until = this.#options.clock.now() + this.#options.lingerMs;
    for (const name of names) {
      const entry = device.paths.get(name);
      if (!entry || --entry.watchers > 0) continue;
      // Last in the map, which is therefore in the order in which the paths were left.
      device.paths.delete(name);
      device.paths.set(name, { ...entry, until });
    }
    this.#limit(device);
    this.#expire(key, device);
  }

  #limit({ paths }: WatchedDevice): void {
    for (const [name, { until }] of paths) {
      if (paths.size <= this.#options.mostPaths) return;
      if (until !== null) paths.delete(name);
    }
  }

  /** Ends the paths whose time is over, and waits for the next one. */
  #expire(key: DeviceKey, device: WatchedDevice): void {
    const { clock, onLess } = this.#options;
    const now = clock.now();
    let next = Infinity;
    for (const [name, { until }] of device.paths) {
      if (until === null) continue;
      if (until > now) next = Math.min(next, until);
      else device.paths.delete(name);
    }
    device.timer?.cancel();
    device.timer = next < Infinity ? clock.after(next - now, () => this.#expire(key, device)) : null;
    if (device.paths.size === 0) this.#devices.delete(key);
    onLess(key);
  }
}
