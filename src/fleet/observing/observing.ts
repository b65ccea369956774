import type { Clock, Timer } from '../../clock.ts';
import {
  observationKey,
  Lwm2mError,
  type Lwm2mServer,
  type NotificationAttributes,
  type Path,
} from '../../lwm2m/index.ts';
import type { Log, Turns } from '../common/index.ts';
import type { DeviceKey } from '../devices/index.ts';
import type { LiveDevice, Roster } from '../presence/index.ts';
import type { ProfileBook } from '../profiles/index.ts';
import type { ObservationRequests } from './observation-requests.ts';
import { attributesStep, observeStep, type ObservingStep } from './observing-step.ts';
import {
  type DeviceObservation,
  wantedObservations,
  type RequestedObservation,
  type WantedObservation,
} from './wanted.ts';
import { WatchedPaths } from './watched-paths.ts';

export interface ObservingParts {
  readonly lwm2m: () => Lwm2mServer;
  readonly roster: Roster;
  readonly profiles: ProfileBook;
  readonly requests: ObservationRequests;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
}

/** What is remembered of a registered device: only while there is something to remember, since devices are many. */
interface Observed {
  /** Ended by hand: not wanted again until the device registers anew or they are asked for again. */
  readonly cancelled: Set<string>;
  /** Being started or ended by somebody's command: left alone meanwhile. */
  readonly commanded: Set<string>;
  /** Refused by the device: not tried again until it registers anew or its objects change. */
  readonly refused: Set<string>;
  /** Attributes that were written to the device, by path. */
  readonly written: Map<string, NotificationAttributes>;
  failures: number;
  retry: Timer | null;
  running: boolean;
  again: boolean;
}

const NONE: ReadonlySet<string> = new Set();
/** How many devices a changed profile reaches at once, and how long until the next ones. */
const AT_ONCE = 200;
const FAN_OUT_MS = 100;
const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 3_600_000;

/**
 * Reconciles the observations that run on each device with those that are wanted: by its profile, by request, by
 * subscriptions. One step at a time for each device, so that a device that has just registered is not flooded; after a
 * device did not answer, the next try waits, twice as long each time.
 */
export class Observing {
  readonly #parts: ObservingParts;
  readonly #devices = new Map<DeviceKey, Observed>();
  /** Changed profiles that have not reached all of their devices. */
  readonly #fanOuts = new Set<Timer>();
  readonly #watched = new WatchedPaths();

  constructor(parts: ObservingParts) {
    this.#parts = parts;
    parts.profiles.onChange((_, profileId) =>
      this.#reconcileAll([...parts.roster.withProfile(profileId)].map(({ key }) => key)),
    );
  }

  /** The device may be asked now: it registered, updated its registration, woke, or the server came back. */
  ready(key: DeviceKey, after: 'register' | 'update' | 'wake' | 'restart'): void {
    const known = this.#devices.get(key);
    if (known && after === 'register') this.#forget(key, known);
    if (known && after !== 'register') {
      known.failures = 0;
      known.retry?.cancel();
      known.retry = null;
    }
    this.reconcile(key);
  }

  /** The device registered other objects than before. */
  objectsChanged(key: DeviceKey): void {
    this.#devices.get(key)?.refused.clear();
  }

  /** Its registration ended, and its observations with it. */
  ended(key: DeviceKey): void {
    const known = this.#devices.get(key);
    if (known) this.#forget(key, known);
  }

  /** The device ended an observation by itself: with an error, or a reset. */
  refusedByDevice(key: DeviceKey, paths: readonly Path[]): void {
    this.#devices.get(key)?.refused.add(observationKey(paths));
  }

