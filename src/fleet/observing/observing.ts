import type { Timer } from '../../clock.ts';
import {
  observationKey,
  Lwm2mError,
  type NotificationAttributes,
  type OperationResult,
  type Path,
  type PerformOptions,
} from '../../lwm2m/index.ts';
import { RateBudget } from '../common/index.ts';
import type { DeviceKey } from '../devices/index.ts';
import type { LiveDevice } from '../presence/index.ts';
import {
  endObservations,
  keysOf,
  startObservation,
  type CancelOperation,
  type ObserveOperation,
  type Send,
} from './composite-observation.ts';
import type { ObservingParts, ObservingSnapshot } from './observing-parts.ts';
import { nextStep } from './next-step.ts';
import type { ObservingStep } from './observing-step.ts';
import { isBlank, type Observed } from './observed.ts';
import { ObservedDevices } from './observed-devices.ts';
import { endedRefusal, refusalOf, type RefusalAnswer } from './refusals.ts';
import {
  type DeviceObservation,
  MOST_OBSERVATIONS,
  wantedObservations,
  wantedState,
  type WantedObservation,
  type WantedState,
} from './wanted.ts';
import { watchStates, type WatchState } from './watch-state.ts';
import { WatchedPaths } from './watched-paths.ts';

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
  readonly #watchBudget: RateBudget<DeviceKey>;
  readonly #random: () => number;

  constructor(parts: ObservingParts) {
    const { clock } = parts;
    const { lingerMs, requestsPerMinute, requestBurst } = parts.settings;
    const reconcile = (key: DeviceKey): void => this.reconcile(key);
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
    this.#devices = new ObservedDevices({ clock, random: this.#random, onDue: reconcile });
    this.#watched = new WatchedPaths({ clock, lingerMs, mostPaths: MOST_OBSERVATIONS, onLess: reconcile });
    this.#watchBudget = new RateBudget({ clock, perSecond: requestsPerMinute / 60, burst: requestBurst });
    parts.profiles.onChange((_, profileId) =>
      this.#reconcileAll([...parts.roster.withProfile(profileId)].map(({ key }) => key)),
    );
  }

  /** Reads what devices accepted in an earlier run. Call once, at the start, when the roster is complete. */
  async restore(): Promise<void> {
    for (const [key, written] of await this.#parts.written.load()) {
      if (!this.#parts.roster.get(key)) continue;
      for (const [path, attributes] of written) this.#devices.of(key).written.set(path, attributes);
    }
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
    this.#watchChanged(key);
  }

  /** Notes that the device itself ended an observation, with a notification of this code. It is tried again later. */
  endedByDevice(key: DeviceKey, paths: readonly Path[], code: string | null): void {
    if (!this.#parts.roster.get(key)) return;
    const observed = this.#devices.of(key);
    const name = observationKey(paths);
    const refusal = endedRefusal(code, observed.refused.get(name), this.#parts.clock.now(), this.#random);
    this.#devices.refused(key, observed, name, refusal);
    this.#watchChanged(key);
  }

  /** Resolves with the observations that should run on the device, with their state; none if it is not registered. */
  async wantedOf(key: DeviceKey): Promise<WantedState[]> {
    const device = this.#parts.roster.get(key);
    if (!device) return [];
    const wanted = await this.#wanted(device);
    const running = this.#running(key);
    const refused = this.#devices.get(key)?.refused;
    return wanted.map((wish) => wantedState(wish, running.has(wish.key), refused?.get(wish.key)));
  }

  /** Resolves with the state of each of these paths that a subscription watches. */
  async watchStates(key: DeviceKey, paths: readonly Path[]): Promise<WatchState[]> {
    const device = this.#parts.roster.get(key);
    if (!device) return watchStates(paths, null);
    const wanted = await this.#wanted(device);
    const { refused, cancelled = NONE } = this.#devices.get(key) ?? {};
    const { objects } = device.registration;
    return watchStates(paths, { objects, wanted, running: this.#running(key), refused, cancelled });
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

  /**
   * Runs a command that starts an observation, as `startObservation` does. If the device accepts it, the observation is
   * wanted from now on. `attributes` are those that a device before LwM2M 1.2 got by Write-Attributes.
   */
  async commandStart(
    device: LiveDevice,
    operation: ObserveOperation,
    attributes: NotificationAttributes | null,
    options: PerformOptions,
  ): Promise<OperationResult> {
    const { paths, contentFormat = null } = operation;
    const { clock, requests } = this.#parts;
    const send = this.#sendTo(device);
    return this.#commanded(device, paths, async (observed) => {
      const result = await startObservation(device, operation, { send, options, clock });
      if (!result.ok) return result;
      for (const key of keysOf(paths)) {
        observed?.cancelled.delete(key);
        observed?.refused.delete(key);
      }
      const wanted = operation.attributes ?? attributes;
      if (wanted && (attributes || paths.length === 1)) {
        for (const path of paths) observed?.written.set(String(path), wanted);
        if (observed) observed.unsaved = true;
      }
      await requests.add(device.key, { paths, attributes: wanted, contentFormat });
      return result;
    });
  }

  /**
   * Runs a command that ends an observation. It stays ended until the device registers again. A requested observation
   * that does not run is no longer wanted; one that runs as single ones ends with those that nothing else needs.
   */
  async commandEnd(device: LiveDevice, operation: CancelOperation, options: PerformOptions): Promise<OperationResult> {
    const { paths } = operation;
    const { requests } = this.#parts;
    const name = observationKey(paths);
    const send = this.#sendTo(device);
    return this.#commanded(device, paths, async (observed) => {
      const running = this.#running(device.key);
      const requested = requests.of(device.key).some((request) => observationKey(request.paths) === name);
      const needed = new Set((await this.#wanted(device, name)).map(({ key }) => key));
      const singly = paths.filter((path) => running.has(String(path)) && !needed.has(String(path)));
      const ending = running.has(name) || !requested ? [paths] : singly.map((path) => [path]);
      const result = await endObservations(operation, ending, (each) => send(each, options));
      if (!result.ok) return result;
      observed?.cancelled.add(name);
      await requests.remove(device.key, name);
      return result;
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
        this.#devices.retryLater(key, observed);
        this.#parts.log.warn({ device: key, err: error }, 'the observations of a device could not be reconciled');
      })
      .finally(() => {
        observed.running = false;
        this.#parts.written.saveChanges(device, observed);
        // Something changed after the last look.
        if (observed.again && observed.retry === null) return this.reconcile(key);
        this.#watchChanged(key);
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

  #sendTo({ key }: LiveDevice): Send {
    return (operation, options) => this.#parts.lwm2m().perform(key, operation, options);
  }

  /** Runs a command that starts or ends an observation of the paths; reconciling leaves them alone meanwhile. */
  async #commanded(
    { key }: LiveDevice,
    paths: readonly Path[],
    command: (observed: Observed | undefined) => Promise<OperationResult>,
  ): Promise<OperationResult> {
    const keys = keysOf(paths);
    const observed = this.#parts.roster.get(key) ? this.#devices.of(key) : undefined;
    for (const name of keys) observed?.commanded.add(name);
    try {
      return await command(observed);
    } finally {
      for (const name of keys) observed?.commanded.delete(name);
      this.reconcile(key);
    }
  }

  /** The paths of the running observations, by key. */
  #running(key: DeviceKey): Map<string, readonly Path[]> {
    const observations = this.#parts.lwm2m().observations(key);
    return new Map(observations.map(({ paths }) => [observationKey(paths), paths]));
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

  /** `without` is the key of a requested observation that is left out. */
  async #wanted(device: LiveDevice, without?: string): Promise<WantedObservation[]> {
    const { mappings } = await this.#parts.profiles.of(device.tenantId, device.profileId);
    return wantedObservations({
      mappings,
      requested: this.#parts.requests.of(device.key).filter(({ paths }) => observationKey(paths) !== without),
      watched: this.#watched.of(device.key),
      composite: device.composite !== 'REFUSED',
      objects: device.registration.objects,
      cancelled: this.#devices.get(device.key)?.cancelled ?? NONE,
    });
  }

  /** Returns the next step; null if exactly the wanted observations run, or the device can't be asked now. */
  async #nextStep(device: LiveDevice, observed: Observed, tried: ReadonlySet<string>): Promise<ObservingStep | null> {
    const { lwm2m, roster, profiles, clock } = this.#parts;
    const wanted = await this.#wanted(device);
    const profile = await profiles.of(device.tenantId, device.profileId);
    // The device may have registered again while the profile was read.
    if (!this.#devices.has(device.key, observed) || roster.get(device.key) === undefined) return null;
    const server = lwm2m();
    if (observed.retry || !server.registration(device.key) || server.isUnreachable(device.key)) return null;
    const wait = this.#watchBudget.wait(device.key);
    const step = nextStep({
      wanted,
      running: this.#running(device.key),
      observed,
      tried,
      version: device.registration.lwm2mVersion,
      profile,
      heardAt: (paths) => server.heardAt(device.key, paths),
      now: clock.now(),
      maySendForWatchers: wait === 0,
    });
    if (step !== 'postponed') return step;
    this.#devices.postpone(device.key, observed, wait);
    return null;
  }

  /** Takes the step. Returns true if the device answered, even with an error. */
  async #take(device: LiveDevice, observed: Observed, step: ObservingStep): Promise<boolean> {
    const { turns, clock } = this.#parts;
    const { operation } = step;
    const send = this.#sendTo(device);
    if (step.forWatchers) this.#watchBudget.take(device.key);
    try {
      const result = await turns.take(device.key, () =>
        operation.kind === 'observe'
          ? startObservation(device, operation, { send, options: {}, clock })
          : send(operation, {}),
      );
      observed.failures = 0;
      if (step.forWatchers && result.ok && operation.kind === 'observe') observed.forWatchers.add(step.key);
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
        // The device does not answer, or its session has ended: try again later.
        case 'TIMEOUT':
        case 'DISCONNECTED':
        case 'UNREACHABLE':
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
    this.#watchChanged(device.key);
  }

  #watchChanged(key: DeviceKey): void {
    if (this.#watched.of(key).length > 0) this.#parts.onWatchChange(key);
  }
}
