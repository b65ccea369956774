import type { CoapEndpoint, Observation } from '../coap/index.ts';
import type { Due } from './deadlines.ts';
import type { ObjectModel } from './model/definition.ts';
import type { FormatUse } from './operation/refused-formats.ts';
import type { ObservationRecord, Registration } from './registration/registration.ts';

/** A CoAP endpoint of the server, and its transport. */
export interface Lwm2mEndpoint {
  readonly endpoint: CoapEndpoint;
  readonly transport: Registration['transport'];
}

export function isStream({ transport }: Lwm2mEndpoint): boolean {
  return transport === 'tcp' || transport === 'tls';
}

/** An observation that the device accepted. */
export interface RunningObservation {
  readonly record: ObservationRecord;
  /** Replaced when the device moves to another endpoint. */
  handle: Observation;
  /** When the device accepted it, last notified, or this process restored it. */
  heardAt: number;
}

/** The awake window of a queue-mode device. It becomes due when the device is assumed to fall asleep. */
export interface AwakeWindow extends Due {
  readonly device: RegisteredDevice;
  asleep: boolean;
  /** When its last message arrived, in milliseconds; null after a restart of the server. */
  heardAt: number | null;
  /** The first request since then: when it was sent, in milliseconds. Null: none, or it waited too short to tell. */
  askedAt: number | null;
}

/**
 * The state of one registered device: its registration, which an Update replaces, and everything that ends with it. It
 * becomes due when the registration expires. Kept small, because there may be a million.
 */
export class RegisteredDevice implements Due {
  readonly model: ObjectModel;
  /** Null: `awakeMs` of the settings applies. */
  awakeMs: number | null;
  registration: Registration;
  reachedBy: Lwm2mEndpoint;
  /** False after the DTLS session, or the TCP or TLS connection, ended, until the next Register or Update: nothing can be sent. */
  connected = true;
  dueAt = Infinity;
  heapIndex = -1;
  /** Null until a queue-mode device has sent a message; always null without queue mode. */
  awakeWindow: AwakeWindow | null = null;
  /** By `observationKey` of the observed paths. */
  observations: Map<string, RunningObservation> | null = null;
  /** The formats that the device refused with 4.06 or 4.15, see `rememberRefused`. */
  refusedFormats: Set<FormatUse> | null = null;
  /** Observe requests without a response yet, by the same key. */
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
    /** True when the response to the Register was sent; before that the server sends no request to the device. */
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

  /** The response to the Register was sent. */
  opened(): void {
    this.#answered = true;
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const resume of waiting) resume();
  }

  /** True when the server may send requests to the device. */
  get open(): boolean {
    return this.#answered;
  }

  /** Calls `proceed` when the device is open or its registration has ended. */
  whenOpen(proceed: () => void): void {
    if (this.#answered) proceed();
    else (this.#waiting ??= []).push(proceed);
  }

  /** Aborts `operation` when the registration ends. */
  begin(operation: AbortController): void {
    (this.#operations ??= new Set()).add(operation);
  }

  done(operation: AbortController): void {
    this.#operations?.delete(operation);
    if (this.#operations?.size === 0) this.#operations = null;
  }

  /** The registration ended: releases everything that waits for the device. */
  end(): void {
    this.#ended = true;
    this.cancelOperations();
    this.opened();
  }

  /** Aborts all operations that wait for a response of the device. */
  cancelOperations(): void {
    for (const operation of this.#operations ?? []) operation.abort();
  }
}
