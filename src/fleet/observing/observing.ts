import type { Clock, Timer } from '../../clock.ts';
import { observationKey, Lwm2mError, type Lwm2mServer, type Path } from '../../lwm2m/index.ts';
import type { Log, Turns } from '../common/index.ts';
import type { DeviceKey } from '../devices/index.ts';
import type { LiveDevice, Roster } from '../presence/index.ts';
import type { ProfileBook } from '../profiles/index.ts';
import type { ObservationRequests } from './observation-requests.ts';
import { attributesKey, attributesStep, observeStep, type ObservingStep } from './observing-step.ts';
import { isBlank, newObserved, type Observed } from './observed.ts';
import { backOff, endedRefusal, refusalOf, type Refusal, type RefusalAnswer } from './refusals.ts';
import {
  type DeviceObservation,
  wantedObservations,
  wantedState,
  type RequestedObservation,
  type WantedObservation,
  type WantedState,
} from './wanted.ts';
import { WatchedPaths } from './watched-paths.ts';

/** The services that Observing uses. */
export interface ObservingParts {
  readonly lwm2m: () => Lwm2mServer;
  readonly roster: Roster;
  readonly profiles: ProfileBook;
  readonly requests: ObservationRequests;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
  /** For the jitter; `Math.random` by default. */
  readonly random?: () => number;
}

const NONE: ReadonlySet<string> = new Set();
/** A changed profile reaches so many devices at once, and the next ones after so many milliseconds. */
const AT_ONCE = 200;
const FAN_OUT_MS = 100;

/**
 * Reconciles the running observations of each device with the wanted ones. Profiles, mutations and subscriptions want
 * observations. Each device gets one request at a time, so that a device that has just registered is not flooded. If a
 * device does not answer, all its steps wait (`backOff`). If it refuses a step, only that step waits (`refusalOf`).
 */
export class Observing {
  readonly #parts: ObservingParts;
  readonly #devices = new Map<DeviceKey, Observed>();
  /** The timers of changed profiles that have not reached all their devices. */
  readonly #fanOuts = new Set<Timer>();
  readonly #watched = new WatchedPaths();
  readonly #random: () => number;
  #transient = 0;
  #lasting = 0;

  constructor(parts: ObservingParts) {
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
    parts.profiles.onChange((_, profileId) =>
      this.#reconcileAll([...parts.roster.withProfile(profileId)].map(({ key }) => key)),
    );
  }

  /** Reconciles a device that can be asked now: it registered, sent an Update or awoke, or the server restarted. */
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

  /** Lets steps with a lasting refusal be tried again: the device registered other objects than before. */
  objectsChanged(key: DeviceKey): void {
    this.#devices.get(key)?.refused.deleteLasting();
  }

  /** Drops the device's memory: its registration ended, and its observations with it. */
  ended(key: DeviceKey): void {
    const known = this.#devices.get(key);
    if (known) this.#forget(key, known);
  }

