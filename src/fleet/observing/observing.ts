import type { Clock, Timer } from '../../clock.ts';
import { observationKey, Lwm2mError, type Lwm2mServer, type Path } from '../../lwm2m/index.ts';
import type { Log, Turns } from '../common/index.ts';
import type { DeviceKey } from '../devices/index.ts';
import type { LiveDevice, Roster } from '../presence/index.ts';
import type { ProfileBook } from '../profiles/index.ts';
import type { ObservationRequests } from './observation-requests.ts';
import { attributesKey, attributesStep, observeStep, type ObservingStep } from './observing-step.ts';
import { isBlank, type Observed } from './observed.ts';
import { ObservedDevices } from './observed-devices.ts';
import { endedRefusal, refusalOf, type RefusalAnswer } from './refusals.ts';
import { RequestBudget } from './request-budget.ts';
import {
  type DeviceObservation,
  MOST_OBSERVATIONS,
  wantedObservations,
  wantedState,
  type RequestedObservation,
  type WantedObservation,
  type WantedState,
} from './wanted.ts';
import { WatchedPaths } from './watched-paths.ts';

/** The limits of what subscribers can make the server ask of a device. */
export interface ObservingSettings {
  /** How long an observation goes on after the last subscriber left that needs it, in milliseconds. */
  readonly lingerMs: number;
  /** The requests for subscribers that one device gets per minute, after `requestBurst` at once. */
  readonly requestsPerMinute: number;
  readonly requestBurst: number;
}

/** The counts of `Observing` for the metrics page. */
export interface ObservingSnapshot {
  /** Devices with watched paths. */
  readonly watched: number;
  /** Watched paths whose last watcher left a short time ago. */
  readonly lingering: number;
  /** Devices with a memory. */
  readonly devices: number;
  /** Observation requests that devices refused, and observations that devices ended. `transient` ones are tried again. */
  readonly refusals: { readonly transient: number; readonly lasting: number };
  /** How often requests for watchers had to wait, because the device got too many. */
  readonly postponed: number;
}

/** The services that Observing uses. */
export interface ObservingParts {
  readonly lwm2m: () => Lwm2mServer;
  readonly roster: Roster;
  readonly profiles: ProfileBook;
  readonly requests: ObservationRequests;
  readonly turns: Turns;
  readonly clock: Clock;
  readonly log: Log;
  readonly settings: ObservingSettings;
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
  readonly #devices: ObservedDevices;
  /** The timers of changed profiles that have not reached all their devices. */
  readonly #fanOuts = new Set<Timer>();
  readonly #watched: WatchedPaths;
  readonly #watchBudget: RequestBudget;
  readonly #random: () => number;

  constructor(parts: ObservingParts) {
    const { clock } = parts;
    const { lingerMs, requestsPerMinute, requestBurst } = parts.settings;
    const reconcile = (key: DeviceKey): void => this.reconcile(key);
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
    this.#devices = new ObservedDevices({ clock, random: this.#random, onDue: reconcile });
    this.#watched = new WatchedPaths({ clock, lingerMs, mostPaths: MOST_OBSERVATIONS, onLess: reconcile });
    this.#watchBudget = new RequestBudget({ clock, perMinute: requestsPerMinute, burst: requestBurst });
    parts.profiles.onChange((_, profileId) =>
      this.#reconcileAll([...parts.roster.withProfile(profileId)].map(({ key }) => key)),
    );
  }

  /** Reconciles a device that can be asked now: it registered, sent an Update or awoke, or the server restarted. */
  ready(key: DeviceKey, after: 'register' | 'update' | 'wake' | 'restart'): void {
    const known = this.#devices.get(key);
    if (known && after === 'register') this.#devices.forget(key);
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
    this.#devices.forget(key);
  }

  /** Notes that the device itself ended an observation, with a notification of this code. It is tried again later. */
  endedByDevice(key: DeviceKey, paths: readonly Path[], code: string | null): void {
    if (!this.#parts.roster.get(key)) return;
    const observed = this.#devices.of(key);
    const name = observationKey(paths);
    const refusal = endedRefusal(code, observed.refused.get(name), this.#parts.clock.now(), this.#random);
    this.#devices.refused(key, observed, name, refusal);
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

  /**
   * Wants the paths observed until `release` is called, and a while longer. Returns at once; the device is asked as soon
   * as it can be.
   */
  watch(key: DeviceKey, paths: readonly Path[]): { release(): void } {
    for (const path of paths) this.#devices.get(key)?.cancelled.delete(observationKey([path]));
    const lease = this.#watched.hold(key, paths);
    this.reconcile(key);
    return lease;
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
    const observed = this.#devices.of(key);
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
        if (isBlank(observed) && this.#devices.has(key, observed)) this.#devices.forget(key);
      });
  }

  /** Cancels all timers and drops the memory of all devices. */
  stop(): void {
    for (const timer of this.#fanOuts) timer.cancel();
    this.#watched.stop();
    this.#devices.forgetAll();
  }

  get size(): ObservingSnapshot {
    return { ...this.#watched.size, devices: this.#devices.size, ...this.#devices.counts };
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
    const observed = this.#parts.roster.get(key) ? this.#devices.of(key) : undefined;
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
    if (!this.#devices.has(device.key, observed) || roster.get(device.key) === undefined) return null;
    const keys = new Set(wanted.map(({ key }) => key));
    const server = lwm2m();
    if (observed.retry || !server.registration(device.key) || server.isUnreachable(device.key)) return null;
    const running = new Map(server.observations(device.key).map(({ paths }) => [observationKey(paths), paths]));
    for (const key of observed.forWatchers) if (!running.has(key)) observed.forWatchers.delete(key);
    observed.refused.keepOnly((key) => wanted.some((wish) => key === wish.key || key === attributesKey(wish.key)));
    const now = clock.now();
    const open = (key: string): boolean =>
      !tried.has(key) && !observed.refused.blocks(key, now) && !observed.commanded.has(key);
    const wait = this.#watchBudget.wait(device.key);
    let postponed = false;
    for (const wish of wanted) {
      if (!open(wish.key)) continue;
      const attributes = attributesStep(wish, observed.written);
      if (attributes && open(attributes.key)) return attributes;
      if (running.has(wish.key)) continue;
      const step = observeStep(wish);
      if (!step.forWatchers || wait === 0) return step;
      postponed = true;
    }
    for (const [key, paths] of running) {
      if (keys.has(key) || observed.commanded.has(key) || tried.has(key)) continue;
      const forWatchers = observed.forWatchers.has(key);
      if (!forWatchers || wait === 0) return { key, operation: { kind: 'cancel-observation', paths }, forWatchers };
      postponed = true;
    }
    if (postponed) this.#devices.postpone(device.key, observed, wait);
    return null;
  }

  /** Takes the step. Returns true if the device answered, even with an error. */
  async #take(device: LiveDevice, observed: Observed, step: ObservingStep): Promise<boolean> {
    const { lwm2m, turns } = this.#parts;
    if (step.forWatchers) this.#watchBudget.take(device.key);
    try {
      const result = await turns.take(device.key, () => lwm2m().perform(device.key, step.operation));
      observed.failures = 0;
      if (step.forWatchers && result.ok && step.operation.kind === 'observe') observed.forWatchers.add(step.key);
      else observed.forWatchers.delete(step.key);
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
          this.#devices.retryLater(device.key, observed);
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
    const refusal = refusalOf({ code, message, maxAge }, before, this.#parts.clock.now(), this.#random);
    this.#devices.refused(device.key, observed, key, refusal);
  }
}
