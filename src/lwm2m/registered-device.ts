import type { CoapEndpoint, Observation } from '../coap/index.ts';
import type { Due } from './deadlines.ts';
import type { ObjectModel } from './model/definition.ts';
import type { ObservationRecord, Registration } from './registration/registration.ts';

/** A CoAP endpoint that devices reach the server by, and what carries it. */
export interface Lwm2mEndpoint {
  readonly endpoint: CoapEndpoint;
  readonly transport: Registration['transport'];
}

/** One observation that the device took. */
export interface RunningObservation {
  readonly record: ObservationRecord;
  /** Replaced when the device moves to another endpoint. */
  handle: Observation;
}

/** How long one queue-mode device is thought awake. Falls due when it is thought to fall asleep. */
export interface AwakeWindow extends Due {
  readonly device: RegisteredDevice;
  asleep: boolean;
}

/**
 * A device while it is registered: its registration, which an Update replaces, and all that ends with it. Falls due when
 * the registration expires. Kept small: there may be a million.
 */
export class RegisteredDevice implements Due {
  readonly model: ObjectModel;
  /** Null: as the settings say. */
  awakeMs: number | null;
  registration: Registration;
  reachedBy: Lwm2mEndpoint;
  dueAt = Infinity;
  heapIndex = -1;
  /** Null unless it is in queue mode and was heard. */
  awakeWindow: AwakeWindow | null = null;
  /** By the paths that are observed. */
  observations: Map<string, RunningObservation> | null = null;
  /** Observations that the device has not answered yet, by the same key. */
  starting: Map<string, Promise<unknown>> | null = null;
  #operations: Set<AbortController> | null = null;
  #answered: boolean;
  #waiting: (() => void)[] | null = null;
  #ended = false;

  constructor(device: {
    registration: Registration;
    model: ObjectModel;
    awakeMs: number | undefined;
    reachedBy: Lwm2mEndpoint;
    /** Whether its Register was answered: no request goes to the device before. */
    answered: boolean;
  }) {
    this.registration = device.registration;
    this.model = device.model;
    this.awakeMs = device.awakeMs ?? null;
    this.reachedBy = device.reachedBy;
    this.#answered = device.answered;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get operationCount(): number {
    return this.#operations?.size ?? 0;
  }

  /** The answer to its Register left. */
  opened(): void {
    this.#answered = true;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const resume of waiting) resume();
  }

  /** True once requests may go to the device: at once for all but a new one. */
  get open(): boolean {
    return this.#answered;
  }

  /** Calls `proceed` once it is open, or its registration over. */
  whenOpen(proceed: () => void): void {
    if (this.#answered) proceed();
    else (this.#waiting ??= []).push(proceed);
  }

  /** Lets `operation` be ended with the registration. */
  begin(operation: AbortController): void {
    (this.#operations ??= new Set()).add(operation);
  }

  done(operation: AbortController): void {
    this.#operations?.delete(operation);
    if (this.#operations?.size === 0) this.#operations = null;
  }

  /** The registration is over: whatever waits for the device waits no longer. */
  end(): void {
    this.#ended = true;
    this.cancelOperations();
    this.opened();
  }

  /** Nobody waits for the device's answers any longer. */
  cancelOperations(): void {
    for (const operation of this.#operations ?? []) operation.abort();
  }
}