  /** Notes that the device itself ended an observation, with a notification of this code. It is tried again later. */
  endedByDevice(key: DeviceKey, paths: readonly Path[], code: string | null): void {
    if (!this.#parts.roster.get(key)) return;
    const observed = this.#observed(key);
    const name = observationKey(paths);
    this.#note(
      key,
      observed,
      name,
      endedRefusal(code, observed.refused.get(name), this.#parts.clock.now(), this.#random),
    );
  }

  /** Resolves with the observations that should run on the device, with their state; none if it is not registered. */
  async wantedOf(key: DeviceKey): Promise<WantedState[]> {
    const device = this.#parts.roster.get(key);
    if (!device) return [];
    const wanted = await this.#wanted(device);
    const running = new Set(
      this.#parts
        .lwm2m()
        .observations(key)
        .map(({ paths }) => observationKey(paths)),
    );
    const refused = this.#devices.get(key)?.refused;
    return wanted.map((wish) => wantedState(wish, running.has(wish.key), refused?.get(wish.key)));
  }

  /**
   * Resolves with a function that returns why an observation of the device runs, by its paths. It returns an empty list
   * if the observation is no longer wanted.
   */
  async reasonsOf(key: DeviceKey): Promise<(paths: readonly Path[]) => DeviceObservation['reasons']> {
    const device = this.#parts.roster.get(key);
    const wanted = new Map((device ? await this.#wanted(device) : []).map((wish) => [wish.key, wish.reasons]));
    return (paths) => wanted.get(observationKey(paths)) ?? [];
  }

  /** Wants the paths observed until `release` is called. Returns at once; the device is asked as soon as it can be. */
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

  /** Runs a command that starts an observation. If the device accepts it, the observation is wanted from now on. */
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

  /** Runs a command that ends an observation. It stays ended until the device registers again. */
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

  /** Starts to reconcile the device. If that is already running, it runs once more afterwards. */
  reconcile(key: DeviceKey): void {
    const device = this.#parts.roster.get(key);
    if (!device) return;
    const observed = this.#observed(key);
    observed.again = true;
    if (observed.running) return;
    observed.running = true;
    void this.#run(device, observed)
      .catch((error: unknown) => {
        // The device's next Register or Update, or a change of its profile, tries again.
        this.#parts.log.warn({ device: key, err: error }, 'the observations of a device could not be reconciled');
      })
      .finally(() => {
        observed.running = false;
        if (isBlank(observed) && this.#devices.get(key) === observed) this.#forget(key, observed);
      });
  }

  /** Cancels all timers and drops the memory of all devices. */
  stop(): void {
    for (const timer of this.#fanOuts) timer.cancel();
    for (const [key, observed] of this.#devices) this.#forget(key, observed);
  }

  /**
   * The number of devices with watched paths, of devices with a memory, and of refusals since the start: `transient`
   * ones are tried again after a while.
   */
  get size(): { watched: number; devices: number; refusals: { transient: number; lasting: number } } {
    const refusals = { transient: this.#transient, lasting: this.#lasting };
    return { watched: this.#watched.size, devices: this.#devices.size, refusals };
  }

  /** Reconciles the devices in portions, so that a profile of 100,000 devices does not ask all of them at once. */
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
    accepted: (name: string, observed: Observed | undefined) => Promise<void>,
  ): Promise<T> {
    const name = observationKey(paths);
    const observed = this.#parts.roster.get(key) ? this.#observed(key) : undefined;
    observed?.commanded.add(name);
    try {
      const result = await command();
      if (result.ok) await accepted(name, observed);
      return result;
    } finally {
      observed?.commanded.delete(name);
      this.reconcile(key);
    }
  }

  #observed(key: DeviceKey): Observed {
    const known = this.#devices.get(key);
    if (known) return known;
    const fresh = newObserved();
    this.#devices.set(key, fresh);
    return fresh;
  }

  #forget(key: DeviceKey, observed: Observed): void {
    observed.retry?.cancel();
    observed.refusedRetry?.cancel();
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

  /** Returns the next step; null if exactly the wanted observations run, or the device can't be asked now. */
  async #nextStep(device: LiveDevice, observed: Observed, tried: ReadonlySet<string>): Promise<ObservingStep | null> {
    const { lwm2m, roster, clock } = this.#parts;
    const wanted = await this.#wanted(device);
    // The device may have registered again while the profile was read.
    if (this.#devices.get(device.key) !== observed || roster.get(device.key) === undefined) return null;
    const keys = new Set(wanted.map(({ key }) => key));
    const server = lwm2m();
    if (observed.retry || !server.registration(device.key) || server.isUnreachable(device.key)) return null;
    const running = new Map(server.observations(device.key).map(({ paths }) => [observationKey(paths), paths]));
    observed.refused.keepOnly((key) => wanted.some((wish) => key === wish.key || key === attributesKey(wish.key)));
    const now = clock.now();
    const open = (key: string): boolean =>
      !tried.has(key) && !observed.refused.blocks(key, now) && !observed.commanded.has(key);
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

  /** Takes the step. Returns true if the device answered, even with an error. */
  async #take(device: LiveDevice, observed: Observed, step: ObservingStep): Promise<boolean> {
    const { lwm2m, turns } = this.#parts;
    try {
      const result = await turns.take(device.key, () => lwm2m().perform(device.key, step.operation));
      observed.failures = 0;
      if (result.ok) step.done?.();
      else this.#refused(device, observed, step, result);
      return true;
    } catch (error) {
      if (!(error instanceof Lwm2mError)) throw error;
      switch (error.code) {
        // The device is gone: its next Register starts this again.
        case 'NOT_REGISTERED':
        case 'CANCELLED':
          return false;
        // The device does not answer: try again later.
        case 'TIMEOUT':
        case 'LIMIT':
          this.#retryLater(device.key, observed);
          return false;
        default:
          this.#refused(device, observed, step, { code: null, message: error.message, maxAge: null });
          return true;
      }
    }
  }

  /**
   * Notes a refused step, which waits until its next try. A refused cancellation is only logged, because it must not
   * keep the observation from starting.
   */
  #refused(device: LiveDevice, observed: Observed, { key, operation }: ObservingStep, answer: RefusalAnswer): void {
    const { code, message, maxAge } = answer;
    this.#parts.log.info({ device: device.key, step: key, code, message }, `the device refused ${operation.kind}`);
    if (operation.kind === 'cancel-observation') return;
    const before = observed.refused.get(key);
    this.#note(
      device.key,
      observed,
      key,
      refusalOf({ code, message, maxAge }, before, this.#parts.clock.now(), this.#random),
    );
  }

  #note(key: DeviceKey, observed: Observed, step: string, refusal: Refusal): void {
    if (refusal.nextTry === null) this.#lasting++;
    else this.#transient++;
    observed.refused.set(step, refusal);
    this.#retryRefused(key, observed);
  }

  /** Waits for the earliest next try of a refused step. A sleeping device is tried when it wakes up. */
  #retryRefused(key: DeviceKey, observed: Observed): void {
    if (this.#devices.get(key) !== observed) return;
    const { clock } = this.#parts;
    observed.refusedRetry?.cancel();
    const at = observed.refused.nextTry(clock.now());
    observed.refusedRetry =
      at === null
        ? null
        : clock.after(at - clock.now(), () => {
            observed.refusedRetry = null;
            this.#retryRefused(key, observed);
            this.reconcile(key);
          });
  }

  #retryLater(key: DeviceKey, observed: Observed): void {
    if (this.#devices.get(key) !== observed) return;
    observed.retry?.cancel();
    observed.retry = this.#parts.clock.after(backOff(++observed.failures, this.#random), () => {
      observed.retry = null;
      this.reconcile(key);
    });
  }
}
