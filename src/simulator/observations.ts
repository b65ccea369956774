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
  /** Of the request itself (1.2): in place of all that is attached. */
  readonly attributes: NotificationAttributes | null;
  /** Reads what is observed; throws a Refusal when it is gone. */
  readonly read: () => CoapResponse;
  readonly subscriber: Subscriber;
}

interface Observation extends ObservationRequest {
  /** When the last notification went, in milliseconds. */
  sentAt: number;
  /** What it said, where one number or truth value is observed. */
  sentValue: number | boolean | undefined;
  due: Timer | null;
  latest: Timer | null;
}

/** The observations of one server, and when each notifies (Core 1.2 §6.4.2, §7.3.2). */
export class Observations {
  readonly #state: DeviceState;
  readonly #server: Path;
  readonly #clock: Clock;
  readonly #log: (line: string) => void;
  readonly #running = new Map<Subscriber, Observation>();

  /** `server`: its instance of the Server object, with the default periods. */
  constructor(state: DeviceState, server: Path, clock: Clock, log: (line: string) => void) {
    this.#state = state;
    this.#server = server;
    this.#clock = clock;
    this.#log = log;
  }

  get count(): number {
    return this.#running.size;
  }

  /** The first notification, which answers the request; throws a Refusal. One with the same token takes its place. */
  start(request: ObservationRequest): CoapResponse {
    if (this.#running.size >= MAX_OBSERVATIONS) throw new Refusal('5.03', 'too many observations');
    const first = request.read();
    this.cancel(request.token);
    const observation: Observation = { ...request, sentAt: 0, sentValue: undefined, due: null, latest: null };
    this.#running.set(request.subscriber, observation);
    this.#sent(observation);
    return first;
  }

  /** RFC 7641 §3.6: by the token of the request that began it. */
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

  /** A Register begins without observations (Core 1.2 §6.4.2). */
  clear(): void {
    for (const subscriber of this.#running.keys()) this.end(subscriber);
  }

  /** Something has another value, came or went. */
  changed(place: Path): void {
    for (const observation of this.#running.values()) {
      const concerns = observation.paths.some((path) => path.contains(place) || place.contains(path));
      if (concerns && !observation.due && this.#isWorthTelling(observation)) this.#schedule(observation);
    }
  }

  /** Write-Attributes: the periods that run begin anew. */
  attributesChanged(): void {
    for (const observation of this.#running.values()) this.#armLatest(observation);
  }

  /** Waits for pmin; changes of one moment go in one notification. */
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
      this.#log(`notify ${paths.join(' ')} → ${code}, the end of the observation`);
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

  /** The one value that is observed, when it is a number or a truth value. */
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

  /** Null for none: one of 0, or one shorter than pmin, counts for nothing (Core 1.2 §7.3.2). */
  #pmax(observation: Observation): number | null {
    const pmax = this.#attributes(observation).pmax ?? this.#default(SERVER.pmax) ?? 0;
    return pmax > 0 && pmax >= this.#pmin(observation) ? pmax : null;
  }

  #default(resourceId: number): number | undefined {
    return numberOf(this.#state.tree.value(this.#server.child(resourceId)));
  }
}
