import type { ObservationRecord, Registration } from './registration/registration.ts';
import type { Operation, OperationResult } from './operation/operation.ts';
import type { RestoredState } from './handlers.ts';

export interface PerformOptions {
  /** How long to wait for the device, from the last block that moved; default 247 s (EXCHANGE_LIFETIME). */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The request left. */
  readonly onSent?: () => void;
  /** The device acknowledged it. */
  readonly onDelivered?: () => void;
}

/** The LwM2M server: registration, device management and information reporting over its CoAP endpoints. */
export interface Lwm2mServer {
  /** Takes up what an earlier run left and starts expiry; call once, before the endpoints hear datagrams. */
  start(restored: RestoredState): Promise<void>;
  registration(deviceKey: string): Registration | undefined;
  /** True while a queue-mode device is thought asleep: nothing is sent to it. */
  isAsleep(deviceKey: string): boolean;
  /** How long the device, in queue mode, is thought awake after its next message and later ones; null: as the settings say. */
  setAwakeTime(deviceKey: string, ms: number | null): void;
  observations(deviceKey: string): readonly ObservationRecord[];
  /**
   * Asks one thing of a device and waits for its answer. Readings of the answer, and what a Write changed, went through
   * `handlers.readings` before it resolves; it rejects with the handlers's error when that did. Else it rejects with Lwm2mError:
   * INVALID_ARGUMENT names what can't be asked of this device; nothing was sent.
   * ASLEEP: a queue-mode device sleeps; nothing was sent. `handlers.sleeping(registration, false)` tells when to ask again.
   * LIMIT: too much is asked of the device at once; nothing was sent.
   * NOT_REGISTERED: it is not, or the registration ended (a new Register replaced it, too) before the device answered.
   * TIMEOUT: no answer; a queue-mode device is thought asleep from then on.
   * BAD_ANSWER: a reset, or an answer that can't be decoded. CANCELLED: by the caller, or because the server stops.
   *
   * An observation of the same paths runs once: asked for again, the device is read instead, and with other attributes
   * it is cancelled and begun anew.
   */
  perform(deviceKey: string, operation: Operation, options?: PerformOptions): Promise<OperationResult>;
  /** Ends the registration as if the device had de-registered (it was deleted, or its credential revoked). */
  remove(deviceKey: string): Promise<void>;
  /**
   * Stops timers, cancels operations and waits for what is being stored; the endpoints are closed by whoever made them.
   */
  stop(): Promise<void>;
}

/** What there is now; each has a bound in the settings. */
export interface Lwm2mSnapshot {
  readonly registrations: number;
  readonly observations: number;
  /** Under way, or waiting for their turn. */
  readonly operations: number;
  /** Requests and notifications of devices that are being taken, and operations. */
  readonly handling: number;
}

/** The server as whoever made it sees it. */
export interface RunningLwm2mServer extends Lwm2mServer {
  snapshot(): Lwm2mSnapshot;
}