  /** Why the observations of a device run: by their paths; nothing when nobody wants one any more. */
  async reasonsOf(key: DeviceKey): Promise<(paths: readonly Path[]) => DeviceObservation['reasons']> {
    const device = this.#parts.roster.get(key);
    const wanted = new Map((device ? await this.#wanted(device) : []).map((wish) => [wish.key, wish.reasons]));
    return (paths) => wanted.get(observationKey(paths)) ?? [];
  }

  /** Holds the paths observed until released. Returns at once; the device is asked when it can be. */
  watch(key: DeviceKey, paths: readonly Path[]): { release(): void } {
    for (const path of paths) this.#devices.get(key)?.cancelled.delete(observationKey([path]));
    const lease = this.#watched.hold(key, paths);
    this.reconcile(key);
    return {
      release: () => {
        if (lease.release()) this.reconcile(key);
      },
    };
  }

  /** Runs a command that starts an observation; when the device took it, it is wanted from now on. */
  async commandStart<T extends { ok: boolean }>(
    key: DeviceKey,
    request: RequestedObservation,
    command: () => Promise<T>,
  ): Promise<T> {
    return this.#commanded(key, request.paths, command, async (name, observed) => {
      observed?.cancelled.delete(name);
      observed?.refused.delete(name);
      if (request.attributes) observed?.written.set(name, request.attributes);
      await this.#parts.requests.add(key, request);
    });
  }

