import type { Path } from './path.ts';
import type { ObservationRecord, Registration } from './registration/registration.ts';
import type { Operation, OperationResult } from './operation/operation.ts';
import type { RestoredState } from './handlers.ts';

export interface PerformOptions {
  /** How long to wait for the device, counted from the last transferred block; default 247 s (EXCHANGE_LIFETIME). */
  readonly timeoutMs?: number;
  /**
   * When the operation must have ended, in milliseconds since the Unix epoch. It counts every wait: for the turn of the
   * request, for its response and for all blocks. A request whose turn comes later is not sent.
   */
  readonly deadline?: number;
  readonly signal?: AbortSignal;
  /** Called when the request was sent. */
  readonly onSent?: () => void;
  /** Called when the device acknowledged the request. */
  readonly onDelivered?: () => void;
}

/** The LwM2M server: the registration, device management and information reporting interfaces. */
export interface Lwm2mServer {
  /** Restores the state of an earlier run and starts expiry. Call once, before the endpoints receive datagrams. */
  start(restored: RestoredState): Promise<void>;
  registration(deviceKey: string): Registration | undefined;
  /**
   * True while nothing can be sent to the registered device: a queue-mode device is assumed to sleep, or the DTLS session
   * or the TCP or TLS connection has ended.
   */
  isUnreachable(deviceKey: string): boolean;
  /** Sets how long the queue-mode device is awake after each later message; null: `awakeMs` of the settings. */
  setAwakeTime(deviceKey: string, ms: number | null): void;
  observations(deviceKey: string): readonly ObservationRecord[];
  /**
   * When the device accepted the observation of these paths or last notified, or when this process restored it. Null
   * when no such observation runs.
   */
  heardAt(deviceKey: string, paths: readonly Path[]): number | null;
  /**
   * Performs one operation on a device and waits for its response. Before it resolves, `handlers.readings` has stored
   * the values of the response, or the values of an accepted Write. It rejects when that handler rejects, else with
   * Lwm2mError:
   * INVALID_ARGUMENT: the operation is not valid for this device; nothing was sent.
   * UNREACHABLE: a queue-mode device sleeps, or the connection has ended; nothing was sent. Try again after
   * `handlers.sleeping(registration, false)` or `handlers.ready`.
   * LIMIT: too many operations or observations of the device; nothing was sent.
   * NOT_REGISTERED: the device is not registered, or its registration ended or was replaced before it answered.
   * DISCONNECTED: the session or connection of the device ended before it answered.
   * TIMEOUT: the device did not answer; a queue-mode device is assumed to sleep from then on.
   * BAD_ANSWER: the device sent a reset, or a response that can't be decoded.
   * CANCELLED: the caller cancelled, or the server stops.
   *
   * An observation of the same paths runs once. A second Observe reads the device instead; with other attributes it
   * cancels the observation and starts a new one.
   */
  perform(deviceKey: string, operation: Operation, options?: PerformOptions): Promise<OperationResult>;
  /** Ends the registration as if the device had de-registered (for a deleted device or a revoked credential). */
  remove(deviceKey: string): Promise<void>;
  /**
   * Stops timers, cancels operations and waits until running handlers are done. The caller closes the endpoints.
   */
  stop(): Promise<void>;
}

/** Current counts. The settings limit the first three. */
export interface Lwm2mSnapshot {
  readonly registrations: number;
  readonly observations: number;
  /** Running and waiting operations. */
  readonly operations: number;
  /** Requests and notifications of devices that are being handled, and operations. */
  readonly handling: number;
}

/** The server with its metrics, for the code that creates it. */
export interface RunningLwm2mServer extends Lwm2mServer {
  snapshot(): Lwm2mSnapshot;
}
