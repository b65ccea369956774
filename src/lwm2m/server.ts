import type { ObservationRecord, Registration } from './registration.ts';
import type { Operation, OperationResult } from './operation.ts';
import type { RestoredState } from './host.ts';

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
  observations(deviceKey: string): readonly ObservationRecord[];
  /**
   * Asks one thing of a device and waits for its answer. Rejects with Lwm2mError: NOT_REGISTERED, TIMEOUT, CANCELLED,
   * BAD_ANSWER, INVALID_ARGUMENT, LIMIT. Readings of the answer went through `host.readings` before it resolves.
   */
  perform(deviceKey: string, operation: Operation, options?: PerformOptions): Promise<OperationResult>;
  /** Ends the registration as if the device had de-registered (it was deleted, or its credential revoked). */
  remove(deviceKey: string): Promise<void>;
  /** Stops timers and waits for what is being stored; the endpoints are closed by whoever made them. */
  stop(): Promise<void>;
}
