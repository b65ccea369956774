import type { Clock, Timer } from '../clock.ts';
import type { NotificationAttributes, Path } from '../lwm2m/index.ts';
import type { CoapResponse } from './coap-message.ts';
import type { Subscriber } from './coap-link.ts';
import type { DeviceState } from './device-state.ts';
import { SERVER } from './objects.ts';
import { Refusal } from './refusal.ts';
import { numberOf } from './typed.ts';

const MAX_OBSERVATIONS = 1000;

export interface ObservationRequest {
  readonly token: string;
  readonly paths: readonly Path[];
  readonly composite: boolean;
  /** The attributes in the request (since 1.2); they replace all attached ones. */
  readonly attributes: NotificationAttributes | null;
  /** Reads the observed paths. Throws a Refusal when they no longer exist. */
  readonly read: () => CoapResponse;
  readonly subscriber: Subscriber;
}

interface Observation extends ObservationRequest {
  /** When the last notification was sent, in milliseconds. */
  sentAt: number;
  /** The last notified value, for one observed number or Boolean. */
  sentValue: number | boolean | undefined;
  due: Timer | null;
  latest: Timer | null;
}

/** The observations of one server; decides when each sends a notification (Core 1.2 §6.4.2, §7.3.2). */
export class Observations {
  readonly #state: DeviceState;
  readonly #server: Path;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #running = new Map<Subscriber, Observation>();

  /** `server`: the Server instance that contains the default periods. */
  constructor(state: DeviceState, server: Path, clock: Clock, log: (line: string) => void) {
    this.#state = state;
    this.#server = server;
    this.#clock = clock;
    this.#log = log;
  }

  get count(): number {
    return this.#running.size;
  }

  /** Starts an observation and returns the response. Replaces an observation with the same token. Throws a Refusal. */
  start(request: ObservationRequest): CoapResponse {
    if (this.#running.size >= MAX_OBSERVATIONS) throw new Refusal('5.03', 'too many observations');
    const first = request.read();
    this.cancel(request.token);
    const observation: Observation = { ...request, sentAt: 0, sentValue: undefined, due: null, latest: null };
    this.#running.set(request.subscriber, observation);
    this.#sent(observation);
    return first;
  }

  /** Cancels the observation with this token (RFC 7641 §3.6). */
  cancel(token: string): boolean {
    for (const observation of this.#running.values()) {
      if (observation.token === token) return this.end(observation.subscriber);
    }
    return false;
  }

  end(subscriber: Subscriber): boolean {
    const observation = this.#running.get(subscriber);
    observation?.due?.cancel();
    observation?.latest?.cancel();
    return this.#running.delete(subscriber);
  }

  /** Ends all observations: a new registration has none (Core 1.2 §6.4.2). */
  clear(): void {
    for (const subscriber of this.#running.keys()) this.end(subscriber);
  }

  /** Handles a changed, new or removed path. */
  changed(place: Path): void {
    for (const observation of this.#running.values()) {
      const concerns = observation.paths.some((path) => path.contains(place) || place.contains(path));
      if (concerns && !observation.due && this.#isWorthTelling(observation)) this.#schedule(observation);
    }
  }

  /** Applies new attributes: restarts the pmax timers. */
  attributesChanged(): void {
    for (const observation of this.#running.values()) this.#armLatest(observation);
  }

  /** Waits until pmin has passed. Simultaneous changes share one notification. */
  #schedule(observation: Observation): void {
    const wait = observation.sentAt + this.#pmin(observation) * 1000 - this.#clock.now();
    observation.due = this.#clock.after(Math.max(0, wait), () => this.#notify(observation));
  }

  #notify(observation: Observation): void {
    observation.due?.cancel();
    observation.due = null;
    const { subscriber, paths, read } = observation;
    try {
      const { con } = this.#attributes(observation);
      subscriber.notify(read(), con ?? true);
      this.#log(`notify ${paths.join(' ')}`);
      this.#sent(observation);
    } catch (error) {
      const code = error instanceof Refusal ? error.code : '5.00';
      this.#log(`notify ${paths.join(' ')} → ${code}, which ends the observation`);
      this.end(subscriber);
      subscriber.end(code);
    }
  }

  #sent(observation: Observation): void {
    observation.sentAt = this.#clock.now();
    observation.sentValue = this.#value(observation);
    this.#armLatest(observation);
  }

  #armLatest(observation: Observation): void {
    observation.latest?.cancel();
    const pmax = this.#pmax(observation);
    const wait = pmax === null ? null : observation.sentAt + pmax * 1000 - this.#clock.now();
    observation.latest = wait === null ? null : this.#clock.after(Math.max(0, wait), () => this.#notify(observation));
  }

  #isWorthTelling(observation: Observation): boolean {
    const { gt, lt, st, edge } = this.#attributes(observation);
    const [before, now] = [observation.sentValue, this.#value(observation)];
    if (typeof before === 'boolean' && typeof now === 'boolean' && typeof edge === 'boolean') {
      return before !== now && now === edge;
    }
    if (typeof before !== 'number' || typeof now !== 'number') return true;
    const crosses = [gt, lt].some((limit) => typeof limit === 'number' && before > limit !== now > limit);
    const steps = typeof st === 'number' && Math.abs(now - before) >= st;
    const conditional = [gt, lt, st].some((limit) => typeof limit === 'number');
    return !conditional || crosses || steps;
  }

  /** The observed value, if it is a single number or Boolean. */
  #value({ paths }: Observation): number | boolean | undefined {
    const [path] = paths;
    const value = paths.length === 1 && path !== undefined ? this.#state.tree.value(path) : undefined;
    return value?.type === 'Boolean' ? value.value : numberOf(value);
  }

  #attributes({ attributes, composite, paths }: Observation): NotificationAttributes {
    const [path] = paths;
    if (attributes) return attributes;
    return composite || path === undefined ? {} : this.#state.attributes.inForce(path);
  }

  #pmin(observation: Observation): number {
    return this.#attributes(observation).pmin ?? this.#default(SERVER.pmin) ?? 0;
  }

  /** Returns null without a pmax: a pmax of 0 or below pmin is ignored (Core 1.2 §7.3.2). */
  #pmax(observation: Observation): number | null {
    const pmax = this.#attributes(observation).pmax ?? this.#default(SERVER.pmax) ?? 0;
    return pmax > 0 && pmax >= this.#pmin(observation) ? pmax : null;
  }

  #default(resourceId: number): number | undefined {
    return numberOf(this.#state.tree.value(this.#server.child(resourceId)));
  }
}