  /** Runs a command that ends an observation; it stays ended until the device registers anew. */
  async commandEnd<T extends { ok: boolean }>(
    key: DeviceKey,
    paths: readonly Path[],
    command: () => Promise<T>,
  ): Promise<T> {
    return this.#commanded(key, paths, command, async (name, observed) => {
      observed?.cancelled.add(name);
      await this.#parts.requests.remove(key, name);
    });
  }

  /** Starts comparing what runs with what is wanted, unless that is under way already: then it is done once more. */
  reconcile(key: DeviceKey): void {
    const device = this.#parts.roster.get(key);
    if (!device) return;
    const observed = this.#observed(key);
    observed.again = true;
    if (observed.running) return;
    observed.running = true;
    void this.#run(device, observed)
      .catch((error: unknown) => {
        // The next registration, update or change of the profile tries again.
        this.#parts.log.warn({ device: key, err: error }, 'observations could not be reconciled');
      })
      .finally(() => {
        observed.running = false;
        if (isBlank(observed) && this.#devices.get(key) === observed) this.#devices.delete(key);
      });
  }

  stop(): void {
    for (const timer of this.#fanOuts) timer.cancel();
    for (const [key, observed] of this.#devices) this.#forget(key, observed);
  }

  get size(): { watched: number; devices: number } {
    return { watched: this.#watched.size, devices: this.#devices.size };
  }

  /** A hundred thousand devices must not all be asked in the same moment. */
  #reconcileAll(keys: readonly DeviceKey[]): void {
    for (const key of keys.slice(0, AT_ONCE)) this.reconcile(key);
    if (keys.length <= AT_ONCE) return;
    const timer = this.#parts.clock.after(FAN_OUT_MS, () => {
      this.#fanOuts.delete(timer);
      this.#reconcileAll(keys.slice(AT_ONCE));
    });
    this.#fanOuts.add(timer);
  }

  async #commanded<T extends { ok: boolean }>(
    key: DeviceKey,
    paths: readonly Path[],
    command: () => Promise<T>,
    taken: (name: string, observed: Observed | undefined) => Promise<void>,
  ): Promise<T> {
    const name = observationKey(paths);
    const observed = this.#parts.roster.get(key) ? this.#observed(key) : undefined;
    observed?.commanded.add(name);
    try {
      const result = await command();
      if (result.ok) await taken(name, observed);
      return result;
    } finally {
      observed?.commanded.delete(name);
      this.reconcile(key);
    }
  }

  #observed(key: DeviceKey): Observed {
    const known = this.#devices.get(key);
    if (known) return known;
    const fresh: Observed = {
      cancelled: new Set(),
      commanded: new Set(),
      refused: new Set(),
      written: new Map(),
      failures: 0,
      retry: null,
      running: false,
      again: false,
    };
    this.#devices.set(key, fresh);
    return fresh;
  }

  #forget(key: DeviceKey, observed: Observed): void {
    observed.retry?.cancel();
    this.#devices.delete(key);
  }

  async #run(device: LiveDevice, observed: Observed): Promise<void> {
    while (observed.again) {
      observed.again = false;
      const tried = new Set<string>();
      for (;;) {
        const step = await this.#nextStep(device, observed, tried);
        if (!step) break;
        tried.add(step.key);
        if (!(await this.#take(device, observed, step))) return;
      }
    }
  }

  async #wanted(device: LiveDevice): Promise<WantedObservation[]> {
    const { mappings } = await this.#parts.profiles.of(device.tenantId, device.profileId);
    return wantedObservations({
      mappings,
      requested: this.#parts.requests.of(device.key),
      watched: this.#watched.of(device.key),
      objects: device.registration.objects,
      cancelled: this.#devices.get(device.key)?.cancelled ?? NONE,
    });
  }

  /** The one thing to ask next; null when what runs is what is wanted, or the device can't be asked now. */
  async #nextStep(device: LiveDevice, observed: Observed, tried: ReadonlySet<string>): Promise<ObservingStep | null> {
    const { lwm2m, roster } = this.#parts;
    const wanted = await this.#wanted(device);
    // It may have registered anew while the profile was read.
    if (this.#devices.get(device.key) !== observed || roster.get(device.key) === undefined) return null;
    const keys = new Set(wanted.map(({ key }) => key));
    const server = lwm2m();
    if (observed.retry || !server.registration(device.key) || server.isAsleep(device.key)) return null;
    const running = new Map(server.observations(device.key).map(({ paths }) => [observationKey(paths), paths]));
    const open = (key: string): boolean =>
      !tried.has(key) && !observed.refused.has(key) && !observed.commanded.has(key);
    for (const wish of wanted) {
      if (!open(wish.key)) continue;
      const attributes = attributesStep(wish, observed.written);
      if (attributes && open(attributes.key)) return attributes;
      if (!running.has(wish.key)) return observeStep(wish);
    }
    for (const [key, paths] of running) {
      const unwanted = !keys.has(key) && !observed.commanded.has(key) && !tried.has(key);
      if (unwanted) return { key, operation: { kind: 'cancel-observation', paths } };
    }
    return null;
  }

  /** True when the device answered, whatever it said. */
  async #take(device: LiveDevice, observed: Observed, step: ObservingStep): Promise<boolean> {
    const { lwm2m, turns } = this.#parts;
    try {
      const result = await turns.take(device.key, () => lwm2m().perform(device.key, step.operation));
      observed.failures = 0;
      if (result.ok) step.done?.();
      else this.#refused(device, observed, step, `${result.code} ${result.message ?? ''}`.trim());
      return true;
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      switch (error.code) {
        // Gone: whatever brings it back starts this again.
        case 'NOT_REGISTERED':
        case 'CANCELLED':
          return false;
        // Deaf: it is given time.
        case 'TIMEOUT':
        case 'LIMIT':
          this.#retryLater(device.key, observed);
          return false;
        default:
          this.#refused(device, observed, step, error.message);
          return true;
      }
    }
  }

  /** It is not asked for this again in this registration; that an observation would not end does not keep it from starting. */
  #refused(device: LiveDevice, observed: Observed, step: ObservingStep, reason: string): void {
    const { kind } = step.operation;
    if (kind !== 'cancel-observation') observed.refused.add(step.key);
    this.#parts.log.info({ device: device.key, step: step.key, reason }, `the device refused ${kind}`);
  }

  #retryLater(key: DeviceKey, observed: Observed): void {
    if (this.#devices.get(key) !== observed) return;
    const delay = Math.min(FIRST_RETRY_MS * 2 ** observed.failures++, LAST_RETRY_MS);
    observed.retry?.cancel();
    observed.retry = this.#parts.clock.after(delay, () => {
      observed.retry = null;
      this.reconcile(key);
    });
  }
}

function isBlank(observed: Observed): boolean {
  const { cancelled, commanded, refused, written, failures, retry, again } = observed;
  const remembered = cancelled.size + commanded.size + refused.size + written.size + failures;
  return remembered === 0 && retry === null && !again;
}
